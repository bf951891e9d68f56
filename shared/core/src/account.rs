//! Accounts: the mailboxes that users connect, and where each stands (decisions 16–18).
//!
//! What may happen to an account is decided in [`crate::warmup::transition`]; this module only says what an account is.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::email::EmailAddress;
use crate::ids::{AccountId, PoolId, UserId};
use crate::names::names;
use crate::rate::{Rate, Score};
use crate::time::Zone;

/// The reputation of an account that never sent (API reference, Warmup Mechanics).
pub const INITIAL_REPUTATION: f64 = 50.0;

/// The daily limit that a new account shows (decision 16).
pub const INITIAL_DAILY_LIMIT: u32 = 2;

/// How we reach a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Gmail's API.
    Gmail,
    /// Microsoft Graph.
    Outlook,
    /// Any server, by IMAP and SMTP.
    ImapSmtp,
}

/// An account's status, as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Never warmed, or graduated.
    Active,
    /// Paused by its user.
    Paused,
    /// Being warmed.
    Warming,
    /// Its mailbox cannot be used; heals by itself (decision 17).
    Error,
    /// Stopped by us because its figures were bad.
    Suspended,
}

/// A phase of warmup (API reference, Warmup Mechanics).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmupPhase {
    /// Volume rises by the ramp.
    RampUp,
    /// Volume stays near the maximum.
    Sustain,
    /// Volume is halved until the figures recover.
    Cooldown,
    /// Done; a trickle goes on.
    Graduated,
}

/// A mailbox that a user connected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its owner.
    pub user: UserId,
    /// Its address, unique in the deployment (decision 15).
    pub email: EmailAddress,
    /// The name that its mails carry.
    pub display_name: String,
    /// How we reach it.
    pub provider: Provider,
    /// Where it stands.
    pub status: AccountStatus,
    /// Why it stands there, in a sentence, where that is not its user's doing.
    pub status_reason: Option<String>,
    /// Since when it has its status; the account's creation where that is not known.
    #[serde(default)]
    pub status_since: Option<Timestamp>,
    /// What a pause, suspension or error interrupted: the status that `resume` returns to.
    pub interrupted: Option<AccountStatus>,
    /// Its time zone.
    pub zone: Zone,
    /// The pools it is in, first joined first: the first gives the configuration, all give partners (decision 16).
    pub pools: Vec<PoolMembership>,
    /// Its warmup, once started.
    pub warmup: Option<Warmup>,
    /// The limit of its current or last planned day.
    pub current_daily_limit: u32,
    /// What its owner said of the person behind it; nothing until they do.
    #[serde(default)]
    pub persona: Option<OwnPersona>,
    /// Where its servers are, where it is reached by IMAP and SMTP. What connects are the sealed credentials; this is what its owner may
    /// see without opening them.
    #[serde(default)]
    pub servers: Option<MailServers>,
    /// Mails sent and accepted on closed days, up to `totals_through`. The days after it are added when the total is shown.
    pub total_sent: u64,
    /// Warmup mails received on closed days, up to `totals_through`.
    pub total_received: u64,
    /// The last date whose figures are in `total_sent` and `total_received`; none before the first day is closed.
    #[serde(default)]
    pub totals_through: Option<Date>,
    /// Share of bounces over the window of decision 22.
    pub bounce_rate: Rate,
    /// Share of spam placements over the window of decision 22.
    pub spam_rate: Rate,
    /// Its reputation.
    pub reputation: Score,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of this item; the condition of the next one.
    pub version: u64,
}

/// The person behind a mailbox as its owner describes them (API reference §3, persona). What is left out is derived; all of it is cleaned
/// where it becomes a [`Persona`](crate::content::Persona).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnPersona {
    /// Such as "Sales Manager".
    pub title: Option<String>,
    /// Such as "Sales".
    pub department: Option<String>,
    /// What they like to write about.
    pub topics: Option<Vec<String>>,
}

/// The servers of a mailbox that is reached by IMAP and SMTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailServers {
    /// IMAP host.
    pub imap_host: String,
    /// IMAP port.
    pub imap_port: u16,
    /// SMTP host.
    pub smtp_host: String,
    /// SMTP port.
    pub smtp_port: u16,
}

/// That an account is in a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolMembership {
    /// The pool.
    pub pool: PoolId,
    /// Since when.
    pub joined_at: Timestamp,
}

