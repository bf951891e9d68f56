//! Tells what happened in a world to somebody who reads: when, who, what, why.

use std::fmt::Write as _;

use agentwarm_app::ports::days::DayRow;
use agentwarm_core::audit::{Event, EventType};
use agentwarm_core::ids::AccountId;
use agentwarm_core::mail::receipt::{Placement, Receipt};
use agentwarm_core::mail::slot::{Slot, SlotKind, SlotState};
use agentwarm_core::rate::Score;
use agentwarm_core::time::Zone;
use agentwarm_core::warmup::day::DayPlan;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::harness::Sim;

/// A story in the making.
pub(crate) struct Narrator<'s> {
    sim: &'s Sim,
    zone: TimeZone,
    text: String,
}

impl<'s> Narrator<'s> {
    /// Tells of `sim` by the clocks of `zone`.
    pub(crate) fn of(sim: &'s Sim, zone: &str) -> Self {
        Self {
            sim,
            zone: TimeZone::get(zone).unwrap(),
            text: String::new(),
        }
    }

    /// The story so far.
    pub(crate) fn end(self) -> String {
        self.text
    }

    /// One line more.
    pub(crate) fn say(&mut self, line: impl AsRef<str>) {
        writeln!(self.text, "{}", line.as_ref().trim_end()).unwrap();
    }

