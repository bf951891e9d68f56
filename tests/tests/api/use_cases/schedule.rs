use agentwarm_app::ports::days::{Plans, PoolLedger, Receipts, Slots};
use agentwarm_app::ports::{Created, Replaced};
use agentwarm_app::warmup::schedule::MailState;
use agentwarm_core::account::Account;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{SlotId, ThreadId};
use agentwarm_core::mail::receipt::{Engagement, Placement, PlannedReply, Receipt};
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotKind, SlotState, ThreadPosition};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use crate::world::{World, code, day_plan};

const TODAY: Date = date(2026, 3, 13);

fn position() -> ThreadPosition {
    ThreadPosition {
        thread: ThreadId::new(Timestamp::UNIX_EPOCH, 1),
        conversation: "lunch".to_owned(),
        turn: 0,
        references: Vec::new(),
    }
}

fn slot(from: &Account, to: &Account, at: Timestamp, kind: SlotKind, state: SlotState) -> Slot {
    Slot {
        id: SlotId::first_at(at),
        user: from.user,
        sender: from.id,
        recipient: to.id,
        date: from.zone.date_of(at),
        kind,
        scheduled_at: at,
        message_id: "x@example.com".to_owned(),
        message_date: at,
        position: position(),
        state,
        spammed_at: None,
        complained_at: None,
        version: 0,
    }
}

fn receipt(of: &Slot, found_at: Timestamp, reply_at: Option<Timestamp>) -> Receipt {
    Receipt {
        slot: of.id,
        user: of.user,
        receiver: of.recipient,
        sender: of.sender,
        date: TODAY,
        found_at,
        placement: Placement::Inbox,
        message_id: of.message_id.clone(),
        position: position(),
        engagement: Engagement {
            open_at: None,
            important_at: None,
            reply: reply_at.map(|at| PlannedReply {
                slot: SlotId::first_at(at),
                at,
            }),
            file_at: found_at,
        },
        rescued_at: None,
        version: 0,
    }
}

struct Pair {
    world: World,
    a: Account,
    b: Account,
}

impl Pair {
    /// Two accounts; the first has a plan for today with mails at 9, 10 and 11.
    async fn new() -> Self {
        let world = World::new();
        let a = world.warming("a@example.com").await;
        let b = world.warming("b@example.org").await;
        let (a, b) = (world.stored(a).await, world.stored(b).await);
        let plan = day_plan(&a, TODAY, &[(9, b.id), (10, b.id), (11, b.id)]);
        let plans: &dyn Plans = world.store.as_ref();
        assert_eq!(plans.create(&plan).await.unwrap(), Created::Done);
        Self { world, a, b }
    }

    fn at(&self, hour: i8) -> Timestamp {
        self.a.zone.instant(TODAY, hour)
    }

    async fn put(&self, slot: &Slot) {
        let slots: &dyn Slots = self.world.store.as_ref();
        assert_eq!(slots.create(slot).await.unwrap(), Created::Done);
    }

    async fn receive(&self, receipt: &Receipt) {
        let receipts: &dyn Receipts = self.world.store.as_ref();
        let created = receipts.create(receipt, Vec::new()).await.unwrap();
        assert_eq!(created, Created::Done);
    }
}

#[tokio::test]
async fn a_day_shows_what_was_planned_and_what_became_of_it() {
    let pair = Pair::new().await;
    let sent_at = pair.at(9) + SignedDuration::from_secs(32);
    let accepted = SlotState::Accepted { at: sent_at };
    let skipped = SlotState::Skipped {
        at: pair.at(10),
        reason: SkipReason::NoPartner,
    };
    pair.put(&slot(
        &pair.a,
        &pair.b,
        pair.at(9),
        SlotKind::Thread,
        accepted,
    ))
    .await;
    pair.put(&slot(
        &pair.a,
        &pair.b,
        pair.at(10),
        SlotKind::Thread,
        skipped,
    ))
    .await;

    let schedule = pair.world.schedule();
    let schedule = schedule
        .read(&pair.world.tenant, pair.a.id, None)
        .await
        .unwrap();
    let states: Vec<_> = schedule.mails.iter().map(|mail| mail.state).collect();
    assert_eq!(
        states,
        [MailState::Accepted, MailState::Skipped, MailState::Planned]
    );
    assert_eq!(schedule.mails[0].accepted_at, Some(sent_at));
    assert_eq!(schedule.mails[1].skipped, Some(SkipReason::NoPartner));
    assert_eq!((schedule.plan.limit, schedule.sent), (8, 1));
}

