//! One virtual day of the demo through every real function, queue, stream and mail server. `make test` starts what it needs.
#![expect(clippy::unwrap_used, reason = "a test that is surprised should stop")]

use agentwarm_local::api_client::ApiClient;
use agentwarm_local::clock::Pace;
use agentwarm_local::registry::functions;
use agentwarm_local::run::{config, demo};
use agentwarm_local::settings::RunSettings;
use agentwarm_local::view::{rows, table};
use agentwarm_local::{Functions, Stack};
use jiff::Timestamp;

#[tokio::test(flavor = "multi_thread")]
async fn six_mailboxes_warm_each_other_for_a_day_within_their_permissions() {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let mut settings = RunSettings::from_environment().unwrap();
    settings.api.set_port(0);
    settings.pace = Pace::DayIn(std::time::Duration::ZERO);
    let mut config = config(&settings, Functions::Here(functions()), settings.pace).unwrap();
    config.stack.name = "local-day".to_owned();
    let morning: Timestamp = "2026-03-13T06:00:00Z".parse().unwrap();
    config.begin = Some(morning);
    let mut stack = Stack::start(config).await.unwrap();
    let user = demo(&settings, &stack).await.unwrap();
    let api = ApiClient::new(stack.api_url(), &user.key);

    let started = tokio::time::Instant::now();
    stack
        .run_until("2026-03-13T19:00:00Z".parse().unwrap())
        .await
        .unwrap();
    println!("13 virtual hours in {:?}", started.elapsed());
    let rows = rows(&api).await.unwrap();
    println!("{}", table("2026-03-13T19:00:00Z".parse().unwrap(), &rows));
    let accounts = api.get("/api/accounts").await.unwrap();
    for account in accounts["accounts"].as_array().unwrap() {
        let id = account["id"].as_str().unwrap();
        println!("{account:#}");
        println!("{:#}", api.get(&format!("/api/warmup/schedule/{id}")).await.unwrap());
        break;
    }
    println!("{:#?}", stack.requests());
    println!("unused: {:#?}", stack.unused_grants());
    println!("failures: {:#?}", stack.take_failures());
    assert_eq!(stack.refusals(), Vec::<String>::new());
    assert_eq!(rows.iter().map(|row| row.sent).sum::<u64>(), 12);
    stack.remove().await.unwrap();
}
