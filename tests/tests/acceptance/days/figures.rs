//! The figures: of one piece with each other, and with what IMAP shows.

use std::collections::BTreeSet;
use std::ops::Bound;

use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan as _};
use serde_json::Value;

use super::mails::{answered, sent_by};
use super::{Mailboxes, Week};
use crate::books::{Books, number};
use crate::findings::Findings;
use crate::imap::Message;

/// How long after its date a mail is found at the latest: at its mailbox's next hourly round.
const LATEST_FOUND: SignedDuration = SignedDuration::from_mins(61);

/// The reputation that an account begins with.
const INITIAL_REPUTATION: f64 = 50.0;

/// Every day's rates and reputation are the documented formula over its counts; a day without mails carries the reputation over; the
/// account has that of its last closed day, and the sums of all.
pub(super) fn are_of_one_piece(mailbox: &Books, wrong: &mut Findings) {
    let mut carried = INITIAL_REPUTATION;
    for (on, day) in &mailbox.days {
        if number(&day["sent"]) > 0 {
            carried = reputation(day);
        }
        let [placed, opened, replied, _, _] = rates(day);
        for (field, expected) in [
            ("inboxPlacementRate", placed),
            ("openRate", opened),
            ("replyRate", replied),
            ("reputationScore", carried),
        ] {
            let told = format!("{field} of {} on {on}: {day:#}", mailbox.address);
            wrong.require(
                is_about(&day[field], expected),
                format!("not {expected}: {told}"),
            );
        }
    }
    let account = &mailbox.account;
    wrong.require(
        is_about(&account["reputationScore"], carried),
        format!("not {carried}: {account:#}"),
    );
    wrong.same(
        number(&account["totalSent"]),
        mailbox.sum("sent", ..),
        format!("{account:#}"),
    );
    wrong.same(
        number(&account["totalReceived"]),
        mailbox.sum("received", ..),
        format!("{account:#}"),
    );
}

/// cedar's filter takes a mail for spam by the last hexadecimal digit of its Message-ID: 0, 1 and 2. Each is counted on its sender's day,
/// and what is sent is received.
pub(super) fn count_what_the_servers_did(
    books: &[Books],
    mailboxes: &Mailboxes,
    wrong: &mut Findings,
) {
    for sender in books {
        let to_it = mailboxes[&sender.address].iter();
        let rescued = to_it.filter(|message| lands_in_spam(&sender.address, message));
        wrong.same(sender.sum("rescued", ..), count(rescued), &sender.address);
        let dated: Vec<_> = sent_by(sender, mailboxes)
            .map(|sent| (sender.zone.date_of(sent.1.date()), sent))
            .collect();
        for (on, day) in &sender.days {
            let of_the_day = || {
                let of_the_day = dated.iter().filter(|(sent_on, _)| sent_on == on);
                of_the_day.map(|(_, sent)| *sent)
            };
            let spam = of_the_day().filter(|(to, message)| lands_in_spam(to, message));
            let told = format!("{} on {on}: {day:#}", sender.address);
            wrong.same(number(&day["spammed"]), count(spam), &told);
            wrong.same(number(&day["sent"]), count(of_the_day()), &told);
            wrong.same(number(&day["bounced"]), 0, &told);
        }
    }
    let total = |figure| books.iter().map(|books| books.sum(figure, ..)).sum::<u64>();
    wrong.same(total("received"), total("sent"), "received is sent");
}

fn lands_in_spam(to: &str, message: &Message) -> bool {
    let (left, _) = message.id().split_once('@').unwrap();
    to.ends_with("@cedar.test") && left.ends_with(['0', '1', '2'])
}

/// Received, opened and answered, week by week: a day's figures end with the weekend, what is opened on Monday is not in them any more
/// (decision 24). Nothing is opened or answered on a weekend, so the mailboxes at its beginning show what the figures closed with.
pub(super) fn count_what_the_mailboxes_show(books: &[Books], weeks: &[Week], wrong: &mut Findings) {
    let mut old = BTreeSet::new();
    let mut after = Bound::Unbounded;
    for Week { sunday, mailboxes } in weeks {
        for mailbox in books {
            let range = (after, Bound::Included(*sunday));
            week(mailbox, range, mailboxes, &old, wrong);
        }
        old = mailboxes.values().flatten().map(Message::id).collect();
        after = Bound::Excluded(*sunday);
    }
}

/// The days of `range` count the messages in `mailboxes` that are not `before` them.
fn week(
    mailbox: &Books,
    range: (Bound<Date>, Bound<Date>),
    mailboxes: &Mailboxes,
    before: &BTreeSet<&str>,
    wrong: &mut Findings,
) {
    let answered = answered(mailboxes);
    let messages = || {
        mailboxes[&mailbox.address]
            .iter()
            .filter(|message| !before.contains(message.id()))
    };
    let seen = messages().filter(|message| message.has("\\Seen"));
    let flagged = messages().filter(|message| message.has("\\Flagged"));
    // Answered on the day on which it was found or on the next: a day's figures are closed then. Which day that is, the mailbox does not
    // show to the minute.
    let replied_if_found = |after: SignedDuration| {
        let in_time = messages().filter(|message| {
            let found = mailbox.zone.date_of(message.date() + after);
            let answer = answered.get(message.id());
            answer.is_some_and(|at| mailbox.zone.date_of(*at) <= found.saturating_add(1.day()))
        });
        count(in_time)
    };
    let days: Vec<_> = mailbox.days.range(range).collect();
    let told = format!("{}, {range:?}: {days:#?}", mailbox.address);
    wrong.same(mailbox.sum("received", range), count(messages()), &told);
    wrong.same(mailbox.sum("opened", range), count(seen), &told);
    wrong.same(mailbox.sum("markedImportant", range), count(flagged), &told);
    let replied = replied_if_found(SignedDuration::ZERO)..=replied_if_found(LATEST_FOUND);
    wrong.require(
        replied.contains(&mailbox.sum("replied", range)),
        format!("replied is not in {replied:?}: {told}"),
    );
    for message in messages() {
        let engaged = message.has("\\Flagged") || answered.contains_key(message.id());
        wrong.require(message.has("\\Seen") || !engaged, format!("{message:?}"));
    }
}

/// The documented formula (API reference, Reputation Score), with one decimal.
fn reputation(day: &Value) -> f64 {
    let [placed, opened, replied, bounced, spammed] = rates(day);
    let score =
        50.0 + placed * 20.0 + opened * 15.0 + replied * 15.0 - bounced * 30.0 - spammed * 40.0;
    (score.clamp(0.0, 100.0) * 10.0).round() / 10.0
}

/// Shares of inbox placement, opens, replies, bounces and spam.
fn rates(day: &Value) -> [f64; 5] {
    let figure = |name: &str| f64::from(u32::try_from(number(&day[name])).unwrap());
    let share = |part: f64, whole: f64| {
        if whole == 0.0 {
            0.0
        } else {
            (part / whole).clamp(0.0, 1.0)
        }
    };
    let (sent, received) = (figure("sent"), figure("received"));
    let (bounced, spammed) = (figure("bounced"), figure("spammed"));
    [
        share(sent - bounced - spammed, sent),
        share(figure("opened"), received),
        share(figure("replied"), received),
        share(bounced, sent),
        share(spammed, sent),
    ]
}

fn is_about(shown: &Value, expected: f64) -> bool {
    (shown.as_f64().unwrap() - expected).abs() < 1e-6
}

fn count(items: impl Iterator) -> u64 {
    u64::try_from(items.count()).unwrap()
}
