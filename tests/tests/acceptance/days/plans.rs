//! Each day's plan: its volume follows from the documented rules (decisions 18–22), and it was carried out or explained.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use agentwarm_core::time::Zone;
use jiff::civil::{Date, Weekday};
use serde_json::Value;

use crate::books::{Books, date, instant, number, text};
use crate::findings::Findings;

/// The defaults of a pool (API reference §5).
const WORKING_HOURS: Range<i8> = 8..18;
const MIN_DAILY_EMAILS: u64 = 2;
pub(crate) const MAX_DAILY_EMAILS: u64 = 40;
const VOLUME_INCREASE_PERCENT: u64 = 150;

/// The days on which the phases begin (API reference, Phases), where no cooldown puts graduation off.
pub(crate) const SUSTAINED_FROM: u64 = 46;
pub(crate) const GRADUATED_FROM: u64 = 60;

/// By how many percent a sustained day may fall short of the most; more than the most it may not have (decision 20).
const SUSTAIN_VARIANCE_PERCENT: u64 = 15;

/// A graduated account's day (decision 25).
pub(crate) const TRICKLE_DAILY_EMAILS: u64 = 2;

/// What a day is to be planned with, before the days before it cap it.
struct Documented {
    phase: &'static str,
    /// The first rule, and what it gives.
    base: (&'static str, u64),
    limits: RangeInclusive<u64>,
}

impl Documented {
    /// What day `day_number` is.
    fn of(day_number: u64, cools_down: bool) -> Self {
        let ramp = MAX_DAILY_EMAILS.min(MIN_DAILY_EMAILS + day_number - 1);
        let least_sustained = ramp * (100 - SUSTAIN_VARIANCE_PERCENT) / 100;
        let half = (ramp / 2).max(1);
        match day_number {
            GRADUATED_FROM.. => Self {
                phase: "graduated",
                base: ("phase", TRICKLE_DAILY_EMAILS),
                limits: TRICKLE_DAILY_EMAILS..=TRICKLE_DAILY_EMAILS,
            },
            _ if cools_down => Self::ramp("cooldown", ramp, half..=half),
            SUSTAINED_FROM.. => Self::ramp("sustain", ramp, least_sustained..=ramp),
            _ => Self::ramp("ramp_up", ramp, ramp..=ramp),
        }
    }

    fn ramp(phase: &'static str, ramp: u64, limits: RangeInclusive<u64>) -> Self {
        Self {
            phase,
            base: ("ramp", ramp),
            limits,
        }
    }

