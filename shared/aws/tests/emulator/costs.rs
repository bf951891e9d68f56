//! What each access pattern of the data model costs, as DynamoDB counts it.
//!
//! Reads are reckoned from what they give back, because the emulator does not count their size.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use agentwarm_app::ports::accounts::{AccountFilter, AccountReads};
use agentwarm_app::ports::audit::AuditFilter;
use agentwarm_app::ports::days::{AccountRef, SuppressionReason};
use agentwarm_app::ports::due::{RosterEntry, Shards};
use agentwarm_app::ports::keys::{ApiKey, KeyHash, User};
use agentwarm_app::ports::mailboxes::MailboxState;
use agentwarm_app::ports::suppressions::SuppressionFilter;
use agentwarm_app::ports::{PageRequest, PageStart};
use agentwarm_aws::clients::ClientSettings;
use agentwarm_aws::dynamo::DynamoAccounts;
use agentwarm_aws::keys;
use agentwarm_aws::metering::Meter;
use agentwarm_core::audit::{AuditEntry, EventType};
use agentwarm_core::crm::{CrmEntity, CrmIds, CrmKind};
use agentwarm_core::email::EmailAddress;
use agentwarm_core::ids::{ApiKeyId, AuditEntryId, SlotId};
use agentwarm_core::mail::slot::{Slot, SlotKind, SlotState};
use agentwarm_core::plan::Plan;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use agentwarm_core::warmup::test_mode::TestMode;
use agentwarm_testkit::memory::{self, MemoryStore};
use agentwarm_testkit::store_contract::{Store, fixtures};
use fixtures::{account, after, changed, event, in_pool, mailbox, now, pool, today, user};
use jiff::SignedDuration;
use jiff::civil::date;

use crate::support::World;

const PAGE: PageRequest = PageRequest {
    limit: 20,
    from: PageStart::Offset(0),
};

/// Measures one pattern after the other.
struct Costs {
    store: Store,
    /// Accounts as they were a moment ago.
    recent: Arc<dyn AccountReads>,
    /// Read and write units since it was asked last.
    used: Box<dyn Fn() -> (f64, f64)>,
    table: String,
}

impl Costs {
    async fn open() -> Self {
        let units = Arc::new(Mutex::new((0.0, 0.0)));
        let consumed = units.clone();
        let meter = Meter::new(move |call| {
            let mut units = consumed.lock().unwrap();
            units.0 += call.read;
            units.1 += call.write;
        });
        let settings = ClientSettings {
            meter: Some(meter),
            ..crate::support::settings()
        };
        let world = World::with(settings).await;
        Self {
            store: world.store(),
            recent: Arc::new(DynamoAccounts::new(world.entities().relaxed())),
            used: Box::new(move || std::mem::take(&mut *units.lock().unwrap())),
            table: String::new(),
        }
    }

    /// The same on the metered store in memory.
    fn in_memory() -> Self {
        let (memory, shards) = (Arc::new(MemoryStore::default()), Shards(1));
        memory.meter(memory::meter::Meter::switch_on);
        Self {
            store: Store::in_memory(&memory, shards),
            recent: Arc::new(memory.relaxed()),
            used: Box::new(move || {
                memory.meter(|meter| {
                    let used = meter.used().values();
                    let sum = used.fold((0.0, 0.0), |(read, write), used| {
                        (read + used.read, write + used.write)
                    });
                    meter.reset();
                    sum
                })
            }),
            table: String::new(),
        }
    }

