//! What the servers saw: each mail once, at a permitted time, to somebody who may get it, in its thread.

use agentwarm_core::account::AccountStatus;
use agentwarm_core::ids::AccountId;
use agentwarm_core::mail::message_id;
use agentwarm_core::mail::slot::{Slot, SlotKind};
use agentwarm_core::warmup::day::DayPlan;
use agentwarm_testkit::memory::mail::HandedOver;
use agentwarm_testkit::world::EngineWorld;
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};

use super::{Left, Watch};

/// Whether a mail may leave at `at`, read off the clock of the day's zone (decision 21).
fn is_within_hours(plan: &DayPlan, slot: &Slot, at: Timestamp) -> bool {
    let (date, hour) = (plan.zone.date_of(at), plan.zone.hour_of(at));
    let config = &plan.config;
    let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    date == slot.date
        && (config.working_hours_start..config.working_hours_end).contains(&hour)
        && (!weekend || config.send_on_weekends)
}

impl Watch {
    pub(super) fn mails(&mut self, world: &EngineWorld, wrong: &mut Vec<String>) {
        let new = world.post.handed_over(self.mails_seen);
        self.mails_seen += new.len();
        for over in new {
            self.mail(world, over, wrong);
        }
    }

    fn mail(&mut self, world: &EngineWorld, over: HandedOver, wrong: &mut Vec<String>) {
        let id = over.mail.message_id.clone();
        if self.left.contains_key(&id) {
            wrong.push(format!("mail {id} was sent twice"));
            return;
        }
        let copies = world.post.copies(&id);
        if copies > 1 + usize::from(world.post.was_doubled(&id)) {
            wrong.push(format!("mail {id} exists {copies} times"));
        }
        if over.refused_before {
            wrong.push(format!("mail {id} was sent though it was refused for good"));
        }
        let (Some(sender), Some(recipient)) = (
            self.account_of(over.mail.from.1.as_str()),
            self.account_of(over.mail.to.1.as_str()),
        ) else {
            wrong.push(format!("mail {id} is between strangers"));
            return;
        };
        let look = world.store.look();
        let slot = message_id::slot_of(&id).and_then(|slot| look.slot(world.owner(sender), slot));
        let Some(slot) = slot.cloned() else {
            wrong.push(format!("mail {id} has no slot"));
            return;
        };
        drop(look);
        let left = Left {
            at: over.at,
            slot: slot.id,
            sender,
            recipient,
            over,
        };
        self.hours_and_limits(world, &slot, &left, wrong);
        self.parties(world, &slot, &left, wrong);
        self.thread(&slot, &left, wrong);
        self.left.insert(id, left);
    }

    fn account_of(&self, address: &str) -> Option<AccountId> {
        let mut accounts = self.accounts.values();
        accounts
            .find(|account| account.email.as_str() == address)
            .map(|account| account.id)
    }

    /// Decisions 21 and 26, read off the clock of the day's zone.
    fn hours_and_limits(
        &mut self,
        world: &EngineWorld,
        slot: &Slot,
        left: &Left,
        wrong: &mut Vec<String>,
    ) {
        let id = slot.id;
        let look = world.store.look();
        let Some(plan) = look.plan(world.owner(left.sender), slot.date) else {
            wrong.push(format!(
                "slot {id} left on {}, which has no plan",
                slot.date
            ));
            return;
        };
        let by_some_clock = [SignedDuration::ZERO, self.skew, -self.skew];
        if !by_some_clock
            .iter()
            .any(|&skew| is_within_hours(plan, slot, left.at + skew))
        {
            let (date, hour) = (plan.zone.date_of(left.at), plan.zone.hour_of(left.at));
            wrong.push(format!(
                "slot {id} of {} left at {date} {hour}h local",
                slot.date
            ));
        }
        let on_date = self.left_on.entry((left.sender, slot.date)).or_default();
        *on_date += 1;
        if *on_date > plan.limit {
            wrong.push(format!(
                "{} mails of {} on {}, which has {}",
                on_date, left.sender, slot.date, plan.limit
            ));
        }
        if matches!(slot.kind, SlotKind::Reply { .. }) {
            let answers = self.answers_left_on.entry((left.sender, slot.date));
            let answers = answers.or_default();
            *answers += 1;
            if *answers > plan.reply_budget {
                wrong.push(format!(
                    "{answers} answers of {} on {}, which has {}",
                    left.sender, slot.date, plan.reply_budget
                ));
            }
        }
        let before = self.last_left.insert(left.sender, left.at);
        if !self.crowded
            && before.is_some_and(|before| left.at.duration_since(before).as_secs() < 60)
        {
            wrong.push(format!(
                "slot {id} left at {} within a minute of another ({before:?})",
                left.at
            ));
        }
    }

    fn parties(&self, world: &EngineWorld, slot: &Slot, left: &Left, wrong: &mut Vec<String>) {
        let id = slot.id;
        if slot.recipient != left.recipient {
            wrong.push(format!("slot {id} went to somebody else"));
        }
        if left.sender == left.recipient {
            wrong.push(format!("slot {id} went to its sender"));
        }
        let look = world.store.look();
        if self.suppressed.contains(&left.recipient) {
            wrong.push(format!("slot {id} went to a suppressed address"));
        }
        // An account may have stopped after the claim, within this minute.
        let stopped = |account: AccountId| {
            look.account(slot.user, account).is_none_or(|account| {
                let at_least_a_minute = account.updated_at < left.at;
                at_least_a_minute
                    && !matches!(
                        account.status,
                        AccountStatus::Warming | AccountStatus::Active
                    )
            })
        };
        if stopped(left.sender) || stopped(left.recipient) {
            wrong.push(format!("slot {id} left though one of its ends is stopped"));
        }
        let mail = &left.over.mail;
        if mail.date != slot.message_date || mail.message_id != slot.message_id {
            wrong.push(format!("slot {id} is not the mail that left"));
        }
    }

    /// Answers keep the thread (decision 29).
    fn thread(&self, slot: &Slot, left: &Left, wrong: &mut Vec<String>) {
        let id = slot.id;
        let mail = &left.over.mail;
        let SlotKind::Reply { answers } = slot.kind else {
            if mail.in_reply_to.is_some()
                || !mail.references.is_empty()
                || mail.subject.starts_with("Re:")
            {
                wrong.push(format!("slot {id} opens a thread and answers something"));
            }
            return;
        };
        let answered_id = mail.in_reply_to.clone().unwrap_or_default();
        let renamed = self.renamed.get(&answered_id);
        let Some(answered) = self.left.get(renamed.unwrap_or(&answered_id)) else {
            wrong.push(format!("slot {id} answers a mail that never was: {mail:?}"));
            return;
        };
        let mut references = answered.over.mail.references.clone();
        references.push(answered_id);
        let subject = answered.over.mail.subject.trim_start_matches("Re: ");
        if answered.slot != answers
            || answered.sender != left.recipient
            || answered.recipient != left.sender
            || mail.references != references
            || mail.subject != format!("Re: {subject}")
            || !(answered.over.delivered || renamed.is_some())
        {
            wrong.push(format!(
                "slot {id} breaks its thread: {mail:?} {answered:?}"
            ));
        }
    }
}