    /// The limits under a spike cap.
    fn capped(&self, cap: u64) -> RangeInclusive<u64> {
        *self.limits.start().min(&cap)..=*self.limits.end().min(&cap)
    }
}

/// Ramp, phase and limit of every day.
pub(super) fn are_as_documented(mailbox: &Books, wrong: &mut Findings) {
    let phases = Phases::of(mailbox);
    for (schedule, day_number) in mailbox.schedules.values().zip(1..) {
        let told = format!("{}: {schedule:#}", mailbox.address);
        let on = date(&schedule["date"]);
        let documented = Documented::of(day_number, phases.cools_down(on));
        let reasons = schedule["reasons"].as_array().unwrap();
        let planned = number(&schedule["plannedSendCount"]);
        let base = (text(&reasons[0]["rule"]), number(&reasons[0]["volume"]));
        // Who is graduated counts no more days: it does not warm (decision 18).
        let counted = day_number.min(GRADUATED_FROM - 1);
        wrong.same(number(&schedule["dayNumber"]), counted, &told);
        wrong.same(text(&schedule["phase"]), documented.phase, &told);
        wrong.same(base, documented.base, &told);
        wrong.same(number(&reasons.last().unwrap()["volume"]), planned, &told);
        wrong.same(number(&mailbox.days[&on]["limit"]), planned, &told);

        let limits = documented.capped(spike_cap(mailbox, on));
        if is_weekend(on) {
            wrong.same(planned, 0, &told);
        } else if day_number == 1 {
            // Begun in the middle of the day: its share of it (decision 18).
            wrong.require(planned <= *limits.end(), &told);
        } else {
            wrong.require(
                limits.contains(&planned),
                format!("{planned} is not in {limits:?}: {told}"),
            );
        }
    }
}

/// Every planned mail left within its hours, or says why not; never more than planned, never two in one minute.
pub(super) fn are_carried_out(mailbox: &Books, wrong: &mut Findings) {
    for (on, schedule) in &mailbox.schedules {
        let told = format!("{}: {schedule:#}", mailbox.address);
        let planned = number(&schedule["plannedSendCount"]);
        let for_replies = number(&schedule["replyBudget"]);
        let slots = schedule["sendSlots"].as_array().unwrap();
        let threads = slots.iter().filter(|slot| slot["kind"] == "thread");
        let sent = slots.iter().filter(|slot| slot["executed"] == true);
        let answers = sent.clone().filter(|slot| slot["kind"] == "reply");
        // floor(limit × r / (1 + r)) for r = 0.7 (decision 21).
        wrong.same(for_replies, planned * 7 / 17, &told);
        wrong.same(count(threads), planned - for_replies, &told);
        wrong.same(
            count(sent.clone()),
            number(&schedule["actualSendCount"]),
            &told,
        );
        wrong.require(count(sent.clone()) <= planned, &told);
        wrong.require(count(answers) <= for_replies, &told);
        for slot in slots {
            wrong.require(is_explained(slot), format!("{slot} of {told}"));
        }
        let mut minutes = BTreeSet::new();
        for at in sent.map(|slot| instant(&slot["executedAt"])) {
            wrong.require(
                is_working_time(&mailbox.zone, at, *on),
                format!("{at} of {told}"),
            );
            wrong.require(
                minutes.insert(at.as_second() / 60),
                format!("two at {at} of {told}"),
            );
        }
    }
}

/// Nothing goes wrong in these stories: openings leave, and an answer that finds no room moves to another day and says so.
fn is_explained(slot: &Value) -> bool {
    match text(&slot["state"]) {
        "accepted" => slot["executed"] == true,
        "skipped" => slot["kind"] == "reply" && slot["skippedReason"].is_string(),
        _ => false,
    }
}

fn is_working_time(zone: &Zone, at: jiff::Timestamp, on: Date) -> bool {
    zone.date_of(at) == on && !is_weekend(on) && WORKING_HOURS.contains(&zone.hour_of(at))
}

fn is_weekend(on: Date) -> bool {
    matches!(on.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// One and a half times the most that was accepted on one of the last three sending days, but one more at least (decision 20).
fn spike_cap(mailbox: &Books, on: Date) -> u64 {
    let before = mailbox.days.range(..on).rev();
    let accepted = before
        .map(|(_, day)| number(&day["sent"]))
        .filter(|sent| *sent > 0)
        .take(3)
        .max();
    accepted.map_or(u64::MAX, |most| {
        (most + 1).max(most * VOLUME_INCREASE_PERCENT / 100)
    })
}

fn count(slots: impl Iterator) -> u64 {
    u64::try_from(slots.count()).unwrap()
}

/// When a mailbox cools down, as decisions 22 and 23 have it: nothing bounces here, but cedar's filter takes mails for spam.
struct Phases {
    cooldowns: Vec<Date>,
}

/// Sent, and of these landed in spam.
#[derive(Clone, Copy, Default)]
struct Spam {
    days: u64,
    sent: u64,
    spammed: u64,
}

impl Phases {
    fn of(mailbox: &Books) -> Self {
        let mut cooldowns = Vec::new();
        // The first day of the cooldown that lasts, and of the last one that ended.
        let (mut cooling_since, mut recovered_since) = (None, None);
        for on in mailbox.schedules.keys().copied() {
            if let Some(since) = cooling_since {
                let own = Spam::over(mailbox, Some(since), on, usize::MAX);
                if own.days >= 3 && own.sent >= 10 && own.spammed * 100 <= own.sent * 2 {
                    (cooling_since, recovered_since) = (None, Some(since));
                }
            } else if Spam::over(mailbox, recovered_since, on, 7).demands_cooldown() {
                cooling_since = Some(on);
            }
            if cooling_since.is_some() {
                cooldowns.push(on);
            }
        }
        Self { cooldowns }
    }

    fn cools_down(&self, on: Date) -> bool {
        self.cooldowns.contains(&on)
    }
}

impl Spam {
    /// Over the last `window` sending days before `until`, but not before `since`.
    fn over(mailbox: &Books, since: Option<Date>, until: Date, window: usize) -> Self {
        let days = mailbox.days.range(..until).rev();
        days.filter(|(on, _)| since.is_none_or(|since| since <= **on))
            .map(|(_, day)| (number(&day["sent"]), number(&day["spammed"])))
            .filter(|(sent, _)| *sent > 0)
            .take(window)
            .fold(Self::default(), |sum, (sent, spammed)| Self {
                days: sum.days + 1,
                sent: sum.sent + sent,
                spammed: sum.spammed + spammed,
            })
    }

    fn demands_cooldown(self) -> bool {
        let enough = self.spammed >= 3 || self.spammed >= 2 && self.sent >= 20;
        enough && self.spammed * 100 > self.sent * 3
    }
}
