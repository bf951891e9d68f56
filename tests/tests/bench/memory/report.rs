//! What a reader sees of the days in memory.

use agentwarm_testkit::memory::meter::{Busiest, Partition};

use super::{Day, Metered};
use crate::breakdown::breakdown;
use crate::cost::bill::{Bill, kms_calls, sqs_requests};
use crate::prices::Prices;
use crate::table::{figure, percentile, table, wrapped};
use crate::usage::What;

/// Seconds of the intervals in which rates are compared.
const QUARTER: i64 = 15 * 60;

/// How the figures come about.
const HOW_COUNTED: &str = "How it is counted. Each call of the memory store is priced as the calls that its DynamoDB adapter makes for it, by the sizes of the records; \
     a test compares both on the emulator. Batches are gathered as the template's mappings say: what comes in one window goes together, to as many \
     workers as `MaxConcurrentSends` and `MaxConcurrentVisits` allow; a table's stream has four shards. Calls take no virtual time, so a batch of \
     mails or visits is taken to last 2 s, one of records 1 s, and a server to say 250 after 1 s; all that a batch writes falls into the second in \
     which it begins. SQS requests are the tick's sends, and a receive and a delete for each ten messages of a batch; pollers' looks into empty \
     queues are not counted. KMS calls are one for each hour in which one of the workers worked. The price is reckoned as that of the metered day on the emulator, an \
     invocation at a second and servers far away at another. All mailboxes live in UTC.";

/// The section.
pub(super) fn text(days: &[Metered], outage: &Metered) -> String {
    let largest = days.last().unwrap();
    [
        head(days),
        figures(days),
        wrapped(&format!(
            "Where the most was written in one second, of {} mailboxes: {}.",
            largest.size.mailboxes,
            place(largest.day.busiest)
        )),
        format!(
            "Invocations per mail, of {} mailboxes:\n",
            largest.size.mailboxes
        ),
        breakdown(&largest.day.used, What::Invocation, mails(&largest.day)),
        "Write units per mail, likewise, by function and item:\n".to_owned(),
        breakdown(&largest.day.used, What::WriteUnits, mails(&largest.day)),
        "Read units per mail:\n".to_owned(),
        breakdown(&largest.day.used, What::ReadUnits, mails(&largest.day)),
        catching_up(&largest.day, outage),
        wrapped(HOW_COUNTED),
    ]
    .join("\n")
}

fn head(days: &[Metered]) -> String {
    let sizes = days.iter().map(|day| {
        let (size, took) = (day.size, day.took.as_secs());
        format!(
            "{} mailboxes of {} users with {} workers for each queue ({} mails, {took} s)",
            figure(f64::from(size.mailboxes)),
            size.users,
            size.concurrency,
            figure(mails(&day.day)),
        )
    });
    let text = format!(
        "`make bench`: the engine's use cases on the testkit's memory ports over one virtual day, the first of these mailboxes' warmup, at 40 \
         mails a day each: {}.",
        sizes.collect::<Vec<_>>().join("; ")
    );
    wrapped(&text)
}

fn figures(days: &[Metered]) -> String {
    let row = |name: &str, of: &dyn Fn(&Day) -> f64, goal: &str| {
        let [small, middle, large] = [0, 1, 2].map(|n| figure(of(&days[n].day)));
        [name.to_owned(), small, middle, large, goal.to_owned()]
    };
    let total = |what| move |day: &Day| day.used.total(what) / mails(day);
    let late = |percent| move |day: &Day| seconds(percentile(&day.lateness, percent).unwrap());
    let head: Vec<String> = days
        .iter()
        .map(|day| figure(f64::from(day.size.mailboxes)))
        .collect();
    table(
        ["per mail", &head[0], &head[1], &head[2], "goal"],
        [
            row("write units", &total(What::WriteUnits), "≤ 6"),
            row("read units", &total(What::ReadUnits), "≤ 1.5"),
            row(
                "SQS requests",
                &|day| sqs_requests(&day.used) / mails(day),
                "≤ 0.5",
            ),
            row(
                "KMS calls",
                &|day| kms_calls(&day.used) / mails(day),
                "≤ 0.1",
            ),
            row("invocations", &total(What::Invocation), "≤ 0.25"),
            row("IMAP logins", &total(What::ImapLogin), "≤ 2"),
            row("SMTP connections", &total(What::SmtpConnection), "–"),
            row("events on the bus", &total(What::Event), "–"),
            row("price of 1,000 mails in $, all in", &price, "≤ 0.010"),
            row(
                "transactions",
                &|day| day.used.calls("TransactWriteItems") / mails(day),
                "0",
            ),
            row("*of the day:* seconds late, p50", &late(50), "–"),
            row("seconds late, p99", &late(99), "≤ 90"),
            row("seconds late, most", &late(100), "–"),
            row(
                "write units in one second on one partition, most",
                &|day| day.busiest.units,
                "≤ 300",
            ),
        ],
    )
}

