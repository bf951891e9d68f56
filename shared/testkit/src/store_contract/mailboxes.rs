//! Mailboxes between two visits: leases and state.

use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::mail::FolderCursor;
use agentwarm_app::ports::mailboxes::{MailboxLease, MailboxState};
use agentwarm_core::ids::SlotId;
use agentwarm_core::warmup::connection::{ConnectionHealth, Failures, MailProtocol, ServerHealth};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::Store;
use super::fixtures::{after, mailbox, now, user};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn own() -> AccountRef {
    mailbox(user(1), 1)
}

fn state() -> MailboxState {
    MailboxState {
        inbox: Some(FolderCursor {
            uid_validity: u32::MAX,
            uid_next: 42,
            mod_seq: Some(u64::MAX),
        }),
        junk: None,
        other_junk: None,
        health: ConnectionHealth::default(),
        version: 0,
        engaged_through: Some(after(15)),
        next_engagement: Some(after(30)),
        engaged_before: Some(SlotId::first_at(now())),
    }
}

/// What a second visit learned.
fn next_state() -> MailboxState {
    MailboxState {
        next_engagement: Some(after(60)),
        ..MailboxState::default()
    }
}

fn of_version(version: u64, state: MailboxState) -> MailboxState {
    MailboxState { version, ..state }
}

fn failed(failures: u32) -> ServerHealth {
    ServerHealth {
        unreachable: Failures {
            count: failures,
            since: Some(now()),
            last: Some(after(1)),
            next_attempt_at: None,
        },
        because: Some("It is busy".into()),
        ..ServerHealth::default()
    }
}

async fn lease(store: &Store, owner: &str, at: Timestamp) -> Option<MailboxLease> {
    let lease = store.mailboxes.lease(own(), owner, at, MINUTE);
    lease.await.unwrap()
}

async fn read(store: &Store) -> MailboxState {
    store.mailboxes.state(own()).await.unwrap()
}

/// What is known of it, whoever counted.
async fn known(store: &Store) -> MailboxState {
    of_version(0, read(store).await)
}

async fn release(store: &Store, lease: &MailboxLease, state: &MailboxState) {
    store.mailboxes.release(lease, state).await.unwrap();
}

/// Read and leased alike.
pub async fn an_unknown_mailbox_has_a_fresh_state(store: &Store) {
    assert_eq!(known(store).await, MailboxState::default());
    let lease = lease(store, "a", now()).await.unwrap();
    let expected = MailboxLease {
        mailbox: own(),
        owner: "a".to_owned(),
        state: of_version(lease.state.version, MailboxState::default()),
    };
    assert_eq!(lease, expected);
    assert_eq!(known(store).await, MailboxState::default());
}

/// While the lease lasts; other mailboxes are free.
pub async fn a_mailbox_has_one_holder(store: &Store) {
    assert!(lease(store, "a", now()).await.is_some());
    assert!(lease(store, "b", after(59)).await.is_none());
    let other = mailbox(user(1), 2);
    let lease = store.mailboxes.lease(other, "b", now(), MINUTE);
    assert!(lease.await.unwrap().is_some());
}

/// Twenty at once: one.
pub async fn of_parallel_visits_one_wins(store: &Store) {
    let owners: Vec<_> = (0..20).map(|n| format!("visit-{n}")).collect();
    let leases = join_all(owners.iter().map(|owner| lease(store, owner, now()))).await;
    assert_eq!(leases.iter().flatten().count(), 1);
}

/// Then the next may come.
pub async fn a_lease_ends(store: &Store) {
    assert!(lease(store, "a", now()).await.is_some());
    assert!(lease(store, "b", after(60)).await.is_some());
    assert!(lease(store, "a", after(60)).await.is_none());
}

/// Its answer may have been lost.
pub async fn a_holder_may_take_its_lease_again(store: &Store) {
    assert!(lease(store, "a", now()).await.is_some());
    assert!(lease(store, "a", after(1)).await.is_some());
    assert!(lease(store, "b", after(2)).await.is_none());
}