/// The state of an account's warmup between two days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warmup {
    /// When it was started (or restarted).
    pub started_at: Timestamp,
    /// Its phase.
    pub phase: WarmupPhase,
    /// How many local days it has been warming, the current one included; frozen while paused (decision 18).
    pub day_number: u32,
    /// The last date that counted as a day.
    pub last_day: Option<Date>,
    /// The start of the last planned day; the next starts at least 20 h later (decision 18).
    pub last_planned_start: Option<Timestamp>,
    /// The date of the last planned day: the next one has a later date, whatever the zone became (decision 18).
    #[serde(default)]
    pub last_planned_date: Option<Date>,
    /// When the last resume took effect; rates look no further back (decision 22).
    pub resumed_at: Option<Timestamp>,
    /// The first date of the last cooldown that ended. Automatic actions look no further back: what caused a cooldown must not cause the
    /// next one.
    #[serde(default)]
    pub recovered_since: Option<Date>,
    /// The last date whose figures were judged.
    pub last_judged: Option<Date>,
    /// Days in sustain with graduating figures, without a break (decision 23).
    pub sustain_streak: u32,
    /// Since when it cools down.
    pub cooldown: Option<Cooldown>,
    /// Whether the moderate reduction of 25 % applies to the next day.
    pub reduced: bool,
}

/// A cooldown in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cooldown {
    /// The first date it applies to: only figures from here on count for its end (decision 23).
    pub since: Date,
}

impl Provider {
    /// Whether this version can send and read mail through it. Accounts of the others can be connected, and wait.
    pub const fn has_transport(self) -> bool {
        match self {
            Self::ImapSmtp => true,
            Self::Gmail | Self::Outlook => false,
        }
    }
}

impl Account {
    /// The phase that clients see: a never warmed account shows `ramp_up` (decision 16).
    pub fn phase(&self) -> WarmupPhase {
        self.warmup
            .as_ref()
            .map_or(WarmupPhase::RampUp, |warmup| warmup.phase)
    }

    /// The latest date that an account has a day of at `now`: of one whose zone changed lately the day that it planned last may be later.
    pub fn latest_date(&self, now: Timestamp) -> Date {
        let planned = self.warmup.as_ref().and_then(|it| it.last_planned_date);
        let today = self.zone.date_of(now);
        planned.map_or(today, |planned| planned.max(today))
    }

    /// Since when it has its status.
    pub fn status_since(&self) -> Timestamp {
        self.status_since.unwrap_or(self.created_at)
    }

    /// The pool whose configuration counts.
    pub fn configuring_pool(&self) -> Option<PoolId> {
        self.pools.first().map(|membership| membership.pool)
    }

    /// Whether its mailbox takes warmup mail: we can look into it, and it is not stopped.
    pub fn receives(&self) -> bool {
        let is_running = match self.status {
            AccountStatus::Warming | AccountStatus::Active => true,
            AccountStatus::Paused | AccountStatus::Error | AccountStatus::Suspended => false,
        };
        is_running && self.provider.has_transport()
    }

    /// Whether this account sends warmup mail at all: it is warming, or graduated and on its trickle (decision 25).
    pub fn sends(&self) -> bool {
        self.sends_as(self.status)
    }

    /// Whether it sends, or will once it heals of its error: what is due meanwhile waits.
    pub fn goes_on(&self) -> bool {
        match (self.status, self.interrupted) {
            (AccountStatus::Error, Some(interrupted)) => self.sends_as(interrupted),
            (status, _) => self.sends_as(status),
        }
    }

    fn sends_as(&self, status: AccountStatus) -> bool {
        match status {
            AccountStatus::Warming => true,
            AccountStatus::Active => self.phase() == WarmupPhase::Graduated,
            AccountStatus::Paused | AccountStatus::Error | AccountStatus::Suspended => false,
        }
    }
}

/// How many accounts there are, and of each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusCounts {
    /// In all.
    pub total: u32,
    /// Warming.
    pub warming: u32,
    /// Active.
    pub active: u32,
    /// Paused.
    pub paused: u32,
    /// In error.
    pub error: u32,
    /// Suspended.
    pub suspended: u32,
}

impl StatusCounts {
    /// Of these.
    pub fn of(accounts: &[Account]) -> Self {
        let mut counts = Self::default();
        for account in accounts {
            counts.total += 1;
            let of_status = match account.status {
                AccountStatus::Warming => &mut counts.warming,
                AccountStatus::Active => &mut counts.active,
                AccountStatus::Paused => &mut counts.paused,
                AccountStatus::Error => &mut counts.error,
                AccountStatus::Suspended => &mut counts.suspended,
            };
            *of_status += 1;
        }
        counts
    }
}

names!(Provider { Gmail = "gmail", Outlook = "outlook", ImapSmtp = "imap_smtp" });
names!(AccountStatus { Active = "active", Paused = "paused", Warming = "warming", Error = "error", Suspended = "suspended" });
names!(WarmupPhase { RampUp = "ramp_up", Sustain = "sustain", Cooldown = "cooldown", Graduated = "graduated" });
