//! What `make run` shows: the virtual date and, per mailbox, how its warmup goes. All of it comes from the public API.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::api_client::{ApiClient, ApiError};

/// One mailbox's line. Counts are over the whole warmup.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// The address.
    pub email: String,
    /// The account's status.
    pub status: String,
    /// Which day of its warmup it is.
    pub day: u64,
    /// The warmup's phase.
    pub phase: String,
    /// Mails it may send today.
    pub limit: u64,
    /// Mails it sent.
    pub sent: u64,
    /// Mails found in it.
    pub received: u64,
    /// Mails of its that landed in spam.
    pub spam: u64,
    /// Mails that it rescued from its own spam folder.
    pub rescued: u64,
    /// Mails it answered.
    pub replied: u64,
    /// Its reputation.
    pub reputation: f64,
}

/// Asks the API for all rows.
pub async fn rows(api: &ApiClient) -> Result<Vec<Row>, ApiError> {
    let accounts = api.get("/api/accounts?limit=200").await?;
    let mut rows = Vec::new();
    for account in accounts
        .get("accounts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let id = text(account, "id");
        let progress = api
            .get(&format!("/api/analytics/accounts/{id}/progress?days=90"))
            .await?;
        rows.push(row(account, &progress));
    }
    rows.sort_by(|left, right| left.email.cmp(&right.email));
    Ok(rows)
}

fn row(account: &Value, progress: &Value) -> Row {
    let days = progress.get("dailyMetrics").and_then(Value::as_array);
    let sum = |key: &str| days.into_iter().flatten().map(|day| count(day, key)).sum();
    Row {
        email: text(account, "email"),
        status: text(account, "status"),
        day: count(progress, "dayNumber"),
        phase: text(account, "warmupPhase"),
        limit: count(account, "currentDailyLimit"),
        sent: count(account, "totalSent"),
        received: count(account, "totalReceived"),
        spam: sum("spammed"),
        rescued: sum("rescued"),
        replied: sum("replied"),
        reputation: account
            .get("reputationScore")
            .and_then(Value::as_f64)
            .unwrap_or_default(),
    }
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn count(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

/// The table as text, a heading with the schedule's time first.
pub fn table(now: Timestamp, rows: &[Row]) -> String {
    let date = TimeZone::UTC
        .to_datetime(now)
        .strftime("%A %-d %B %Y, %H:%M UTC");
    let mut table = format!("{date}\n");
    let _ = writeln!(
        table,
        "{:<24} {:>4} {:<10} {:>6} {:>6} {:>9} {:>5} {:>8} {:>8} {:>11}",
        "mailbox",
        "day",
        "phase",
        "limit",
        "sent",
        "received",
        "spam",
        "rescued",
        "replied",
        "reputation"
    );
    for row in rows {
        let phase = if row.status == "warming" {
            &row.phase
        } else {
            &row.status
        };
        let _ = writeln!(
            table,
            "{:<24} {:>4} {:<10} {:>6} {:>6} {:>9} {:>5} {:>8} {:>8} {:>11.1}",
            row.email,
            row.day,
            phase,
            row.limit,
            row.sent,
            row.received,
            row.spam,
            row.rescued,
            row.replied,
            row.reputation
        );
    }
    table
}

/// Where tables are shown.
pub struct Screen {
    is_terminal: bool,
    drawn_lines: usize,
}

impl Screen {
    /// Standard output; `is_terminal` decides whether a table replaces the one before.
    pub const fn new(is_terminal: bool) -> Self {
        Self {
            is_terminal,
            drawn_lines: 0,
        }
    }

    /// Shows a table.
    pub fn show(&mut self, table: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(self.frame(table).as_bytes())?;
        out.flush()
    }

    /// What is written: over the last table on a terminal (ECMA-48: cursor up, erase below), after it elsewhere.
    fn frame(&mut self, table: &str) -> String {
        let above = match (self.is_terminal, self.drawn_lines) {
            (true, lines) if lines > 0 => format!("\x1b[{lines}A\x1b[J"),
            (true, _) => String::new(),
            (false, _) => "\n".to_owned(),
        };
        self.drawn_lines = table.lines().count();
        above + table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_sums_the_days() {
        let account = json!({
            "email": "alice@acorn.test", "status": "warming", "warmupPhase": "ramp_up", "currentDailyLimit": 4,
            "totalSent": 9, "totalReceived": 8, "reputationScore": 61.5,
        });
        let progress = json!({"dayNumber": 3, "dailyMetrics": [{"spammed": 1, "rescued": 1, "replied": 2}, {"spammed": 0, "replied": 3}]});
        let row = row(&account, &progress);
        assert_eq!((row.day, row.spam, row.replied, row.rescued), (3, 1, 5, 1));
        insta::assert_snapshot!(table("2026-03-13T09:05:00Z".parse().unwrap(), &[row]), @r"
        Friday 13 March 2026, 09:05 UTC
        mailbox                   day phase       limit   sent  received  spam  rescued  replied  reputation
        alice@acorn.test            3 ramp_up         4      9         8     1        1        5        61.5
        ");
    }

    #[test]
    fn a_terminal_is_drawn_over_and_a_file_is_not() {
        let mut terminal = Screen::new(true);
        assert_eq!(terminal.frame("a\nb\n"), "a\nb\n");
        assert_eq!(terminal.frame("c\n"), "\x1b[2A\x1b[Jc\n");
        assert_eq!(terminal.frame("d\n"), "\x1b[1A\x1b[Jd\n");
        let mut file = Screen::new(false);
        assert_eq!(file.frame("a\n"), "\na\n");
        assert_eq!(file.frame("a\n"), "\na\n");
    }
}
