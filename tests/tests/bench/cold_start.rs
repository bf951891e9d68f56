//! What a function's start costs: from the process to its first question for work.
//!
//! Each binary that would be deployed is started against a runtime API that only notes the first `GET …/next`, and read out of `/proc` at that instant.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use agentwarm_local::Stack;
use agentwarm_local::registry::functions;
use tokio::time::Instant;

use crate::handshake::Handshake;
use crate::machine::first_value;
use crate::table::{figure, median, table, wrapped};

/// How often each binary is started; the middle one counts.
const RUNS: usize = 15;

/// The function that does nothing: `tests/examples/hello.rs`.
const HELLO: &str = "hello";

/// What Lambda tells every function.
const LAMBDA: [(&str, &str); 6] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a benchmark: `make bench`"]
async fn of_every_function() {
    let environment = environment().await;
    let handshake = Handshake::measured(&folder().join("examples")).await;
    let starts = tokio::task::spawn_blocking(move || report(&environment));
    let body = format!(
        "{}\n{}",
        starts.await.unwrap(),
        wrapped(&handshake.sentence())
    );
    crate::document::write("Cold start", &body);
}

/// The environment of all functions together, as the template gives it.
async fn environment() -> BTreeMap<String, String> {
    let (_, config) = crate::deployment::settings("bench-start");
    let stack = Stack::start(config).await.unwrap();
    let environment = stack.union_environment().clone();
    stack.remove().await.unwrap();
    environment
}

fn report(environment: &BTreeMap<String, String>) -> String {
    let binaries = binaries();
    let mut starts: BTreeMap<&str, Vec<Start>> = BTreeMap::new();
    // One after the other and again, so that a busy moment meets all of them.
    for _ in 0..RUNS {
        for (name, path) in &binaries {
            starts
                .entry(name)
                .or_default()
                .push(start(path, environment));
        }
    }
    let rows = binaries.iter().map(|(name, path)| {
        let starts = &starts[name.as_str()];
        let middle = |of: fn(&Start) -> f64| {
            let values: Vec<f64> = starts.iter().map(of).collect();
            figure(median(&values).unwrap())
        };
        [
            name.clone(),
            middle(|start| start.cpu_millis),
            middle(|start| start.wall_millis),
            middle(|start| start.peak_megabytes),
            figure(megabytes(std::fs::metadata(path).unwrap().len())),
            figure(megabytes(deflated(path))),
        ]
    });
    let head = [
        "function", "CPU ms", "wall ms", "peak MB", "file MB", "zip MB",
    ];
    let text = format!(
        "`make bench`: spawn to the first poll of the runtime API, medians of {RUNS} starts of each binary as it is deployed \
         (profile `deploy`), of this machine's architecture; `{HELLO}` is `lambda_http` and nothing else. The binaries are read from the page cache: a first start on Lambda also \
         loads them. Zip is deflate at level 9. Goals: ≤ 6 ms of CPU, ≤ 12 MB with clients built, zip ≤ 5 MB."
    );
    format!("{}\n{}", wrapped(&text), table(head, rows))
}

/// Where the binaries of the profile `deploy` are: beside this one's.
fn folder() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    this.ancestors().nth(3).unwrap().join("deploy")
}

/// The binaries, the one that does nothing first.
fn binaries() -> Vec<(String, PathBuf)> {
    let folder = folder();
    let functions = functions();
    let ours = functions.folders().map(|name| (name, folder.join(name)));
    let all = std::iter::once((HELLO, folder.join("examples").join(HELLO))).chain(ours);
    all.map(|(name, path)| {
        assert!(
            path.exists(),
            "{} is not built: run `make bench`",
            path.display()
        );
        (name.to_owned(), path)
    })
    .collect()
}

/// One start.
#[derive(Debug, Clone, Copy)]
struct Start {
    wall_millis: f64,
    cpu_millis: f64,
    peak_megabytes: f64,
}

fn start(binary: &Path, environment: &BTreeMap<String, String>) -> Start {
    let runtime = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = runtime.local_addr().unwrap().to_string();
    let started = Instant::now();
    let child = Command::new(binary)
        .env_clear()
        .envs(environment)
        .envs(LAMBDA)
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut process = Process(child);
    // Held until the process was read out: one whose question is cut off ends.
    let _question = process.first_question(&runtime);
    let wall_millis = started.elapsed().as_secs_f64() * 1_000.0;
    let (cpu_millis, peak_megabytes) = process.used();
    Start {
        wall_millis,
        cpu_millis,
        peak_megabytes,
    }
}

/// A function's process, ended when it goes out of scope.
struct Process(Child);

impl Process {
    /// Waits until it asks for work; the connection on which it waits for an answer.
    fn first_question(&mut self, runtime: &TcpListener) -> TcpStream {
        runtime.set_nonblocking(true).unwrap();
        let mut connection = loop {
            match runtime.accept() {
                Ok((connection, _)) => break connection,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    let ended = self.0.try_wait().unwrap();
                    assert!(
                        ended.is_none(),
                        "it ended before it asked for work: {ended:?}"
                    );
                    std::thread::yield_now();
                }
                Err(error) => panic!("{error}"),
            }
        };
        connection.set_nonblocking(false).unwrap();
        let mut question = [0; 1_024];
        let length = connection.read(&mut question).unwrap();
        let question = String::from_utf8_lossy(&question[..length]).into_owned();
        assert!(question.contains("/runtime/invocation/next"), "{question}");
        connection
    }

    /// Its processor time in milliseconds, and its largest resident size in megabytes.
    fn used(&self) -> (f64, f64) {
        let folder = PathBuf::from(format!("/proc/{}", self.0.id()));
        let threads = std::fs::read_dir(folder.join("task")).unwrap();
        let nanoseconds: u64 = threads
            .filter_map(|thread| {
                std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()
            })
            .filter_map(|stat| on_processor(&stat))
            .sum();
        let status = std::fs::read_to_string(folder.join("status")).unwrap();
        let peak = first_value(&status, "VmHWM").and_then(|peak| kilobytes(&peak));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        (nanoseconds as f64 / 1e6, peak.unwrap() / 1_024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Nanoseconds on a processor: the first field of Linux's `schedstat`.
fn on_processor(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

fn kilobytes(text: &str) -> Option<f64> {
    text.strip_suffix(" kB")?.trim().parse().ok()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The size of a file when it is packed.
fn deflated(path: &Path) -> u64 {
    let packed = Command::new("gzip").args(["-9", "-c"]).arg(path).output();
    u64::try_from(packed.unwrap().stdout.len()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_is_read() {
        assert_eq!(on_processor("1234567 89 3\n"), Some(1_234_567));
        assert_eq!(
            kilobytes("7212 kB").map(|peak| peak / 1_024.0),
            Some(7.042_968_75)
        );
        assert_eq!(kilobytes("7212"), None);
    }
}
