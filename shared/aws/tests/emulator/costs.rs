//! What each access pattern of the data model costs, as DynamoDB counts it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use crate::support::World;
use agentwarm_app::ports::accounts::AccountFilter;
use agentwarm_app::ports::audit::AuditFilter;
use agentwarm_app::ports::due::RosterEntry;
use agentwarm_app::ports::keys::{ApiKey, KeyHash, User};
use agentwarm_app::ports::mailboxes::MailboxState;
use agentwarm_app::ports::{PageRequest, PageStart};
use agentwarm_aws::clients::ClientSettings;
use agentwarm_aws::keys::{self, Key};
use agentwarm_aws::metering::{self, Meter};
use agentwarm_core::audit::{AuditEntry, EventType};
use agentwarm_core::ids::{ApiKeyId, AuditEntryId, SlotId};
use agentwarm_core::mail::slot::{SlotKind, SlotState};
use agentwarm_core::plan::Plan;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use agentwarm_testkit::store_contract::fixtures;
use aws_sdk_dynamodb::types::AttributeValue;
use fixtures::{account, after, changed, event, in_pool, mailbox, now, pool, today, user};
use jiff::SignedDuration;

/// Measures one pattern after the other.
struct Ledger {
    units: Arc<Mutex<(f64, f64)>>,
    table: String,
}

impl Ledger {
    async fn of<T>(&mut self, pattern: &str, work: impl Future<Output = T>) -> T {
        *self.units.lock().unwrap() = (0.0, 0.0);
        let result = work.await;
        let (read, write) = *self.units.lock().unwrap();
        writeln!(self.table, "{pattern:34} {write:>4} W {read:>5} R").unwrap();
        result
    }
}