    /// A time of day.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        let at = at.to_zoned_datetime(self.zone.clone());
        at.strftime("%H:%M").to_string()
    }

    /// A time of day, and which day if it is not that of `here`.
    fn time_from(&self, here: Timestamp, at: Timestamp) -> String {
        let [here, at] = [here, at].map(|at| at.to_zoned_datetime(self.zone.clone()));
        let format = if here.date() == at.date() {
            "%H:%M"
        } else {
            "%a %H:%M"
        };
        at.strftime(format).to_string()
    }

    /// A time of day with how far it is from UTC.
    pub(crate) fn time_and_offset(&self, at: Timestamp) -> String {
        let at = at.to_zoned_datetime(self.zone.clone());
        at.strftime("%H:%M%:z").to_string()
    }

    /// To the second.
    pub(crate) fn second(&self, at: Timestamp) -> String {
        let at = at.to_zoned_datetime(self.zone.clone());
        at.strftime("%H:%M:%S").to_string()
    }

    /// Day and time.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        let at = at.to_zoned_datetime(self.zone.clone());
        at.strftime("%a %d %b %H:%M").to_string()
    }

    /// Who.
    pub(crate) fn name(&self, account: AccountId) -> String {
        let account = self.sim.watch.accounts.get(&account).unwrap();
        let (name, _) = account.email.as_str().split_once('@').unwrap();
        name.to_owned()
    }

    /// The plans and rows of the `n`-th mailbox, by date.
    pub(crate) fn days(&self, n: usize) -> Vec<(DayPlan, DayRow)> {
        let look = self.sim.world.store.look();
        let owner = self.sim.world.owner(self.sim.accounts[n]);
        let rows = look.days().filter(|(of, _)| *of == owner);
        let days = rows.map(|(_, row)| (look.plan(owner, row.date).unwrap().clone(), row.clone()));
        days.collect()
    }

    /// What became of an own day.
    pub(crate) fn figures(row: &DayRow) -> String {
        let it = &row.figures;
        let mut parts = vec![format!("sent {}", it.sent)];
        let more = [
            (it.spammed, "of them into spam"),
            (it.bounced, "bounced"),
            (it.rejected, "rejected"),
            (it.skipped, "skipped"),
            (it.unknown, "unknown"),
            (it.missing, "missing"),
        ];
        let more = more.iter().filter(|(count, _)| *count > 0);
        parts.extend(more.map(|(count, what)| format!("{count} {what}")));
        parts.push(format!("received {}", it.received));
        if let Some(reputation) = row.reputation.map(Score::get) {
            parts.push(format!("reputation {reputation:.1}"));
        }
        parts.join(", ")
    }

    /// Why a day has the volume that it has.
    pub(crate) fn reasons(plan: &DayPlan) -> String {
        let reasons = plan.reasons.iter();
        let reasons: Vec<_> = reasons
            .map(|reason| format!("{} ({})", reason.volume, reason.because))
            .collect();
        reasons.join(", ")
    }

    /// The events about the `n`-th mailbox itself on a date, in order.
    pub(crate) fn events(&self, n: usize, date: Date, types: &[EventType]) -> Vec<&'s Event> {
        let id = self.sim.accounts[n].to_string();
        let zone = Zone::utc();
        let published = self.sim.world.published().iter().map(|(_, _, event)| event);
        let mut events: Vec<_> = published
            .filter(|event| event.entity_id == id && types.contains(&event.event_type))
            .filter(|event| zone.date_of(event.at) == date)
            .collect();
        events.dedup();
        events.sort_by_key(|event| event.at);
        events
    }

    /// What it says of itself, as far as it says one of these things.
    pub(crate) fn metadata(event: &Event, things: &[&str]) -> String {
        let parts = things.iter().filter_map(|name| {
            let value = event.metadata.get(*name)?;
            Some(match (value.as_str(), value.as_f64()) {
                (Some(text), _) => format!("{name} {text}"),
                (None, Some(number)) if !value.is_u64() => format!("{name} {number:.3}"),
                _ => format!("{name} {value}"),
            })
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    /// The receipt of a mail.
    pub(crate) fn receipt(&self, slot: &Slot) -> Option<Receipt> {
        let look = self.sim.world.store.look();
        let receiver = self.sim.world.owner(slot.recipient);
        look.receipt(receiver, slot.id).cloned()
    }

    /// A thread, mail by mail, each with what its receiver does with it.
    pub(crate) fn thread(&mut self, opening: &Slot) {
        let mut slot = opening.clone();
        for turn in 0.. {
            self.mail(&slot, turn);
            let reply = self.receipt(&slot).and_then(|it| it.engagement.reply);
            let slots = self.sim.all_slots();
            let answer = reply.and_then(|reply| slots.into_iter().find(|it| it.id == reply.slot));
            let Some(answer) = answer else {
                break;
            };
            assert!(matches!(answer.kind, SlotKind::Reply { answers } if answers == slot.id));
            slot = answer;
        }
    }

    fn mail(&mut self, slot: &Slot, turn: usize) {
        let (sender, recipient) = (self.name(slot.sender), self.name(slot.recipient));
        let verb = if turn == 0 { "writes to" } else { "answers" };
        let when = self.moment(slot.state.accepted_at().unwrap_or(slot.scheduled_at));
        let indent = "  ".repeat(turn);
        let line = match self.sim.watch.left.get(&slot.message_id) {
            Some(left) => format!(
                "{when}  {indent}{sender} {verb} {recipient}: {:?}",
                left.over.mail.subject
            ),
            None => format!("{when}  {indent}{sender} does not write: {}", fate(slot)),
        };
        self.say(line);
        if let Some(receipt) = self.receipt(slot) {
            let deeds = self.deeds(&receipt);
            self.say(format!("                  {indent}{recipient} {deeds}"));
        }
    }

    fn deeds(&self, receipt: &Receipt) -> String {
        let due = &receipt.engagement;
        let place = match receipt.placement {
            Placement::Inbox => "the inbox",
            Placement::Spam => "spam, moves it to the inbox",
        };
        let mut deeds = vec![format!(
            "finds it in {place} {}",
            self.time(receipt.found_at)
        )];
        let planned = [
            (due.open_at, "opens it"),
            (due.important_at, "marks it important"),
            (due.reply.map(|reply| reply.at), "means to answer"),
            (Some(due.file_at), "files it"),
        ];
        let planned = planned
            .iter()
            .filter_map(|(at, what)| Some((at.as_ref()?, what)));
        let found_at = receipt.found_at;
        deeds.extend(planned.map(|(at, what)| format!("{what} {}", self.time_from(found_at, *at))));
        deeds.join(", ")
    }
}

/// What became of a mail that nobody got.
pub(crate) fn fate(slot: &Slot) -> String {
    match &slot.state {
        SlotState::Skipped { reason, .. } => format!("{reason:?}"),
        state => format!("{state:?}"),
    }
}
