//! Planning a day: close and judge the days before, plan, fill the due index.
//!
//! **Why it may be cut off anywhere.** The due entries are written first, then the plan, by a write that only the first planner wins: it is
//! the mark that the entries are there. A planner that dies before it leaves entries of a plan that does not exist; the claim looks
//! for its slot in the plan and drops them. One that dies after it leaves an account that does not know of its plan; the next run
//! finds the plan and only catches the account up. The same input gives the same plan and ids, so two planners do the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use agentwarm_core::account::{Account, AccountStatus, Warmup};
use agentwarm_core::audit::{Actor, Event, EventType};
use agentwarm_core::ids::{AccountId, PoolId};
use agentwarm_core::mail::slot::SlotKind;
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::PoolConfig;
use agentwarm_core::time::{Zone, shifted};
use agentwarm_core::warmup::calendar;
use agentwarm_core::warmup::day::DayPlan;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use agentwarm_core::warmup::partners::{Candidate, MAX_CANDIDATES, enough, in_turn};
use agentwarm_core::warmup::planner::{PlanInput, PlanOutcome, account_seed, day_seed, plan_day};
use agentwarm_core::warmup::volume::{PastDay, plan_allowance};

use super::closing::Closing;
use super::config::Configs;
use super::judging::Judging;
use super::test_mode::TestModeRule;
use super::{EngineError, deployment_seed, file};
use crate::error::AppError;
use crate::ports::accounts::{AccountFilter, AccountReads, AccountUpdates};
use crate::ports::clock::Clock;
use crate::ports::days::{
    AccountRef, DayRow, KEPT_DAYS, Plans, PoolLedger, Suppressions, receiving,
};
use crate::ports::due::{DueIndex, Roster, RosterEntry};
use crate::ports::keys::UserPlans;
use crate::ports::pools::PoolReads;
use crate::ports::{Created, PageRequest, PageStart, Replaced};
use crate::warmup::{PlanToday, PlannedToday};

/// How many days of its past a plan looks at: the spike cap wants the last three sending days, however long ago. If none of these days is
/// one, it looks at all that are kept.
const HISTORY_DAYS: i32 = 60;

/// After how long an account that is stopped is attended to again.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// How many days back a partner counts as used lately: 72 h, in whole days (decision 27).
const PARTNER_MEMORY_DAYS: i32 = 3;