async fn bytes(world: &World, table: &str, key: Key) -> usize {
    let output = world
        .clients
        .dynamodb()
        .get_item()
        .table_name(format!("{}-{table}", world.prefix))
        .key("pk", AttributeValue::S(key.pk))
        .key("sk", AttributeValue::S(key.sk))
        .send();
    metering::item_bytes(output.await.unwrap().item().unwrap())
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one table, in the order of the data model"
)]
async fn every_access_pattern_costs_what_the_data_model_says() {
    let units = Arc::new(Mutex::new((0.0, 0.0)));
    let consumed = units.clone();
    let settings = ClientSettings {
        meter: Some(Meter::new(move |call| {
            let mut units = consumed.lock().unwrap();
            units.0 += call.read;
            units.1 += call.write;
        })),
        ..crate::support::settings()
    };
    let world = World::with(settings).await;
    let store = world.store();
    let mut meter = Ledger {
        units,
        table: String::new(),
    };
    let page = PageRequest {
        limit: 20,
        from: PageStart::Offset(0),
    };

    let owner = User {
        id: user(1),
        plan: Plan::Enterprise,
        created_at: now(),
    };
    let key = ApiKey {
        id: ApiKeyId::new(now(), 1),
        user: owner.id,
        name: "a key of some length".to_owned(),
        prefix: "aw_abcde...".to_owned(),
        last_used_at: None,
        created_at: now(),
    };
    let hash = KeyHash([1; 32]);
    let _ = store.api_keys.create_user(&owner).await.unwrap();
    let creating = event(EventType::ApiKeyCreated, 1);
    meter
        .of(
            "create a key",
            store.api_keys.create(&key, &hash, Some(9), creating),
        )
        .await
        .unwrap();
    meter
        .of("owner of a key", store.key_lookup.owner(&hash))
        .await
        .unwrap();

    let home = store.given_pool(user(1), 1).await;
    let away = store.given_pool(user(1), 2).await;
    for n in 2..=40 {
        store.given_account(&account(user(1), n), home.id).await;
    }
    let first = in_pool(&account(user(1), 1), home.id);
    meter
        .of(
            "create an account",
            store.create_account(&first, home.id, 99),
        )
        .await;
    meter
        .of("read an account", store.accounts.get(user(1), first.id))
        .await
        .unwrap();
    let all = AccountFilter::default();
    meter
        .of(
            "list 20 of 40 accounts",
            store.accounts.list(user(1), &all, &page),
        )
        .await
        .unwrap();
    let filter = AccountFilter {
        email: Some("mailbox-3".to_owned()),
        ..AccountFilter::default()
    };
    meter
        .of(
            "list 40 accounts, filtered",
            store.accounts.list(user(1), &filter, &page),
        )
        .await
        .unwrap();
    let second = changed(&first);
    let _ = meter
        .of(
            "change an account",
            store.account_updates.replace(&second, Vec::new()),
        )
        .await
        .unwrap();
    let joined = in_pool(&changed(&second), away.id);
    let joining = event(EventType::PoolAccountAdded, 1);
    let _ = meter
        .of(
            "join a pool",
            store.pool_writes.join(&joined, away.id, joining),
        )
        .await
        .unwrap();
    let members: Vec<_> = (2..=40).map(|n| account(user(1), n).id).collect();
    meter
        .of(
            "read 39 partners",
            store.accounts.get_many(user(1), &members),
        )
        .await
        .unwrap();

    let sender = mailbox(user(1), 1);
    let mut plan = fixtures::plan(sender, today(), 40, 16);
    plan.slots = (0..24).map(|_| plan.slots[0]).collect();
    let entry = |n: i64, slot_kind| DueEntry {
        at: after(n),
        user: user(1),
        kind: DueKind::Send {
            sender: sender.account,
            slot: SlotId::new(after(n), 5),
            target: account(user(1), 2).id,
            slot_kind,
        },
    };
    let entries: Vec<_> = (0..24).map(|n| entry(n, SlotKind::Thread)).collect();
    meter
        .of("24 due entries", store.due.put(&entries))
        .await
        .unwrap();
    let planned: BTreeMap<_, _> = (2..=25).map(|n| (account(user(1), n).id, 1)).collect();
    let note = store
        .ledger
        .note(user(1), pool(1).id, today(), sender.account, &planned);
    meter.of("ledger row of 24 partners", note).await.unwrap();
    let _ = meter
        .of("plan of 24 threads and its row", store.plans.create(&plan))
        .await
        .unwrap();
    let more: Vec<_> = (24..800).map(|n| entry(n, SlotKind::Thread)).collect();
    store.due.put(&more).await.unwrap();
    let tick = async {
        for shard in 0..store.shards.0 {
            let due = store.due.between(shard, after(-60), after(1200));
            due.await.unwrap();
        }
    };
    meter.of("read 800 due entries", tick).await;

    let claim = fixtures::slot(sender, 60, &"f".repeat(32));
    let _ = meter
        .of("claim a slot", store.slots.create(&claim))
        .await
        .unwrap();
    let commit = agentwarm_core::mail::slot::Slot {
        state: SlotState::Accepted { at: after(61) },
        version: 2,
        ..claim
    };
    let sent = vec![event(EventType::WarmupEmailSent, 1)];
    let _ = meter
        .of(
            "commit a slot with its event",
            store.slots.replace(&commit, sent),
        )
        .await
        .unwrap();
    for taken in 0..15 {
        let slot = SlotId::new(now(), taken);
        store.plans.take_reply(sender, today(), slot).await.unwrap();
    }
    let last = store
        .plans
        .take_reply(sender, today(), SlotId::new(now(), 99));
    meter
        .of("take the 16th reply of a day", last)
        .await
        .unwrap();
    let days = store.plans.days(sender, today(), today());
    let mut day = meter.of("read a day", days).await.unwrap().remove(0);
    day.version += 1;
    let _ = meter
        .of("figures of a day", store.plans.replace_day(sender, &day))
        .await
        .unwrap();

    let mut receipt = fixtures::receipt(sender, 60);
    let spammed = vec![event(EventType::WarmupEmailSpammed, 1)];
    let _ = meter
        .of(
            "book a mail with its event",
            store.receipts.create(&receipt, spammed),
        )
        .await
        .unwrap();
    receipt.version += 1;
    let _ = meter
        .of("engage", store.receipts.replace(&receipt, Vec::new()))
        .await
        .unwrap();
    let minute = SignedDuration::from_mins(1);
    let token = "f".repeat(32);
    let lease = store.mailboxes.lease(sender, &token, now(), minute);
    let lease = meter.of("lease a mailbox", lease).await.unwrap().unwrap();
    let state = MailboxState::default();
    meter
        .of("give it back", store.mailboxes.release(&lease, &state))
        .await
        .unwrap();
    for n in 0..39 {
        let slot = fixtures::slot(sender, 100 + n, &"f".repeat(32));
        let _ = store.slots.create(&slot).await.unwrap();
    }
    let last_claim = fixtures::slot(sender, 138, "").id;
    let due_key = keys::due_entry(keys::due_shard(sender.account, store.shards), &entries[1]);
    let (start, end) = (SlotId::first_at(now()), SlotId::first_at(after(3600)));
    meter
        .of("40 slots of a day", store.slots.between(sender, start, end))
        .await
        .unwrap();
    let roster = RosterEntry {
        user: user(1),
        account: sender.account,
        sends: true,
    };
    store.roster.enrol(&roster).await.unwrap();
    meter
        .of("roster of a minute", store.roster.of_minute(7))
        .await
        .unwrap();
    let entries: Vec<_> = (0..20)
        .map(|n| {
            let event = event(EventType::AccountStatusChanged, n);
            let id = AuditEntryId::new(event.at, u128::from(n));
            AuditEntry { id, event }
        })
        .collect();
    let append = store.audit.append(user(1), &entries, after(86_400));
    meter.of("write 20 audit entries", append).await.unwrap();
    let none = AuditFilter::default();
    meter
        .of(
            "list 20 audit entries",
            store.audit.list(user(1), &none, &page),
        )
        .await
        .unwrap();
    for (what, table, key) in [
        ("account", "entities", keys::account(user(1), first.id)),
        ("claimed slot", "activity", keys::slot(sender, last_claim)),
        ("committed slot", "activity", keys::slot(sender, commit.id)),
        ("receipt", "activity", keys::receipt(sender, receipt.slot)),
        (
            "day with 16 replies",
            "activity",
            keys::day(sender, today()),
        ),
        (
            "plan of 24 threads",
            "activity",
            keys::plan(sender, today()),
        ),
        ("due entry", "ephemeral", due_key),
        ("mailbox", "ephemeral", keys::mailbox(sender)),
    ] {
        let bytes = bytes(&world, table, key).await;
        writeln!(meter.table, "{what:34} {bytes:>4} bytes").unwrap();
    }
    insta::assert_snapshot!(meter.table);
}