/// All of it, for the next to see.
pub async fn giving_back_writes_the_state(store: &Store) {
    let first = lease(store, "a", now()).await.unwrap();
    release(store, &first, &state()).await;

    assert_eq!(known(store).await, state());
    let next = lease(store, "b", after(1)).await.unwrap();
    assert_eq!(of_version(0, next.state.clone()), state());
    release(store, &next, &next_state()).await;
    assert_eq!(known(store).await, next_state());
}

/// For a visit that moved nothing: if nobody was there since it read the state.
pub async fn without_a_lease_the_state_is_noted_if_nobody_was_there(store: &Store) {
    let note = async |state: MailboxState, seconds| {
        let noted = store.mailboxes.note(own(), &state, after(seconds));
        noted.await.unwrap();
    };
    note(state(), 0).await;
    let first = read(store).await;
    assert_eq!(first, of_version(first.version, state()));

    // Somebody else noted since.
    note(of_version(0, next_state()), 1).await;
    assert_eq!(read(store).await, first);
    note(of_version(first.version, next_state()), 2).await;
    let second = read(store).await;
    assert_eq!(second, of_version(second.version, next_state()));

    // Somebody holds it; then it was held; then its holder is dead.
    let held = lease(store, "a", after(3)).await.unwrap();
    let while_held = read(store).await.version;
    note(of_version(while_held, state()), 4).await;
    note(of_version(second.version, state()), 70).await;
    release(store, &held, &next_state()).await;
    note(of_version(while_held, state()), 71).await;
    assert_eq!(
        read(store).await,
        of_version(read(store).await.version, next_state())
    );
    assert!(lease(store, "b", after(72)).await.is_some());
    let while_held = read(store).await.version;
    note(of_version(while_held, state()), 72 + 60).await;
    assert_eq!(
        read(store).await,
        of_version(read(store).await.version, state())
    );
}

/// Neither over the new holder's state nor over its lease; giving back twice does nothing either.
pub async fn a_lost_lease_writes_nothing(store: &Store) {
    let lost = lease(store, "a", now()).await.unwrap();
    let held = lease(store, "b", after(60)).await.unwrap();
    release(store, &lost, &state()).await;
    assert_eq!(known(store).await, MailboxState::default());
    assert!(lease(store, "c", after(61)).await.is_none());

    release(store, &held, &state()).await;
    release(store, &held, &next_state()).await;
    assert_eq!(known(store).await, state());
}

/// Whether or not somebody holds it, and whether or not it was ever looked into. No visit writes over it.
pub async fn health_is_noted_without_a_lease(store: &Store) {
    let note = async |protocol, failures| {
        let health = failed(failures);
        let noted = store.mailboxes.note_health(own(), protocol, &health);
        noted.await.unwrap();
    };
    let health = |imap, smtp| ConnectionHealth {
        imap: failed(imap),
        smtp: failed(smtp),
    };
    note(MailProtocol::Imap, 2).await;
    let imap_alone = health(2, 0).mended_by(MailProtocol::Smtp);
    assert_eq!(known(store).await.health, imap_alone);

    let first = lease(store, "a", now()).await.unwrap();
    assert_eq!(first.state.health, imap_alone);
    note(MailProtocol::Smtp, 3).await;
    assert_eq!(known(store).await.health, health(2, 3));
    note(MailProtocol::Imap, 4).await;
    assert_eq!(known(store).await.health, health(4, 3));
    assert!(lease(store, "b", after(1)).await.is_none());

    release(store, &first, &state()).await;
    let unchanged = MailboxState {
        health: health(4, 3),
        ..state()
    };
    assert_eq!(known(store).await, unchanged);
}

/// Its lease too; forgetting what is not there is no error.
pub async fn a_forgotten_mailbox_is_fresh(store: &Store) {
    let held = lease(store, "a", now()).await.unwrap();
    store.mailboxes.forget(own()).await.unwrap();
    store.mailboxes.forget(own()).await.unwrap();
    release(store, &held, &state()).await;
    assert_eq!(known(store).await, MailboxState::default());
    assert!(lease(store, "b", after(1)).await.is_some());
}