    /// Notes what `work` consumes.
    async fn of<T, E: std::fmt::Debug>(
        &mut self,
        pattern: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> T {
        (self.used)();
        let result = work.await.unwrap();
        let (read, write) = (self.used)();
        writeln!(self.table, "{pattern:34} {write:>4} W {read:>5} R").unwrap();
        result
    }
}

fn sender() -> AccountRef {
    mailbox(user(1), 1)
}

async fn keys_and_authentication(costs: &mut Costs) {
    let store = costs.store.clone();
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
    let create = store.api_keys.create(&key, &hash, Some(9), creating);
    costs.of("create a key", create).await;
    costs
        .of("owner of a key", store.key_lookup.owner(&hash))
        .await;
}

async fn accounts_and_pools(costs: &mut Costs) {
    let store = costs.store.clone();
    let home = store.given_pool(user(1), 1).await;
    let away = store.given_pool(user(1), 2).await;
    for n in 2..=40 {
        store.given_account(&account(user(1), n), home.id).await;
    }
    let first = in_pool(&account(user(1), 1), home.id);
    let creating = event(EventType::AccountCreated, 1);
    let sealed = fixtures::credentials(1);
    let create = store
        .account_life
        .create(&first, &sealed, home.id, 99, creating);
    let _ = costs.of("create an account", create).await;
    let read = store.accounts.get(user(1), first.id);
    costs.of("read an account", read).await;
    let recent = costs.recent.clone();
    let read = recent.get(user(1), first.id);
    costs.of("… as it was a moment ago", read).await;
    let all = AccountFilter::default();
    let list = store.accounts.list(user(1), &all, &PAGE);
    costs.of("list 20 of 40 accounts", list).await;
    let members: Vec<_> = (2..=40).map(|n| account(user(1), n).id).collect();
    let partners = store.accounts.get_many(user(1), &members);
    costs.of("read 39 partners", partners).await;
    let second = changed(&first);
    let change = store.account_updates.replace(&second, Vec::new());
    let _ = costs.of("change an account", change).await;
    let second = changed(&second);
    let reseal = store.account_updates.reseal(&second, &sealed, Vec::new());
    let _ = costs.of("replace credentials", reseal).await;
    let joined = in_pool(&changed(&second), away.id);
    let joining = event(EventType::PoolAccountAdded, 1);
    let join = store.pool_writes.join(&joined, away.id, joining);
    let _ = costs.of("join a pool", join).await;
}

async fn crm_links(costs: &mut Costs) {
    let store = costs.store.clone();
    let own = account(user(1), 2).id;
    let mut now = store.accounts.get(user(1), own).await.unwrap().unwrap();
    let mut link = fixtures::crm_link(own, 1);
    now = changed(&now);
    let create = store.crm_link_writes.create(&now, &link);
    let _ = costs.of("link to a person", create).await;
    for n in 2..=14 {
        now = changed(&now);
        let more = fixtures::crm_link(own, n);
        let _ = store.crm_link_writes.create(&now, &more).await.unwrap();
    }
    link = fixtures::crm_link(own, 15);
    link.ids = CrmIds::of(
        Some("sf_003x0015".parse().unwrap()),
        Some("sf_001x0001".parse().unwrap()),
    )
    .unwrap();
    now = changed(&now);
    let create = store.crm_link_writes.create(&now, &link);
    let _ = costs.of("link to a person and an account", create).await;
    let list = store.crm_links.of_account(user(1), own);
    let links = costs.of("15 links of an account", list).await;
    let person = CrmEntity {
        kind: CrmKind::Person,
        id: "sf_003x0015".parse().unwrap(),
        source: None,
    };
    let find = store.crm_links.accounts_of(user(1), &person);
    costs.of("accounts of a person", find).await;
    now = changed(&now);
    let remove = store.crm_link_writes.remove(&now, &link);
    let _ = costs.of("remove a link to both", remove).await;
    let deleting = event(EventType::AccountDeleted, 1);
    let delete = store.account_life.delete(&now, &links[1..], deleting);
    let _ = costs.of("delete an account with 14 links", delete).await;
}

fn due_entry(seconds: i64, slot_kind: SlotKind) -> DueEntry {
    DueEntry {
        at: after(seconds),
        user: user(1),
        kind: DueKind::Send {
            sender: sender().account,
            slot: SlotId::new(after(seconds), 5),
            target: account(user(1), 2).id,
            slot_kind,
        },
    }
}

async fn planning(costs: &mut Costs) {
    let store = costs.store.clone();
    let thread = |n: i64| due_entry(n * 20 * 60, SlotKind::Thread);
    let entries: Vec<_> = (0..24).map(thread).collect();
    let put = store.due.put(&entries);
    costs.of("24 threads due, 20 min apart", put).await;
    let planned: BTreeMap<_, _> = (2..=25).map(|n| (account(user(1), n).id, 1)).collect();
    let note = store
        .ledger
        .note(user(1), pool(1).id, today(), sender().account, &planned);
    costs.of("ledger row of 24 partners", note).await;
    let mut plan = fixtures::plan(sender(), today(), 40, 16);
    plan.slots = (0..24).map(|_| plan.slots[0]).collect();
    let create = store.plans.create(&plan);
    let _ = costs.of("plan of 24 threads and its row", create).await;
    let answers = SlotId::new(now(), 5);
    let answer = |n: i64| due_entry(n, SlotKind::Reply { answers });
    let more: Vec<_> = (0..800).map(answer).collect();
    store.due.put(&more).await.unwrap();
    let shard = keys::due_shard(sender().account, store.shards);
    let tick = store.due.between(shard, after(-60), after(1200));
    costs.of("read 800 due answers", tick).await;
}

async fn sending(costs: &mut Costs) {
    let store = costs.store.clone();
    let claim = fixtures::slot(sender(), 60, &"f".repeat(32));
    let _ = costs.of("claim a slot", store.slots.create(&claim)).await;
    let commit = Slot {
        state: SlotState::Accepted { at: after(61) },
        version: 2,
        ..claim.clone()
    };
    let sent = vec![event(EventType::WarmupEmailSent, 1)];
    let replace = store.slots.replace(&commit, sent);
    let _ = costs.of("commit a slot with its event", replace).await;
    for taken in 0..15 {
        let slot = SlotId::new(now(), taken);
        store
            .plans
            .take_reply(sender(), today(), slot)
            .await
            .unwrap();
    }
    let slot = SlotId::new(now(), 99);
    let last = store.plans.take_reply(sender(), today(), slot);
    costs.of("take the 16th reply of a day", last).await;
    let days = store.plans.days(sender(), today(), today());
    let mut day = costs.of("read a day", days).await.remove(0);
    day.version += 1;
    let replace = store.plans.replace_day(sender(), &day);
    let _ = costs.of("figures of a day", replace).await;
    for n in 0..39 {
        let slot = fixtures::slot(sender(), 100 + n, &"f".repeat(32));
        let _ = store.slots.create(&slot).await.unwrap();
    }
    let (start, end) = (SlotId::first_at(now()), SlotId::first_at(after(3600)));
    let between = store.slots.between(sender(), start, end);
    costs.of("40 slots of a day", between).await;
}

async fn receiving(costs: &mut Costs) {
    let store = costs.store.clone();
    let mut receipt = fixtures::receipt(sender(), 60);
    let spammed = vec![event(EventType::WarmupEmailSpammed, 1)];
    let create = store.receipts.create(&receipt, spammed);
    let _ = costs.of("book a mail with its event", create).await;
    receipt.version += 1;
    let engage = store.receipts.replace(&receipt, Vec::new());
    let _ = costs.of("engage", engage).await;
    let (token, minute) = ("f".repeat(32), SignedDuration::from_mins(1));
    let lease = store.mailboxes.lease(sender(), &token, now(), minute);
    let lease = costs.of("lease a mailbox", lease).await.unwrap();
    let learned = MailboxState::default();
    let release = store.mailboxes.release(&lease, &learned);
    costs.of("give it back", release).await;
    let read = store.mailboxes.state(sender()).await.unwrap();
    let note = store.mailboxes.note(sender(), &read, now());
    costs.of("note a sitting without it", note).await;
    let roster = RosterEntry {
        user: user(1),
        account: sender().account,
        busy: None,
    };
    store.roster.enrol(&roster).await.unwrap();
    let roster = store.roster.of_minute(7, now());
    costs.of("roster of a minute", roster).await;
}

async fn suppressions(costs: &mut Costs) {
    let store = costs.store.clone();
    let addresses: Vec<EmailAddress> = (1..=40)
        .map(|n| format!("mailbox-{n}@acorn.example").parse().unwrap())
        .collect();
    let manual = SuppressionReason::Manual;
    let list = &store.suppression_list;
    let put = list.put(user(1), &addresses[0], manual, now(), Some(after(9)));
    costs.of("suppress an address", put).await;
    for (n, address) in (1..).zip(&addresses[1..]) {
        let put = list.put(user(1), address, manual, after(n), None);
        put.await.unwrap();
    }
    let in_force = SuppressionFilter {
        in_force_at: Some(now()),
        ..SuppressionFilter::default()
    };
    let page = list.list(user(1), &in_force, &PAGE);
    costs.of("list 20 of 40 suppressions", page).await;
    let remove = list.remove(user(1), &addresses[0]);
    costs.of("take one off the list", remove).await;
}

async fn test_mode(costs: &mut Costs) {
    let store = costs.store.clone();
    let say = store.test_mode_writes.say(user(1), TestMode::OFF);
    costs.of("set test mode", say).await;
    let read = store.test_modes.said_by(user(1));
    costs.of("read test mode", read).await;
    let take = store.hand_sent.take(sender(), today(), 9);
    let _ = costs.of("count a mail sent by hand", take).await;
    let (start, end) = (SlotId::first_at(now()), SlotId::first_at(after(3600)));
    let written = store.slots.written_between(sender(), start, end);
    costs.of("40 slots in test mode", written).await;
    let day = date(2026, 3, 13);
    let let_go = store.totals.let_go(user(1), day, 20, 50_000);
    let _ = costs.of("let 20 mails of a user go", let_go).await;
}

async fn audit_log(costs: &mut Costs) {
    let store = costs.store.clone();
    let entries: Vec<_> = (0..20)
        .map(|n| {
            let event = event(EventType::AccountStatusChanged, n);
            let id = AuditEntryId::new(event.at, u128::from(n));
            AuditEntry { id, event }
        })
        .collect();
    let append = store.audit.append(user(1), &entries, after(86_400));
    costs.of("write 20 audit entries", append).await;
    let all = AuditFilter::default();
    let list = store.audit.list(user(1), &all, &PAGE);
    costs.of("list 20 audit entries", list).await;
}

/// What the memory store does not count: only the API does it.
const NOT_IN_MEMORY: [&str; 10] = [
    "create an account",
    "list 20 of 40 accounts",
    "replace credentials",
    "join a pool",
    "suppress an address",
    "list 20 of 40 suppressions",
    "take one off the list",
    "set test mode",
    "count a mail sent by hand",
    "list 20 audit entries",
];

/// What the benchmark of many mailboxes stands on.
#[tokio::test]
async fn what_the_engine_does_costs_the_same_in_memory() {
    let (mut dynamo, mut memory) = (Costs::open().await, Costs::in_memory());
    for costs in [&mut dynamo, &mut memory] {
        accounts_and_pools(costs).await;
        planning(costs).await;
        sending(costs).await;
        receiving(costs).await;
        suppressions(costs).await;
        test_mode(costs).await;
        audit_log(costs).await;
    }
    let counted = |table: &str| {
        let lines = table.lines().map(str::to_owned);
        let is_counted = |line: &String| !NOT_IN_MEMORY.iter().any(|not| line.starts_with(not));
        lines.filter(is_counted).collect::<Vec<_>>()
    };
    assert!(counted(&memory.table).len() > 20);
    assert_eq!(counted(&memory.table), counted(&dynamo.table));
}

#[tokio::test]
async fn every_access_pattern_costs_what_the_data_model_says() {
    let mut costs = Costs::open().await;
    keys_and_authentication(&mut costs).await;
    accounts_and_pools(&mut costs).await;
    crm_links(&mut costs).await;
    planning(&mut costs).await;
    sending(&mut costs).await;
    receiving(&mut costs).await;
    suppressions(&mut costs).await;
    test_mode(&mut costs).await;
    audit_log(&mut costs).await;
    insta::assert_snapshot!(costs.table);
}