/// What 1,000 mails cost with everything that AWS asks for. Batches are those that AWS would make already.
fn price(day: &Day) -> f64 {
    Bill::of(&day.used, 0).full_price(&Prices::table())
}

fn mails(day: &Day) -> f64 {
    day.used.total(What::Mail)
}

fn place(busiest: Busiest) -> String {
    let of = match busiest.partition {
        Partition::User(_) => "a user's entities",
        Partition::Account(_) => "an account's activity",
        Partition::Mailbox(_) => "a mailbox's state",
        Partition::Ledger(..) => "a pool's ledger",
        Partition::Audit(_) => "a user's audit log",
        Partition::Due(..) => "an hour of the due index",
        Partition::Watermark(_) => "a watermark",
        Partition::Roster(_) => "a minute of the roster",
        Partition::Total(_) => "a user's total",
    };
    let minute = busiest.second.rem_euclid(86_400) / 60;
    format!("{of}, at {:02}:{:02}", minute / 60, minute % 60)
}

/// How a day goes on after an hour without ticks.
fn catching_up(plain: &Day, outage: &Metered) -> String {
    let (begin, end) = (
        plain.accepted.keys().next().unwrap(),
        outage.day.accepted.keys().last().unwrap(),
    );
    let hours = begin.div_euclid(3600)..=end.div_euclid(3600);
    let rows = hours.map(|hour| {
        let [planned, sent] =
            [plain, &outage.day].map(|day| rate(day, hour * 3600, (hour + 1) * 3600));
        let worst = |stretch: i64| {
            let begins = (0..3600 / stretch).map(|n| hour * 3600 + n * stretch);
            let ratios = begins.filter_map(|from| {
                let [planned, sent] =
                    [plain, &outage.day].map(|day| rate(day, from, from + stretch));
                (planned > 0.0).then(|| sent / planned)
            });
            ratios
                .reduce(f64::max)
                .map_or_else(|| "–".to_owned(), figure)
        };
        [
            format!("{:02}:00", hour.rem_euclid(24)),
            figure(planned),
            figure(sent),
            worst(3600),
            worst(QUARTER),
            worst(60),
        ]
    });
    let text = format!(
        "The same {} mailboxes on a day on which no tick runs from 12:00 to 13:00. What was due in that hour is spread over what is left of \
         the day; goal: never more than twice as many mails as the undisturbed day has at that time. Where that one has none there is no \
         ratio.",
        figure(f64::from(outage.size.mailboxes))
    );
    let head = [
        "hour",
        "mails planned",
        "mails sent",
        "ratio",
        "ratio of the worst quarter of an hour",
        "of the worst minute",
    ];
    let lost = plain.lateness.len().abs_diff(outage.day.lateness.len());
    let lost = format!(
        "The day without the outage has {} mails, the other one {} of them more or less.",
        figure(mails(plain)),
        figure(f64::from(u32::try_from(lost).unwrap()))
    );
    format!(
        "{}\n{}\n{}",
        wrapped(&text),
        table(head, rows),
        wrapped(&lost)
    )
}

/// Mails accepted from `from` until `until`.
fn rate(day: &Day, from: i64, until: i64) -> f64 {
    let mails: u32 = day
        .accepted
        .range(from..until)
        .map(|(_, mails)| mails)
        .sum();
    f64::from(mails)
}

fn seconds(of: i64) -> f64 {
    f64::from(i32::try_from(of).unwrap())
}
