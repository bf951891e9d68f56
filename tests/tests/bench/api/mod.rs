//! How fast each operation answers over HTTP, and what it uses: every documented one, and the list of a user with very many accounts.
//!
//! The requests go through the local stack's gateway to the functions with their own permissions and the emulator, one after the other, warm.
//! Beside them stands a gateway whose function answers at once: what is above it is ours and the emulator's.

mod hello;
mod list;
mod requests;

use agentwarm_core::plan::Plan;
use agentwarm_local::Stack;
use agentwarm_local::http_client::HttpClient;
use agentwarm_local::run::new_user;
use agentwarm_local::settings::RunSettings;
use agentwarm_operator::Issued;
use agentwarm_tests::operations;
use http::{Method, Request, Response};
use tokio::time::Instant;

use crate::table::{figure, median, percentile, table, wrapped};
use crate::usage::{Consumed, What};

/// Requests of each operation that count.
const RUNS: usize = 50;

/// Requests of each operation before them.
const WARM_UP: usize = 3;

/// A working day's morning, UTC.
const BEGIN: &str = "2026-03-11T06:00:00Z";

/// How the figures come about.
const HOW_MEASURED: &str = "How it is measured. Milliseconds are a client's, over loopback with a kept connection, one request at a time, with the emulator on \
     the same cores: they show what is slow beside what, not what AWS takes. Units are those of DynamoDB for one request, the look-up of its \
     key (1 read) and its count in the rate limit (1 write) included; what happens after the answer, in the stream's functions, is not. \
     An `Idempotency-Key` costs two writes more. What a filter keeps back and what is only counted DynamoDB reads all the same and the \
     emulator does not say: with few or no matches a page of the long list costs up to what the system statistics do. How units are counted stands under *Cost of a warmup mail*. What a request needs, such as \
     an account to be deleted, is made before it and not measured.";

/// A deployment, a client and a meter.
pub(super) struct Bench {
    stack: Stack,
    settings: RunSettings,
    client: HttpClient,
    consumed: Consumed,
}

/// A request that is ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) key: String,
    pub(super) body: Vec<u8>,
}

/// What requests of a kind took.
#[derive(Debug, Default)]
pub(super) struct Taken {
    millis: Vec<f64>,
    write: f64,
    read: f64,
    status: u16,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a benchmark: `make bench`"]
async fn of_every_operation() {
    let bench = Bench::begin("bench-api").await;
    let hello = hello::measured(&bench.client).await;
    let mut user = requests::User::settle(&bench).await;
    let mut rows = vec![hello.row("a function that answers at once".to_owned())];
    for operation in operations::all() {
        let taken = user.measured(&operation).await;
        let name = format!("{} {}", operation.method, operation.template);
        rows.push(taken.row(name));
    }
    let many = list::measured(&bench).await;
    let body = [
        wrapped(&format!(
            "`make bench`: {RUNS} warm requests of each documented operation over HTTP on the local stack, by a user with {} mailboxes in a pool.",
            requests::MAILBOXES
        )),
        table(HEAD, rows),
        wrapped(&format!(
            "A user with {} accounts, a third of them paused, at {} domains; pages of {}; {} requests each, so p99 is the slowest:",
            list::ACCOUNTS,
            list::DOMAINS,
            list::PAGE,
            list::RUNS
        )),
        table(HEAD, many),
        wrapped(HOW_MEASURED),
    ];
    crate::document::write("API", &body.join("\n"));
    assert_eq!(bench.stack.take_flaws(), Vec::<String>::new());
    bench.stack.remove().await.unwrap();
}

const HEAD: [&str; 5] = ["request", "p50 ms", "p99 ms", "write units", "read units"];

impl Bench {
    async fn begin(name: &str) -> Self {
        let consumed = Consumed::default();
        let (settings, mut config) = crate::deployment::settings(name);
        config.begin = Some(BEGIN.parse().unwrap());
        config.meter = Some(consumed.meters());
        let unlimited = ("RateLimitPerMinute".to_owned(), "1000000".to_owned());
        config.stack.parameters.extend([unlimited]);
        Self {
            stack: Stack::start(config).await.unwrap(),
            settings,
            client: HttpClient::default(),
            consumed,
        }
    }

    /// A user on the largest plan.
    pub(super) async fn enterprise(&self) -> Issued {
        new_user(&self.settings, &self.stack, Plan::Enterprise)
            .await
            .unwrap()
    }

    /// Sends a request and notes what it took.
    pub(super) async fn take(&self, ready: &Ready, taken: &mut Taken) -> Response<Vec<u8>> {
        let before = self.consumed.read();
        let request = request(&self.stack.api_url(), ready);
        let started = Instant::now();
        let answer = self.client.send(request).await.unwrap();
        taken.millis.push(started.elapsed().as_secs_f64() * 1_000.0);
        let used = self.consumed.read().since(&before);
        taken.write += used.total(What::WriteUnits);
        taken.read += used.total(What::ReadUnits);
        taken.status = answer.status().as_u16();
        answer
    }

    /// The same request so many times, and once before.
    pub(super) async fn repeated(&self, ready: &Ready, runs: usize) -> Taken {
        self.take(ready, &mut Taken::default()).await;
        let mut taken = Taken::default();
        for _ in 0..runs {
            self.take(ready, &mut taken).await;
        }
        taken
    }
}

fn request(url: &str, ready: &Ready) -> Request<Vec<u8>> {
    Request::builder()
        .method(ready.method.clone())
        .uri(format!("{url}{}", ready.path))
        .header("authorization", format!("Bearer {}", ready.key))
        .header("content-type", "application/json")
        .body(ready.body.clone())
        .unwrap()
}

impl Taken {
    /// A line of the table; an answer that is no success is named.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub(super) fn row(&self, name: String) -> [String; 5] {
        let count = self.millis.len() as f64;
        let of = |value: Option<f64>| figure(value.unwrap_or_default());
        let name = match self.status {
            200..300 => name,
            other => format!("{name} → {other}"),
        };
        [
            name,
            of(median(&self.millis)),
            of(percentile(&self.millis, 99)),
            figure(self.write / count),
            figure(self.read / count),
        ]
    }
}
