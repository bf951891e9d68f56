//! What the storage ports promise, as cases that any implementation must pass.
//!
//! One suite, run against the DynamoDB adapters on the emulator and against [`crate::memory`]: the memory store is trusted only for passing
//! it. A case gets a [`Store`] of its own, empty, and states one promise; its name is the promise. What a port leaves open is not tested:
//! above all, a conditional write that is repeated literally may be answered like the first time or as a lost condition, because a
//! store cannot tell a retried request from a second one. What must hold either way is that it changes nothing.
//!
//! ```ignore
//! async fn store() -> Store { … }
//! agentwarm_testkit::store_contract!(store);
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "these are tests: they fail by panicking"
)]

pub mod accounts;
pub mod api_keys;
pub mod audit;
pub mod crm;
pub mod days;
pub mod due;
pub mod fixtures;
pub mod hand_sent;
pub mod lists;
pub mod mailboxes;
pub mod mails;
pub mod pools;
pub mod suppressions;
pub mod test_mode;
pub mod totals;

use std::sync::Arc;

use agentwarm_app::ports::accounts::{AccountLife, AccountReads, AccountUpdates};
use agentwarm_app::ports::audit::AuditLog;
use agentwarm_app::ports::crm::{CrmLinkReads, CrmLinkWrites};
use agentwarm_app::ports::days::{Plans, PoolLedger, Receipts, Slots, Suppressions};
use agentwarm_app::ports::due::{DueIndex, Roster, Shards};
use agentwarm_app::ports::hand_sent::HandSent;
use agentwarm_app::ports::keys::{ApiKeys, KeyLookup, UserPlans};
use agentwarm_app::ports::mailboxes::Mailboxes;
use agentwarm_app::ports::pools::{PoolReads, PoolWrites};
use agentwarm_app::ports::suppressions::SuppressionList;
use agentwarm_app::ports::test_mode::{TestModeWrites, TestModes};
use agentwarm_app::ports::totals::SendTotals;

use crate::memory::MemoryStore;

/// The storage ports of one empty store.
#[derive(Clone)]
pub struct Store {
    /// Authentication.
    pub key_lookup: Arc<dyn KeyLookup>,
    /// Users and their keys.
    pub api_keys: Arc<dyn ApiKeys>,
    /// Users' plans.
    pub user_plans: Arc<dyn UserPlans>,
    /// Accounts.
    pub accounts: Arc<dyn AccountReads>,
    /// Changes of accounts.
    pub account_updates: Arc<dyn AccountUpdates>,
    /// Creation and deletion of accounts.
    pub account_life: Arc<dyn AccountLife>,
    /// CRM links.
    pub crm_links: Arc<dyn CrmLinkReads>,
    /// Changes of CRM links.
    pub crm_link_writes: Arc<dyn CrmLinkWrites>,
    /// Pools.
    pub pools: Arc<dyn PoolReads>,
    /// Changes of pools.
    pub pool_writes: Arc<dyn PoolWrites>,
    /// Plans and days.
    pub plans: Arc<dyn Plans>,
    /// The pools' ledger.
    pub ledger: Arc<dyn PoolLedger>,
    /// Slots.
    pub slots: Arc<dyn Slots>,
    /// Receipts.
    pub receipts: Arc<dyn Receipts>,
    /// Suppressed addresses.
    pub suppressions: Arc<dyn Suppressions>,
    /// The list of them.
    pub suppression_list: Arc<dyn SuppressionList>,
    /// Test mode.
    pub test_modes: Arc<dyn TestModes>,
    /// Changes of it.
    pub test_mode_writes: Arc<dyn TestModeWrites>,
    /// Users' totals.
    pub totals: Arc<dyn SendTotals>,
    /// Mails that people sent.
    pub hand_sent: Arc<dyn HandSent>,
    /// The due index.
    pub due: Arc<dyn DueIndex>,
    /// How many shards it has.
    pub shards: Shards,
    /// The roster.
    pub roster: Arc<dyn Roster>,
    /// Mailboxes.
    pub mailboxes: Arc<dyn Mailboxes>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
}

