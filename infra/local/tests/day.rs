//! One virtual day of the demo through every real function, queue, stream and mail server. `make test` starts what it needs.

#![allow(clippy::unwrap_used, reason = "a test that is surprised should stop")]

use agentwarm_local::api_client::ApiClient;
use agentwarm_local::clock::Pace;
use agentwarm_local::registry::functions;
use agentwarm_local::run::{config, demo};
use agentwarm_local::settings::RunSettings;
use agentwarm_local::view::rows;
use agentwarm_local::{Functions, Stack};
use jiff::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn six_mailboxes_warm_each_other_for_a_day_within_their_permissions() {
    let mut settings = RunSettings::from_environment().unwrap();
    settings.api.set_port(0);
    settings.pace = Pace::DayIn(std::time::Duration::ZERO);
    let mut config = config(&settings, Functions::Here(functions()), settings.pace).unwrap();
    config.stack.name = "local-day".to_owned();
    config.begin = Some(at("2026-03-13T06:00:00Z"));
    config.remember = true;
    let mut stack = Stack::start(config).await.unwrap();
    let user = demo(&settings, &stack).await.unwrap();
    let api = ApiClient::new(stack.api_url(), &user.key);

    stack.run_until(at("2026-03-13T19:00:00Z")).await.unwrap();
    let rows = rows(&api).await.unwrap();
    assert_eq!(rows.len(), 6);
    // Two mails each on the first day; whatever they found, somebody sent.
    assert_eq!(rows.iter().map(|row| row.sent).sum::<u64>(), 12);
    assert_eq!(stack.take_flaws(), Vec::<String>::new());
    stack.remove().await.unwrap();
}
