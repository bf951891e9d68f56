use agentwarm_core::crm::{CrmEntity, CrmIds, CrmKind, CrmLink};

use super::*;

const USER: &str = "01955e3a-0000-7000-8000-00000000000a";
const ACCOUNT: &str = "01955e3a-0000-7000-8000-00000000000b";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn mailbox_of() -> AccountRef {
    AccountRef {
        user: USER.parse().unwrap(),
        account: ACCOUNT.parse().unwrap(),
    }
}

fn due(at: Timestamp, kind: DueKind) -> DueEntry {
    DueEntry {
        at,
        user: USER.parse().unwrap(),
        kind,
    }
}

fn crm_link_of(account: AccountId) -> CrmLink {
    CrmLink {
        id: "01955e3a-0000-7000-8000-00000000000f".parse().unwrap(),
        account,
        ids: CrmIds::Person("sf_003x0001".parse().unwrap()),
        source: "salesforce".parse().unwrap(),
        created_at: at("2026-03-13T09:00:00Z"),
    }
}

fn crm_lookup_of(kind: CrmKind, id: &str) -> Key {
    let AccountRef { user, account } = mailbox_of();
    crm_lookup(user, kind, &id.parse().unwrap(), &crm_link_of(account))
}

#[test]
fn every_key_has_the_form_of_the_data_model() {
    let AccountRef {
        user: owner,
        account: own,
    } = mailbox_of();
    let slot_id: SlotId = "01955e3a-0000-7000-8000-0000000000ff".parse().unwrap();
    let pool_id: PoolId = "01955e3a-0000-7000-8000-00000000000c".parse().unwrap();
    let key_id: ApiKeyId = "01955e3a-0000-7000-8000-00000000000d".parse().unwrap();
    let entry_id: AuditEntryId = "01955e3a-0000-7000-8000-00000000000e".parse().unwrap();
    let listed_id: SuppressionId = "01955e3a-0000-7000-8000-00000000000f".parse().unwrap();
    let day_of = date("2026-03-13");
    let now = at("2026-03-13T09:05:07.25Z");
    let plan_due = due(now, DueKind::Plan { account: own });
    let settle = DueKind::Settle {
        sender: own,
        slot: slot_id,
        target: own,
    };
    let keys = [
        ("user", user(owner)),
        ("counters", counters(owner)),
        ("API key", api_key(owner, key_id)),
        ("key by hash", key_hash(&KeyHash([0xab; 32]))),
        ("account", account(owner, own)),
        ("credentials", credentials(owner, own)),
        ("address lock", address_lock("a@b.example")),
        ("pool", pool(owner, pool_id)),
        ("member", member(owner, pool_id, own)),
        ("suppression", suppression(owner, "a@b.example")),
        ("CRM link", crm_link(owner, own, crm_link_of(own).id)),
        ("CRM lookup", crm_lookup_of(CrmKind::Person, "sf_003x0001")),
        ("CRM lookup", crm_lookup_of(CrmKind::Account, "sf_001x0001")),
        ("listed", suppression_entry(owner, listed_id)),
        ("test mode", test_mode(owner)),
        ("data key", data_key(1)),
        ("plan", plan(mailbox_of(), day_of)),
        ("day", day(mailbox_of(), day_of)),
        ("slot", slot(mailbox_of(), slot_id)),
        ("receipt", receipt(mailbox_of(), slot_id)),
        ("ledger", ledger_row(owner, pool_id, day_of, own)),
        ("audit entry", audit_entry(owner, entry_id)),
        ("mailbox", mailbox(mailbox_of())),
        ("sent by hand", hand_sent(mailbox_of(), day_of)),
        ("rate counter", rate_counter(owner, key_id, now)),
        ("send total", send_total(owner, day_of)),
        ("idempotency", idempotency(owner, key_id, "a client's text")),
        ("due entry", due_entry(3, &plan_due)),
        ("due entry", due_entry(3, &due(now, settle))),
        ("watermark", watermark(3)),
        ("roster entry", roster_entry(own)),
    ];
    let table: Vec<String> = keys
        .iter()
        .map(|(what, key)| format!("{what:13} {}\n              {}", key.pk, key.sk))
        .collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn ranges_hold_exactly_their_own_keys() {
    let AccountRef {
        user: owner,
        account: own,
    } = mailbox_of();
    let pool_id = PoolId::new(at("2026-03-13T09:00:00Z"), 1);
    let other_pool = PoolId::new(at("2026-03-13T09:00:00Z"), 2);

    assert!(accounts(owner).contains(&account(owner, own).sk));
    assert!(!accounts(owner).contains(&credentials(owner, own).sk));
    assert!(members(owner, pool_id).contains(&member(owner, pool_id, own).sk));
    assert!(!members(owner, pool_id).contains(&member(owner, other_pool, own).sk));
    assert!(roster(7).contains(&own.to_string()));
    assert_eq!(member_account(&member(owner, pool_id, own).sk), Some(own));
}

#[test]
fn a_crm_record_is_looked_up_in_one_crm_or_in_all() {
    let AccountRef { user, account } = mailbox_of();
    let key = crm_lookup_of(CrmKind::Person, "sf_003x0001");
    let finds = |kind, id: &str, source: Option<&str>| {
        let entity = CrmEntity {
            kind,
            id: id.parse().unwrap(),
            source: source.map(|source| source.parse().unwrap()),
        };
        crm_lookups(user, &entity).contains(&key.sk)
    };

    assert!(finds(CrmKind::Person, "sf_003x0001", None));
    assert!(finds(CrmKind::Person, "sf_003x0001", Some("Salesforce")));
    assert!(!finds(CrmKind::Person, "sf_003x0001", Some("sales")));
    assert!(!finds(CrmKind::Person, "sf_003X0001", None), "case counts");
    assert!(!finds(CrmKind::Account, "sf_003x0001", None));
    assert_eq!(crm_lookup_account(&key.sk), Some(account));
    assert_eq!(owner(&key.pk), Some(user));
}

#[test]
fn an_owner_is_read_off_every_partition_key_that_begins_with_one() {
    let owner_id = mailbox_of().user;
    assert_eq!(owner(&user(owner_id).pk), Some(owner_id));
    assert_eq!(owner(&mailbox(mailbox_of()).pk), Some(owner_id));
    assert_eq!(owner(&address_lock("a@b.example").pk), None);
    assert_eq!(owner(&watermark(0).pk), None);
}

#[test]
fn audit_ranges_include_since_and_exclude_until() {
    let owner = mailbox_of().user;
    let entry = |time: &str, bits| audit_entry(owner, AuditEntryId::new(at(time), bits)).sk;
    let range = audit_entries(
        owner,
        Some(at("2026-03-13T09:00:00Z")),
        Some(at("2026-03-13T10:00:00Z")),
    );

    assert!(!range.contains(&entry("2026-03-13T08:59:59.999Z", u128::MAX)));
    assert!(range.contains(&entry("2026-03-13T09:00:00Z", 0)));
    assert!(range.contains(&entry("2026-03-13T09:59:59.999Z", u128::MAX)));
    assert!(!range.contains(&entry("2026-03-13T10:00:00Z", 0)));
    // The ends of time are no panic.
    let all = audit_entries(owner, Some(Timestamp::MIN), Some(Timestamp::MIN));
    assert!(!all.contains(&entry("2026-03-13T09:00:00Z", 0)));
}

#[test]
fn due_ranges_cover_after_to_until_hour_by_hour() {
    let ranges = due_entries(
        0,
        at("2026-03-13T22:59:59.999Z"),
        at("2026-03-14T00:00:00Z"),
        24,
    );
    let shown: Vec<_> = ranges
        .iter()
        .map(|range| (range.pk.as_str(), range.first.as_str(), range.last.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("due#0#2026-03-13T23", "00:00.000", "~"),
            ("due#0#2026-03-14T00", " ", "00:00.000#~"),
        ]
    );
}

#[test]
fn an_empty_time_has_no_ranges_and_a_long_one_its_last_hours() {
    let now = at("2026-03-13T09:00:00Z");
    assert_eq!(due_entries(0, now, now, 24), []);
    let long = due_entries(0, at("2020-01-01T00:00:00Z"), now, 5);
    let hours: Vec<_> = long.iter().map(|range| range.pk.as_str()).collect();
    assert_eq!(
        hours,
        [
            "due#0#2026-03-13T05",
            "due#0#2026-03-13T06",
            "due#0#2026-03-13T07",
            "due#0#2026-03-13T08",
            "due#0#2026-03-13T09"
        ]
    );
}

#[test]
fn an_entry_is_never_filed_before_its_instant() {
    let account = mailbox_of().account;
    for (given, filed) in [
        ("2026-03-13T09:59:59.9990001Z", "2026-03-13T10:00:00Z"),
        ("2026-03-13T09:00:00.25Z", "2026-03-13T09:00:00.25Z"),
        ("1969-12-31T23:59:59.0005Z", "1969-12-31T23:59:59.001Z"),
    ] {
        let key = due_entry(0, &due(at(given), DueKind::Plan { account }));
        assert_eq!(due_instant(&key), Some(at(filed)), "{given}");
    }
}

proptest::proptest! {
    /// What is filed is found by exactly one of two ticks that follow each other.
    #[test]
    fn no_entry_falls_between_two_ticks(
        entry_ns in 0..7_200_000_000_000_i128,
        cut_ns in 0..7_200_000_000_000_i128,
    ) {
        let base = at("2026-03-13T22:30:00Z");
        let moment = |ns: i128| Timestamp::from_nanosecond(base.as_nanosecond() + ns).unwrap();
        let key = due_entry(0, &due(moment(entry_ns), DueKind::Plan { account: mailbox_of().account }));
        let finds = |after, until| {
            due_entries(0, after, until, 24)
                .iter()
                .any(|range| range.pk == key.pk && range.contains(&key.sk))
        };
        let before = base - SignedDuration::from_secs(1);
        let end = moment(7_300_000_000_000);
        let first = finds(before, moment(cut_ns));
        let second = finds(moment(cut_ns), end);
        proptest::prop_assert!(first != second);
    }
}