/// The ports of this step.
#[derive(Clone)]
pub struct Planning {
    /// Accounts: the one that plans, its partners, how many send.
    pub accounts: Arc<dyn AccountReads>,
    /// What a plan means for its account.
    pub updates: Arc<dyn AccountUpdates>,
    /// Who is in the account's pools.
    pub pools: Arc<dyn PoolReads>,
    /// Their configurations.
    pub configs: Configs,
    /// The user's plan.
    pub users: Arc<dyn UserPlans>,
    /// How far the user limits their sends.
    pub test_mode: TestModeRule,
    /// Plans and rows.
    pub plans: Arc<dyn Plans>,
    /// What partners will receive.
    pub ledger: Arc<dyn PoolLedger>,
    /// Who gets no mail.
    pub suppressions: Arc<dyn Suppressions>,
    /// Where the mails of the day are filed.
    pub due: Arc<dyn DueIndex>,
    /// When the mailbox is looked into often.
    pub roster: Arc<dyn Roster>,
    /// The days before.
    pub closing: Closing,
    /// What they say.
    pub judging: Judging,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Planning {
    /// Plans the account's next day if its time has come; else files when it will.
    pub async fn plan_next(&self, owner: AccountRef) -> Result<(), EngineError> {
        let Some(account) = self.accounts.get(owner.user, owner.account).await? else {
            return Ok(());
        };
        let now = self.clock.schedule();
        let config = self.configs.of(&account).await?;
        let Some(warmup) = account.warmup.as_ref() else {
            return Ok(());
        };
        if !account.sends() {
            return self.attend_stopped(account, &config, now).await;
        }
        let seed = account_seed(&deployment_seed(), account.id);
        let next =
            calendar::next_planning(&account.zone, &config, warmup.last_planned(), now, &seed);
        if next.at > now {
            return self.file_planning(&account, next.at, now).await;
        }
        self.closing.close_before(&account, next.date, now).await?;
        let account = self
            .judging
            .judge_days(account, &config, next.date, now)
            .await?;
        if !account.sends() {
            // Its last day can still change, and is closed and judged like any other.
            return self.attend_stopped(account, &config, now).await;
        }
        self.plan_date(&account, &config, next.date, now).await?;
        Ok(())
    }

    /// An account that is stopped plans nothing, but its last days are still to be closed: comes again until they are.
    async fn attend_stopped(
        &self,
        account: Account,
        config: &PoolConfig,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let today = account.zone.date_of(now);
        let all_closed = self.closing.close_before(&account, today, now).await?;
        let account = self.judging.judge_days(account, config, today, now).await?;
        let last_planned = account
            .warmup
            .as_ref()
            .and_then(|warmup| warmup.last_planned_date);
        if all_closed && last_planned < Some(today) {
            return Ok(());
        }
        let tomorrow = shifted(now, A_DAY.as_secs());
        self.file_planning(&account, tomorrow, now).await
    }

    /// Plans what is left of today for an account that just began or went on, so that it has a schedule at once (decision 18). Whoever has
    /// moved to another zone since the last day was planned may not have a new one yet: that day goes on.
    pub async fn plan_today(&self, account: &Account) -> Result<DayPlan, EngineError> {
        let now = self.clock.schedule();
        let config = self.configs.of(account).await?;
        let today = account.zone.date_of(now);
        let last = account.warmup.as_ref().and_then(Warmup::last_planned);
        if let Some(last) = last.filter(|last| last.date != today) {
            let seed = account_seed(&deployment_seed(), account.id);
            let next = calendar::next_planning(&account.zone, &config, Some(last), now, &seed);
            let owner = AccountRef::of(account);
            if today < next.date
                && let Some(running) = self.plans.plan(owner, last.date).await?
            {
                self.note_hours(&running).await?;
                self.file_planning(account, next.at, now).await?;
                return Ok(running);
            }
        }
        self.plan_date(account, &config, today, now).await
    }

    /// Has the mailbox looked into often in the hours of this day.
    async fn note_hours(&self, plan: &DayPlan) -> Result<(), EngineError> {
        let entry = RosterEntry {
            user: plan.user,
            account: plan.account,
            busy: plan.window,
        };
        Ok(self.roster.enrol(&entry).await?)
    }

    /// The zone of an account.
    pub(super) async fn zone_of(&self, owner: AccountRef) -> Result<Option<Zone>, EngineError> {
        Ok(self
            .accounts
            .get(owner.user, owner.account)
            .await?
            .map(|account| account.zone))
    }

    async fn file_planning(
        &self,
        account: &Account,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let entry = DueEntry {
            at,
            user: account.user,
            kind: DueKind::Plan {
                account: account.id,
            },
        };
        Ok(file(self.due.as_ref(), &[entry], now).await?)
    }

    async fn plan_date(
        &self,
        account: &Account,
        config: &PoolConfig,
        date: Date,
        now: Timestamp,
    ) -> Result<DayPlan, EngineError> {
        let owner = AccountRef::of(account);
        let outcome = self.decide(account, config, date, now).await?;
        let plan = match self.plans.plan(owner, date).await? {
            Some(existing) => existing,
            None => self.write_plan(owner, &outcome.plan, now).await?,
        };
        self.note_hours(&plan).await?;
        self.file_next(account, &outcome, config, now).await?;
        self.tell_account(account, &outcome, now).await?;
        Ok(plan)
    }

    /// Due entries, ledger, plan; in this order (module documentation).
    async fn write_plan(
        &self,
        owner: AccountRef,
        plan: &DayPlan,
        now: Timestamp,
    ) -> Result<DayPlan, EngineError> {
        let entries: Vec<_> = plan
            .slots
            .iter()
            .map(|slot| DueEntry {
                at: slot.at,
                user: plan.user,
                kind: DueKind::Send {
                    sender: plan.account,
                    slot: slot.id,
                    target: slot.target,
                    slot_kind: SlotKind::Thread,
                },
            })
            .collect();
        file(self.due.as_ref(), &entries, now).await?;
        self.note_in_ledger(plan).await?;
        match self.plans.create(plan).await? {
            Created::Done => Ok(plan.clone()),
            Created::Exists => {
                let existing = self.plans.plan(owner, plan.span.date).await?;
                existing.ok_or(EngineError::Held("the day's plan"))
            }
        }
    }

    async fn note_in_ledger(&self, plan: &DayPlan) -> Result<(), EngineError> {
        let Some(account) = self.accounts.get(plan.user, plan.account).await? else {
            return Ok(());
        };
        let mut planned: BTreeMap<AccountId, u32> = BTreeMap::new();
        for slot in &plan.slots {
            *planned.entry(slot.target).or_default() += 1;
        }
        for membership in &account.pools {
            self.ledger
                .note(
                    plan.user,
                    membership.pool,
                    plan.span.date,
                    plan.account,
                    &planned,
                )
                .await?;
        }
        Ok(())
    }

    async fn file_next(
        &self,
        account: &Account,
        outcome: &PlanOutcome,
        config: &PoolConfig,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let seed = account_seed(&deployment_seed(), account.id);
        let next = calendar::next_planning(
            &account.zone,
            config,
            outcome.warmup.last_planned(),
            now,
            &seed,
        );
        self.file_planning(account, next.at, now).await
    }

    /// Notes the plan on the account: its day, phase and limit.
    async fn tell_account(
        &self,
        account: &Account,
        outcome: &PlanOutcome,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let after = Account {
            warmup: Some(outcome.warmup.clone()),
            current_daily_limit: outcome.full_day_limit,
            updated_at: now,
            version: account.version + 1,
            ..account.clone()
        };
        let mut events = Vec::new();
        if let Some((from, to)) = outcome.phase_change {
            let event = Event::account(
                EventType::AccountWarmupPhaseChanged,
                account.id,
                Actor::System,
                now,
            )
            .with("from", from.as_str())
            .with("to", to.as_str())
            .with("dayNumber", outcome.warmup.day_number);
            events.push(event);
        }
        match self.updates.replace(&after, events).await? {
            Replaced::Done => Ok(()),
            // Its user or a failing mailbox was faster. The caller runs again and finds the plan.
            Replaced::Stale => Err(EngineError::Held("the account")),
        }
    }

    async fn decide(
        &self,
        account: &Account,
        config: &PoolConfig,
        date: Date,
        now: Timestamp,
    ) -> Result<PlanOutcome, EngineError> {
        let owner = AccountRef::of(account);
        let plan = self
            .users
            .plan_of(account.user)
            .await?
            .unwrap_or(Plan::Free);
        let history = self.history(owner, date).await?;
        let allowance = plan_allowance(plan, self.sending_accounts(account, plan).await?);
        let most = config.max_daily_emails.min(allowance);
        let wanted = enough(most, config.max_per_partner_per_day);
        let partners = self.partners(account, wanted, date, now).await?;
        let receiving = receiving(self.ledger.as_ref(), account, date).await?;
        let last_sent = self.last_sent(owner, date).await?;
        let candidates: Vec<_> = partners
            .iter()
            .map(|partner| Candidate {
                account: partner.id,
                domain: partner.email.domain(),
                provider: partner.provider,
                planned_received_today: receiving.get(&partner.id).copied().unwrap_or(0),
                last_sent_to: last_sent.get(&partner.id).copied(),
            })
            .collect();
        let outcome = plan_day(&PlanInput {
            account,
            config,
            date,
            now,
            history: &history,
            candidates: &candidates,
            plan,
            plan_allowance: allowance,
            test_mode: self.test_mode.maximum(account.user).await?,
            seed: &deployment_seed(),
        });
        outcome.map_err(|_| EngineError::Held("the account"))
    }

    /// The days before: those of the last weeks, or if there was no sending in them (or an outage of ours cut all of it short) all that are
    /// kept. An account that rested for long must not go on where it was.
    async fn history(&self, owner: AccountRef, date: Date) -> Result<Vec<PastDay>, EngineError> {
        let yesterday = earlier(date, 1);
        let mut history = Vec::new();
        for days in [HISTORY_DAYS, i32::from(KEPT_DAYS)] {
            let rows = self
                .plans
                .days(owner, earlier(date, days), yesterday)
                .await?;
            history = rows.iter().map(DayRow::past).collect();
            if history.iter().any(PastDay::counts_for_spikes) {
                break;
            }
        }
        Ok(history)
    }

    /// The accounts that may receive: in a shared pool, not stopped, not suppressed. Of a large pool others each day, and no more once
    /// `enough` are found.
    async fn partners(
        &self,
        account: &Account,
        enough: usize,
        date: Date,
        now: Timestamp,
    ) -> Result<Vec<Account>, EngineError> {
        let mut members = BTreeSet::new();
        for pool in pools_of(account) {
            members.extend(self.pools.members(account.user, pool).await?);
        }
        members.remove(&account.id);
        let seed = day_seed(&deployment_seed(), account.id, date);
        let mut partners = Vec::new();
        for ids in in_turn(members, &seed).chunks(MAX_CANDIDATES) {
            partners.extend(self.receivers(account, ids, now).await?);
            if partners.len() >= enough {
                break;
            }
        }
        partners.sort_by_key(|partner| partner.id);
        Ok(partners)
    }

    /// Those of these accounts that take mail.
    async fn receivers(
        &self,
        account: &Account,
        ids: &[AccountId],
        now: Timestamp,
    ) -> Result<Vec<Account>, EngineError> {
        let mut partners = self.accounts.get_many(account.user, ids).await?;
        partners.retain(Account::receives);
        let addresses: Vec<_> = partners
            .iter()
            .map(|partner| partner.email.as_str().to_owned())
            .collect();
        let suppressed: BTreeSet<_> = self
            .suppressions
            .suppressed(account.user, &addresses, now)
            .await?
            .into_iter()
            .collect();
        partners.retain(|partner| !suppressed.contains(partner.email.as_str()));
        Ok(partners)
    }

    /// When the account last planned to write to whom, as far back as that matters.
    async fn last_sent(
        &self,
        owner: AccountRef,
        date: Date,
    ) -> Result<BTreeMap<AccountId, Timestamp>, EngineError> {
        let mut last: BTreeMap<AccountId, Timestamp> = BTreeMap::new();
        for days in 1..=PARTNER_MEMORY_DAYS {
            let Some(plan) = self.plans.plan(owner, earlier(date, days)).await? else {
                continue;
            };
            for slot in &plan.slots {
                let known = last.entry(slot.target).or_insert(slot.at);
                *known = slot.at.max(*known);
            }
        }
        Ok(last)
    }

    /// How many of the user's accounts share a plan that is limited for the user as a whole; not asked where it is not.
    async fn sending_accounts(&self, account: &Account, plan: Plan) -> Result<u32, EngineError> {
        if plan.limits().daily_emails_total.is_none() {
            return Ok(1);
        }
        let filter = AccountFilter {
            status: Some(AccountStatus::Warming),
            ..AccountFilter::default()
        };
        let page = PageRequest {
            limit: 1,
            from: PageStart::Offset(0),
        };
        Ok(self
            .accounts
            .list(account.user, &filter, &page)
            .await?
            .total)
    }
}

fn pools_of(account: &Account) -> impl Iterator<Item = PoolId> + '_ {
    account.pools.iter().map(|membership| membership.pool)
}

fn earlier(date: Date, days: i32) -> Date {
    date.saturating_sub(days.days())
}

#[async_trait]
impl PlanToday for Planning {
    async fn plan_rest_of_today(&self, account: &Account) -> Result<PlannedToday, AppError> {
        let plan = self.plan_today(account).await?;
        Ok(PlannedToday {
            date: plan.span.date,
            limit: plan.limit,
        })
    }
}
