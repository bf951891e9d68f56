use std::sync::Arc;

use agentwarm_app::health::Health;
use agentwarm_app::ports::health::{LeaseCount, QueueDepth};
use agentwarm_testkit::memory::health::Condition;
use jiff::SignedDuration;

use crate::world::{World, now};

fn health(world: &World) -> Health {
    Health {
        probes: world.probes.clone(),
        leases: world.probes.clone(),
        scheduler: world.probes.clone(),
        clock: Arc::clone(&world.clock) as _,
    }
}

fn condition(world: &World) -> Condition {
    Condition {
        queues: vec![QueueDepth {
            queue: "send".to_owned(),
            waiting: 3,
            in_flight: 1,
            delayed: 40,
        }],
        leases: LeaseCount {
            active: 12,
            total: 54,
        },
        handed_out_to: Some(now(world) - SignedDuration::from_secs(90)),
        ..Condition::default()
    }
}

#[tokio::test]
async fn what_does_not_answer_makes_it_unready() {
    let world = World::new();
    world.probes.set(condition(&world));
    assert!(health(&world).readiness().await.is_ready());

    world.probes.set(Condition {
        database_down: true,
        ..condition(&world)
    });
    let readiness = health(&world).readiness().await;
    assert!(!readiness.is_ready());
    assert!(readiness.database.is_none() && readiness.queues.is_some());
}

#[tokio::test]
async fn metrics_are_aggregates_in_prometheus_text() {
    let world = World::new();
    world.probes.set(condition(&world));
    insta::assert_snapshot!(health(&world).metrics("0.1.0").await, @r#"
    # HELP agentwarm_up Whether everything that is measured could be read.
    # TYPE agentwarm_up gauge
    agentwarm_up 1
    # HELP agentwarm_build_info The version that runs.
    # TYPE agentwarm_build_info gauge
    agentwarm_build_info{version="0.1.0"} 1
    # HELP agentwarm_queue_messages Messages in a queue, about.
    # TYPE agentwarm_queue_messages gauge
    agentwarm_queue_messages{queue="send",state="waiting"} 3
    agentwarm_queue_messages{queue="send",state="in_flight"} 1
    agentwarm_queue_messages{queue="send",state="delayed"} 40
    # HELP agentwarm_mailbox_leases Mailboxes that are held for a visit, about.
    # TYPE agentwarm_mailbox_leases gauge
    agentwarm_mailbox_leases{state="active"} 12
    agentwarm_mailbox_leases{state="idle"} 42
    # HELP agentwarm_scheduler_lag_seconds How long ago that lies up to which the slowest shard's due work was handed out.
    # TYPE agentwarm_scheduler_lag_seconds gauge
    agentwarm_scheduler_lag_seconds 90
    "#);
}

#[tokio::test]
async fn metrics_without_queues_say_that_something_is_missing() {
    let world = World::new();
    world.probes.set(Condition {
        queues_down: true,
        ..condition(&world)
    });
    let metrics = health(&world).metrics("0.1.0").await;
    assert!(metrics.contains("agentwarm_up 0\n"));
    assert!(!metrics.contains("agentwarm_queue_messages"));
    assert!(metrics.contains("agentwarm_scheduler_lag_seconds 90"));
}
