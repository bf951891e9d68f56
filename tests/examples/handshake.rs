//! A fresh process that makes its first request to a service of AWS by TLS, with the product's clients, and says what that cost: what
//! `make bench` measures the first handshake by. Told: the endpoint, and a file with a root to trust besides Amazon's.
//!
//! It prints the microseconds of processor time up to the first answer, and those of the same request on the connection that stands.

use agentwarm_aws::clients::{AMAZON_ROOTS, ClientSettings, Clients, http_client};
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut told = std::env::args().skip(1);
    let (Some(endpoint), Some(root)) = (told.next(), told.next()) else {
        return Err("told neither an endpoint nor a root".into());
    };
    let mut roots = AMAZON_ROOTS.to_vec();
    roots.extend(std::fs::read(root)?);
    let settings = ClientSettings {
        endpoint: Some(endpoint),
        http: Some(http_client(&roots)?),
        ..ClientSettings::default()
    };
    let dynamodb = Clients::load(settings).await?.dynamodb();
    for _ in 0..2 {
        let before = on_processor()?;
        let tables = dynamodb.list_tables().send().await?;
        assert!(tables.table_names().is_empty(), "no answer of the bench");
        println!("{}", (on_processor()? - before) / 1_000);
    }
    Ok(())
}

/// Nanoseconds that this process, which has one thread, was on a processor: the first field of Linux's `schedstat`.
fn on_processor() -> Result<u64, Error> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = stat.split_whitespace().next().unwrap_or_default();
    Ok(first.parse()?)
}