impl Store {
    /// The ports of a store in memory, which has so many shards.
    pub fn in_memory(memory: &Arc<MemoryStore>, shards: Shards) -> Self {
        Self {
            key_lookup: memory.clone(),
            api_keys: memory.clone(),
            user_plans: memory.clone(),
            accounts: memory.clone(),
            account_updates: memory.clone(),
            account_life: memory.clone(),
            crm_links: memory.clone(),
            crm_link_writes: memory.clone(),
            pools: memory.clone(),
            pool_writes: memory.clone(),
            plans: memory.clone(),
            ledger: memory.clone(),
            slots: memory.clone(),
            receipts: memory.clone(),
            suppressions: memory.clone(),
            suppression_list: memory.clone(),
            test_modes: memory.clone(),
            test_mode_writes: memory.clone(),
            totals: memory.clone(),
            hand_sent: memory.clone(),
            due: memory.clone(),
            shards,
            roster: memory.clone(),
            mailboxes: memory.clone(),
            audit: memory.clone(),
        }
    }
}

/// Makes a `#[tokio::test]` of every case; `$store` is an `async fn() -> Store`.
#[macro_export]
macro_rules! store_contract {
    ($store:ident) => {
        $crate::store_contract_cases! { store_contract_tests, $store }
    };
}

/// Runs every case, one after the other, each on a store of its own.
pub async fn run_all(store: impl AsyncFn() -> Store) {
    macro_rules! run {
        ($store:ident; $($group:ident: [$($case:ident),* $(,)?]),* $(,)?) => {
            $($(
                let fresh = Box::pin($store()).await;
                Box::pin($group::$case(&fresh)).await;
            )*)*
        };
    }
    crate::store_contract_cases! { run, store }
}

