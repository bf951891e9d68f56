//! The engine's steps, built of a world's adapters.
//!
//! What carries out a plan (sending, visiting) reads accounts, credentials, pools and test mode as they were a moment ago: they were looked at
//! when the plan was made, whoever changes them cannot know what is under way, and it is half the price of what is read most often. What
//! plans and judges reads them as they are.

use agentwarm_app::engine::arrivals::Arrivals;
use agentwarm_app::engine::closing::Closing;
use agentwarm_app::engine::compose::Composer;
use agentwarm_app::engine::config::Configs;
use agentwarm_app::engine::fanout::Fanout;
use agentwarm_app::engine::figures::Figures;
use agentwarm_app::engine::health::HealthKeeper;
use agentwarm_app::engine::judging::Judging;
use agentwarm_app::engine::planning::Planning;
use agentwarm_app::engine::reports::Reports;
use agentwarm_app::engine::sending::{Sending, UserTotals};
use agentwarm_app::engine::test_mode::TestModeRule;
use agentwarm_app::engine::tick::{MOST_PLANS, Ticking};
use agentwarm_app::engine::visiting::Visiting;
use agentwarm_core::warmup::test_mode::TestMode;

use super::{World, WorldError};

/// The engine's steps, each with its ports.
impl World {
    /// The configuration of accounts.
    pub fn configs(&self) -> Result<Configs, WorldError> {
        Ok(Configs {
            pools: self.pool_reads()?,
        })
    }

    /// The same for who carries out what was planned.
    fn recent_configs(&self) -> Result<Configs, WorldError> {
        Ok(Configs {
            pools: self.recent_pool_reads()?,
        })
    }

    /// How far users' sends are limited.
    pub fn test_mode_rule(&self) -> Result<TestModeRule, WorldError> {
        let off = TestMode::OFF;
        let settings = self.settings();
        Ok(TestModeRule {
            modes: self.test_modes()?,
            deployment: TestMode {
                enabled: settings.flag("TEST_MODE", off.enabled)?,
                max_daily_emails: settings
                    .number("TEST_MODE_MAX_DAILY_EMAILS", off.max_daily_emails)?,
            },
        })
    }

    /// Sums of days.
    pub fn figures(&self) -> Result<Figures, WorldError> {
        Ok(Figures {
            plans: self.plans()?,
            slots: self.slots()?,
            receipts: self.receipts()?,
            mailboxes: self.mailboxes()?,
        })
    }

    /// What days make of accounts.
    pub fn judging(&self) -> Result<Judging, WorldError> {
        Ok(Judging {
            accounts: self.account_reads()?,
            updates: self.account_updates()?,
            plans: self.plans()?,
        })
    }

    /// Credentials and the health of connections.
    pub fn health_keeper(&self) -> Result<HealthKeeper, WorldError> {
        Ok(HealthKeeper {
            accounts: self.recent_account_reads()?,
            updates: self.account_updates()?,
            mailboxes: self.mailboxes()?,
            vault: self.vault()?,
            clock: self.clock(),
        })
    }

    /// Planning days.
    pub fn planning(&self) -> Result<Planning, WorldError> {
        Ok(Planning {
            accounts: self.account_reads()?,
            updates: self.account_updates()?,
            pools: self.pool_reads()?,
            configs: self.configs()?,
            users: self.user_plans()?,
            test_mode: self.test_mode_rule()?,
            plans: self.plans()?,
            ledger: self.ledger()?,
            suppressions: self.suppressions()?,
            due: self.due_index()?,
            roster: self.roster()?,
            closing: Closing {
                plans: self.plans()?,
                slots: self.slots()?,
                due: self.due_index()?,
                figures: self.figures()?,
                clock: self.clock(),
            },
            judging: self.judging()?,
            clock: self.clock(),
        })
    }

    /// Handing out what is due.
    pub fn ticking(&self) -> Result<Ticking, WorldError> {
        Ok(Ticking {
            due: self.due_index()?,
            roster: self.roster()?,
            sends: self.send_queue()?,
            visits: self.visit_queue()?,
            plans: self.plans()?,
            planning: self.planning()?,
            clock: self.clock(),
            shards: self.shards()?,
            most_plans: MOST_PLANS,
            queue_delays: self.queue_delays()?,
        })
    }

    /// Claim, send, commit.
    pub fn sending(&self) -> Result<Sending, WorldError> {
        Ok(Sending {
            accounts: self.recent_account_reads()?,
            slots: self.slots()?,
            receipts: self.receipts()?,
            plans: self.plans()?,
            suppressions: self.suppressions()?,
            test_mode: TestModeRule {
                modes: self.recent_test_modes()?,
                ..self.test_mode_rule()?
            },
            totals: UserTotals::new(self.send_totals()?),
            due: self.due_index()?,
            health: self.health_keeper()?,
            sender: self.imap_smtp()?,
            configs: self.recent_configs()?,
            composer: Composer {
                vault: self.vault()?,
                token_header: self.token_header()?,
            },
            clock: self.clock(),
            entropy: self.entropy(),
        })
    }

    /// Looking into mailboxes.
    pub fn visiting(&self) -> Result<Visiting, WorldError> {
        Ok(Visiting {
            accounts: self.recent_account_reads()?,
            receipts: self.receipts()?,
            mailboxes: self.mailboxes()?,
            roster: self.roster()?,
            health: self.health_keeper()?,
            reader: self.imap_smtp()?,
            sender: self.imap_smtp()?,
            arrivals: Arrivals {
                slots: self.slots()?,
                receipts: self.receipts()?,
                due: self.due_index()?,
                configs: self.recent_configs()?,
                vault: self.vault()?,
                clock: self.clock(),
            },
            reports: Reports {
                slots: self.slots()?,
                accounts: self.recent_account_reads()?,
                suppressions: self.suppressions()?,
                vault: self.vault()?,
            },
            figures: self.figures()?,
            clock: self.clock(),
            entropy: self.entropy(),
        })
    }

    /// What changed leaves.
    pub fn fanout(&self) -> Result<Fanout, WorldError> {
        Ok(Fanout {
            bus: self.event_bus()?,
            audit: self.audit_log()?,
            users: self.user_plans()?,
            accounts: self.account_reads()?,
            figures: self.figures()?,
            judging: self.judging()?,
            clock: self.clock(),
        })
    }
}