#[tokio::test]
async fn answers_are_part_of_the_day_each_once() {
    let pair = Pair::new().await;
    let theirs = SlotState::Accepted { at: pair.at(8) };
    let first = slot(
        &pair.b,
        &pair.a,
        pair.at(8),
        SlotKind::Thread,
        theirs.clone(),
    );
    let earlier = pair.at(8) - SignedDuration::from_hours(20);
    let second = slot(&pair.b, &pair.a, earlier, SlotKind::Thread, theirs);
    pair.receive(&receipt(&first, pair.at(9), Some(pair.at(12))))
        .await;
    pair.receive(&receipt(&second, pair.at(9), Some(pair.at(13))))
        .await;
    let answered = SlotKind::Reply { answers: second.id };
    let accepted = SlotState::Accepted { at: pair.at(13) };
    pair.put(&slot(&pair.a, &pair.b, pair.at(13), answered, accepted))
        .await;

    let schedule = pair.world.schedule();
    let schedule = schedule
        .read(&pair.world.tenant, pair.a.id, Some(TODAY))
        .await
        .unwrap();
    let replies: Vec<_> = schedule
        .mails
        .iter()
        .filter(|mail| matches!(mail.kind, SlotKind::Reply { .. }))
        .map(|mail| (mail.scheduled_at, mail.state, mail.target))
        .collect();
    let expected = [
        (pair.at(12), MailState::Planned, pair.b.id),
        (pair.at(13), MailState::Accepted, pair.b.id),
    ];
    assert_eq!(replies, expected);
    assert_eq!(schedule.received, 2);
}

#[tokio::test]
async fn an_answer_that_moved_to_tomorrow_is_tomorrows() {
    let pair = Pair::new().await;
    let theirs = SlotState::Accepted { at: pair.at(8) };
    let mail = slot(&pair.b, &pair.a, pair.at(8), SlotKind::Thread, theirs);
    let mut kept = receipt(&mail, pair.at(9), Some(pair.at(12)));
    pair.receive(&kept).await;
    let tomorrow = pair.at(12) + SignedDuration::from_hours(24);
    kept.engagement.reply = Some(PlannedReply {
        slot: SlotId::first_at(tomorrow),
        at: tomorrow,
    });
    kept.version += 1;
    let receipts: &dyn Receipts = pair.world.store.as_ref();
    assert_eq!(
        receipts.replace(&kept, Vec::new()).await.unwrap(),
        Replaced::Done
    );

    let schedule = pair.world.schedule();
    let schedule = schedule
        .read(&pair.world.tenant, pair.a.id, Some(TODAY))
        .await
        .unwrap();
    assert_eq!(schedule.mails.len(), 3);
}

#[tokio::test]
async fn what_partners_plan_comes_from_the_ledger() {
    let pair = Pair::new().await;
    let ledger: &dyn PoolLedger = pair.world.store.as_ref();
    let pool = pair.a.configuring_pool().unwrap();
    let planned = [(pair.a.id, 4)].into();
    let user = pair.a.user;
    for _ in 0..2 {
        ledger
            .note(user, pool, TODAY, pair.b.id, &planned)
            .await
            .unwrap();
    }
    let schedule = pair.world.schedule();
    let schedule = schedule
        .read(&pair.world.tenant, pair.a.id, None)
        .await
        .unwrap();
    assert_eq!((schedule.planned_to_receive, schedule.received), (4, 0));
}

/// A sender notes the same in each of its pools; what others note is in theirs only.
#[tokio::test]
async fn what_partners_of_several_pools_plan_is_counted_once_by_each() {
    let pair = Pair::new().await;
    let (tenant, a) = (&pair.world.tenant, pair.a.id);
    let second = pair.world.pools().create(tenant, "Second", None).await;
    let second = second.unwrap().id;
    pair.world
        .membership()
        .add(tenant, second, a)
        .await
        .unwrap();
    let first = pair.a.configuring_pool().unwrap();
    let in_both = pair.world.warming("c@example.net").await;
    let in_second = pair.world.warming("d@example.net").await;
    let ledger: &dyn PoolLedger = pair.world.store.as_ref();
    let notes = [
        (first, pair.b.id, 3),
        (second, in_second, 4),
        (first, in_both, 2),
        (second, in_both, 2),
    ];
    for (pool, sender, mails) in notes {
        let planned = [(a, mails)].into();
        let noted = ledger.note(pair.a.user, pool, TODAY, sender, &planned);
        noted.await.unwrap();
    }
    let schedule = pair.world.schedule().read(tenant, a, None).await.unwrap();
    assert_eq!(schedule.planned_to_receive, 9);
}

#[tokio::test]
async fn a_date_without_a_plan_has_no_schedule() {
    let pair = Pair::new().await;
    for date in [date(2026, 3, 12), date(2026, 3, 14), Date::MIN, Date::MAX] {
        let read = pair.world.schedule();
        let read = read.read(&pair.world.tenant, pair.a.id, Some(date)).await;
        assert_eq!(code(read), ErrorCode::WarmupScheduleNotFound, "{date}");
    }
}