/// Every case, handed to the macro `$then` with `$argument`.
#[doc(hidden)]
#[macro_export]
macro_rules! store_contract_cases {
    (run, $argument:ident) => {
        $crate::store_contract_cases! { @list [run!] $argument }
    };
    ($then:ident, $argument:ident) => {
        $crate::store_contract_cases! { @list [$crate::$then!] $argument }
    };
    (@list [$($then:tt)*] $argument:ident) => {
        $($then)* { $argument;
            api_keys: [
                a_user_is_created_once,
                a_key_is_found_by_its_hash,
                keys_are_listed_newest_first,
                the_use_of_a_key_is_noted,
                a_revoked_key_stops_working,
                a_rotated_key_gives_its_place_to_the_new_one,
                usage_follows_what_is_created_and_deleted,
                parallel_keys_do_not_pass_the_limit,
            ],
            accounts: [
                an_account_is_read_as_it_was_written,
                what_is_not_there_is_not_read,
                an_address_is_registered_once_whoever_owns_it,
                an_address_is_registered_once_however_many_try,
                without_its_pool_nothing_of_an_account_is_written,
                parallel_accounts_do_not_pass_the_limit,
                a_change_needs_the_version_before_it,
                of_parallel_changes_one_wins,
                new_credentials_come_with_the_change_or_not_at_all,
                a_deleted_account_leaves_nothing_behind,
                only_the_newest_version_can_be_deleted,
                many_accounts_are_read_at_once,
            ],
            lists: [
                accounts_are_listed_newest_first,
                pages_follow_each_other_without_gap_or_overlap,
                a_page_that_ends_at_the_end_has_no_next,
                offsets_skip,
                filters_narrow_a_list_and_its_total,
                filtered_pages_are_full,
                a_cursor_is_stable_under_writes,
                a_foreign_cursor_shows_nothing_of_others,
            ],
            pools: [
                a_pool_is_created_once,
                pools_are_listed_newest_first,
                a_pool_changes_by_version_and_keeps_its_count,
                joining_and_leaving_move_account_member_and_count_together,
                a_stale_account_joins_and_leaves_nothing,
                a_pool_that_is_gone_is_not_joined,
                parallel_joins_are_all_counted,
                members_are_in_order,
            ],
            crm: [
                links_are_listed_newest_first,
                accounts_are_found_by_person_and_by_account,
                a_removed_link_is_not_found,
                a_stale_account_is_neither_linked_nor_unlinked,
                an_account_that_is_gone_is_not_linked,
                of_parallel_links_one_is_made,
                a_deleted_account_leaves_no_links_behind,
                an_account_that_was_linked_since_is_not_deleted,
            ],
            days: [
                a_day_is_planned_once,
                planning_again_never_separates_a_plan_from_its_row,
                days_are_read_by_range,
                a_day_of_many_accounts_is_read_at_once,
                a_day_changes_by_version_and_keeps_the_replies_taken,
                replies_are_taken_up_to_the_budget,
                a_slot_takes_one_reply_however_often_it_asks,
                parallel_replies_do_not_pass_the_budget,
                no_reply_is_taken_from_a_day_that_is_not_planned,
                the_ledger_tells_who_noted_what,
                noting_again_replaces,
            ],
            mails: [
                a_slot_is_claimed_once,
                of_parallel_claims_one_wins,
                a_slot_changes_by_version,
                every_state_of_a_slot_is_read_as_it_was_written,
                slots_are_read_by_range,
                a_receipt_is_booked_once,
                a_receipt_changes_by_version,
                receipts_are_read_by_range,
                what_was_found_is_known,
            ],
            suppressions: [
                an_address_is_suppressed_until_its_time,
                addresses_are_compared_whatever_their_case,
                suppressing_again_changes_the_time,
                many_addresses_are_looked_up_at_once,
                the_list_shows_what_was_said_last_newest_first,
                an_address_keeps_its_entry_however_often_it_is_suppressed,
                an_entry_is_not_shortened_by_what_the_engine_says,
                of_parallel_suppressions_of_an_address_one_entry_comes,
                what_is_taken_off_the_list_gets_mail_again,
                each_filter_narrows_the_list_and_its_total,
                the_list_is_paged,
                the_list_is_its_users_own,
            ],
            test_mode: [
                what_a_user_said_last_counts,
            ],
            totals: [
                mails_are_let_go_up_to_the_most_that_may,
                parallel_mails_do_not_pass_the_most_that_may,
            ],
            hand_sent: [
                parallel_mails_do_not_pass_the_maximum,
            ],
            due: [
                every_kind_is_read_as_it_was_put,
                a_range_excludes_its_beginning_and_includes_its_end,
                entries_are_found_across_hours_in_order,
                putting_again_changes_nothing,
                many_entries_are_put_at_once,
                threads_of_one_mailbox_are_found_each_at_its_own_instant,
                the_furthest_watermark_of_the_entries_shards_is_told,
                a_watermark_only_moves_forward,
                shards_have_their_own_watermarks,
                a_busy_mailbox_is_visited_twice_an_hour,
                others_are_visited_once_an_hour,
                the_roster_forgets,
            ],
            mailboxes: [
                an_unknown_mailbox_has_a_fresh_state,
                a_mailbox_has_one_holder,
                of_parallel_visits_one_wins,
                a_lease_ends,
                a_holder_may_take_its_lease_again,
                giving_back_writes_the_state,
                without_a_lease_the_state_is_noted_if_nobody_was_there,
                a_lost_lease_writes_nothing,
                health_is_noted_without_a_lease,
                a_forgotten_mailbox_is_fresh,
            ],
            audit: [
                entries_are_listed_newest_first_as_they_were_written,
                an_entry_that_is_there_stays,
                each_filter_narrows_the_log,
                a_time_includes_its_beginning_and_excludes_its_end,
                the_log_is_paged,
                the_log_is_its_users_own,
            ],
        }
    };
}

/// See [`store_contract!`].
#[doc(hidden)]
#[macro_export]
macro_rules! store_contract_tests {
    ($store:ident; $($group:ident: [$($case:ident),* $(,)?]),* $(,)?) => {$(
        mod $group {
            $(
                #[tokio::test]
                async fn $case() {
                    let store = super::$store().await;
                    $crate::store_contract::$group::$case(&store).await;
                }
            )*
        }
    )*};
}
