//! The schedule that wakes a function: its event brings only the time.

use jiff::Timestamp;
use serde_json::{Value, json};

/// The event that EventBridge sends for a rule with a schedule.
pub fn event(id: &str, at: Timestamp, region: &str, account: &str, rule: &str) -> Value {
    json!({
        "version": "0",
        "id": id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": region,
        "resources": [format!("arn:aws:events:{region}:{account}:rule/{rule}")],
        "detail": {},
    })
}

/// How many minutes pass between two events of a schedule expression; `None` for what our template does not use.
pub fn period_minutes(expression: &str) -> Option<u32> {
    let inside = expression.strip_prefix("rate(")?.strip_suffix(')')?;
    let (count, unit) = inside.split_once(' ')?;
    let count: u32 = count.parse().ok().filter(|count| *count > 0)?;
    match unit {
        "minute" | "minutes" => Some(count),
        "hour" | "hours" => count.checked_mul(60),
        "day" | "days" => count.checked_mul(24 * 60),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read() {
        assert_eq!(period_minutes("rate(1 minute)"), Some(1));
        assert_eq!(period_minutes("rate(2 hours)"), Some(120));
        for unknown in [
            "cron(0 * * * ? *)",
            "rate(0 minutes)",
            "rate(1 fortnight)",
            "1 minute",
        ] {
            assert_eq!(period_minutes(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn an_event_brings_the_time() {
        let event = event(
            "i",
            "2026-03-13T09:05:00Z".parse().unwrap(),
            "r",
            "a",
            "tick",
        );
        assert_eq!(event["time"], "2026-03-13T09:05:00Z");
        assert_eq!(event["detail-type"], "Scheduled Event");
    }
}
