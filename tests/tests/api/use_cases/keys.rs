use agentwarm_app::ports::keys::{ApiKeys, KeyHash, KeyLookup};
use agentwarm_app::users::Users;
use agentwarm_core::audit::EventType;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{ApiKeyId, UserId};
use agentwarm_core::plan::Plan;

use crate::world::{World, code, paths, tenant};

async fn owner_of(world: &World, secret: &str) -> Option<ApiKeyId> {
    let lookup: &dyn KeyLookup = world.store.as_ref();
    let owner = lookup.owner(&KeyHash::of(secret)).await.unwrap();
    owner.map(|owner| owner.key)
}

fn users(world: &World) -> Users {
    Users {
        keys: world.store.clone(),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
    }
}

#[tokio::test]
async fn a_key_works_from_its_creation_to_its_revocation() {
    let world = World::new();
    let (user, _) = users(&world).create(Plan::Pro).await.unwrap();
    let tenant = (&user).into();

    let issued = world.keys().create(&tenant, "My Agent Key").await.unwrap();
    assert_eq!(owner_of(&world, &issued.secret).await, Some(issued.key.id));
    assert!(
        issued
            .secret
            .starts_with(&issued.key.prefix.replace("...", ""))
    );

    world.keys().revoke(&tenant, issued.key.id).await.unwrap();
    assert_eq!(owner_of(&world, &issued.secret).await, None);
    let events: Vec<_> = world
        .store
        .events()
        .into_iter()
        .map(|event| event.event_type)
        .collect();
    let created = EventType::ApiKeyCreated;
    assert_eq!(events, [created, created, EventType::ApiKeyRevoked]);
}

#[tokio::test]
async fn keys_are_listed_newest_first_without_their_secret() {
    let world = World::new();
    for name in ["first", "second"] {
        world.keys().create(&world.tenant, name).await.unwrap();
        world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    let listed = world.keys().list(&world.tenant).await.unwrap();
    let names: Vec<_> = listed.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["second", "first"]);
}

#[tokio::test]
async fn a_plan_has_so_many_keys_and_revoking_makes_room() {
    let world = World::on_plan(Plan::Free);
    let first = world.keys().create(&world.tenant, "one").await.unwrap();
    let error = world
        .keys()
        .create(&world.tenant, "two")
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), ErrorCode::ValidationFailed);
    assert_eq!(error.details().unwrap()["current"], 1);

    world
        .keys()
        .revoke(&world.tenant, first.key.id)
        .await
        .unwrap();
    assert!(world.keys().create(&world.tenant, "two").await.is_ok());
}

#[tokio::test]
async fn another_users_key_is_not_found() {
    let world = World::new();
    let key = world
        .keys()
        .create(&world.tenant, "mine")
        .await
        .unwrap()
        .key
        .id;
    let stranger = tenant(2, Plan::Pro);
    let refused = world.keys().revoke(&stranger, key).await;
    assert_eq!(code(refused), ErrorCode::ApiKeyNotFound);
    assert_eq!(world.keys().list(&world.tenant).await.unwrap().len(), 1);
}

#[tokio::test]
async fn names_are_one_printable_line() {
    let world = World::new();
    for name in ["", "a\nb", "\u{202e}abc"] {
        assert_eq!(
            paths(world.keys().create(&world.tenant, name).await),
            ["name"]
        );
    }
}

#[tokio::test]
async fn the_operator_lets_a_locked_out_user_in_over_the_limit() {
    let world = World::new();
    let (user, first) = users(&world).create(Plan::Free).await.unwrap();
    let rescue = users(&world).recover_key(user.id).await.unwrap();
    assert!(owner_of(&world, &rescue.secret).await.is_some());
    assert_ne!(*rescue.secret, *first.secret);
    let store: &dyn ApiKeys = world.store.as_ref();
    assert_eq!(store.list(user.id).await.unwrap().len(), 2);

    let nobody = UserId::new(user.created_at, 99);
    let refused = users(&world).recover_key(nobody).await;
    assert_eq!(code(refused), ErrorCode::NotFound);
}
