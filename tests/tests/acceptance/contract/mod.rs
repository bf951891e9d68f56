//! The contract, from outside: every documented operation asked with its documented example, and every documented code of each provoked,
//! as far as a client can. What was met is counted, so that an operation or a code that is added is missed here until it is asked for.

mod asking;
mod cast;
mod examples;
mod pipeline;
mod seen;
mod servers;
mod states;

use std::sync::{Arc, Mutex};

use agentwarm_core::plan::Plan;
use agentwarm_local::StackConfig;
use http::Uri;

use asking::Contract;
use seen::Seen;

use crate::proxy::Door;
use crate::world::Deployment;

/// A deployment, and the door to its tables.
async fn begin() -> (Deployment, Door) {
    let mut door = None;
    let deployment = Deployment::begin_with("accept-contract", cast::MORNING, |config| {
        let emulator: Uri = config.emulator.endpoint.parse().unwrap();
        let to_it = Door::to(emulator.port_u16().unwrap());
        config.emulator.endpoint = format!("http://127.0.0.1:{}", to_it.port());
        door = Some(to_it);
        // All that is asked here may be asked within one minute.
        limit(config, 10_000);
    });
    (deployment.await, door.unwrap())
}

/// One that lets a key ask once a minute.
async fn begin_limited() -> Deployment {
    let limited = |config: &mut StackConfig| limit(config, 1);
    Deployment::begin_with("accept-contract-limited", cast::MORNING, limited).await
}

fn limit(config: &mut StackConfig, per_minute: u32) {
    let parameter = ("RateLimitPerMinute".to_owned(), per_minute.to_string());
    config.stack.parameters.extend([parameter]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_as_documented() {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let (deployment, mut tables) = begin().await;
    let mut contract = Contract::of(deployment, Arc::clone(&seen));
    let mut me = cast::newcomer(&contract.deployment.key);
    let key = contract.deployment.another_user(Plan::Pro).await;
    let stranger = cast::stranger(&contract, &key).await;
    let told = examples::tell(&mut contract, &mut me).await;

    pipeline::keys(&contract, &me).await;
    pipeline::bodies(&contract, &me).await;
    pipeline::queries(&contract, &me).await;
    pipeline::reuse(&contract, &me).await;
    pipeline::paths(&contract, &me).await;
    pipeline::others_ids(&contract, &me, &stranger).await;
    states::duplicates(&contract, &me).await;
    states::transitions(&contract, &me, &told).await;
    states::configurations(&contract, &me).await;
    states::providers(&contract, &me, &told).await;
    states::limits(&contract, &me).await;
    servers::refusals(&contract, &me).await;
    servers::silence(&contract, &me).await;
    servers::doubt(&contract, &me).await;
    tables.shut().await;
    pipeline::outage(&contract, &me).await;
    tables.open();
    contract.deployment.end().await;

    let limited = Contract::of(begin_limited().await, Arc::clone(&seen));
    me.key.clone_from(&limited.deployment.key);
    pipeline::limits(&limited, &me).await;
    limited.deployment.end().await;

    let complaints = seen.lock().unwrap().complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
}
