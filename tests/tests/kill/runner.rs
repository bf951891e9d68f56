//! The process that is killed: `agentwarm-local`, as `make run` starts it, but for where it believes its servers to be.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::gate::Gate;
use crate::proxies::{EventIds, Proxies};

/// How long a start may take, and a clean stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// What all runners are started with.
pub(crate) struct Launcher {
    binary: PathBuf,
    log: PathBuf,
    proxies: Proxies,
    gate: Gate,
    clock: watch::Receiver<Option<Timestamp>>,
}

/// One running process.
pub(crate) struct Runner(Child);

impl Launcher {
    /// Builds the program, so that it is never an old one. Its output goes to a file beside the build.
    pub(crate) async fn new(
        proxies: Proxies,
        gate: Gate,
        clock: watch::Receiver<Option<Timestamp>>,
    ) -> Self {
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kill-test.log");
        File::create(&log).unwrap();
        println!("the runner's output is in {}", log.display());
        Self {
            binary: build().await,
            log,
            proxies,
            gate,
            clock,
        }
    }

    /// Starts one in which a day takes `day_seconds`, and waits until its clock moves: its functions are hosted, its mailboxes connected.
    pub(crate) async fn start(&mut self, day_seconds: u32, mailboxes: &Path) -> Runner {
        self.gate.open();
        self.clock.mark_unchanged();
        let log = OpenOptions::new().append(true).open(&self.log).unwrap();
        let child = Command::new(&self.binary)
            .env("AWS_ENDPOINT_URL", &self.proxies.emulator)
            .env("AGENTWARM_PORT_IMAPS", self.proxies.imaps_port.to_string())
            .env("AGENTWARM_PORT_SMTP", self.proxies.smtp_port.to_string())
            .env("AGENTWARM_MAILBOXES_FILE", mailboxes)
            .env("AGENTWARM_DAY_SECONDS", day_seconds.to_string())
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut runner = Runner(child);
        let mut clock = self.clock.clone();
        tokio::select! {
            started = timeout(PATIENCE, clock.wait_for(Option::is_some)) => {
                started.expect("the runner did not start in time").unwrap();
            }
            ended = runner.ended() => panic!("the runner ended ({ended}): see {}", self.log.display()),
        }
        runner
    }

    /// Waits until the schedule clock stands at `until` or behind it; a runner that ends by itself fails the test.
    pub(crate) async fn run_until(&mut self, runner: &mut Runner, until: Timestamp) -> Timestamp {
        let mut clock = self.clock.clone();
        tokio::select! {
            now = clock.wait_for(|now| now.is_some_and(|now| now >= until)) => now.unwrap().unwrap(),
            ended = runner.ended() => panic!("the runner ended ({ended}): see {}", self.log.display()),
        }
    }

    /// What reached the bus of all that runners published.
    pub(crate) fn published(&self) -> EventIds {
        self.proxies.published.read()
    }

    /// What the schedule clock says.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.borrow().expect("a runner runs")
    }

    /// Kills it, and drops its connections once it is gone.
    pub(crate) async fn kill(&self, mut runner: Runner) {
        runner.0.start_kill().unwrap();
        runner.0.wait().await.unwrap();
        self.proxies.cut().await;
    }

    /// Lets it finish what it is at, as Ctrl-C does.
    pub(crate) async fn stop(&self, mut runner: Runner) {
        let pid = runner.0.id().unwrap().to_string();
        let told = Command::new("kill").args(["-INT", &pid]).status().await;
        assert!(told.unwrap().success());
        let ended = timeout(PATIENCE, runner.ended()).await;
        let ended = ended.expect("the runner did not stop in time");
        assert!(ended.success(), "{ended}: see {}", self.log.display());
    }
}

impl Runner {
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        self.0.wait().await.unwrap()
    }
}

/// Builds the runner with the cargo that built this test; where it is.
async fn build() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--package",
            "agentwarm-local",
            "--bin",
            "agentwarm-local",
        ])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stderr(Stdio::inherit())
        .output()
        .await
        .unwrap();
    assert!(built.status.success(), "the runner does not build");
    let messages = String::from_utf8(built.stdout).unwrap();
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| Some(message.get("executable")?.as_str()?.to_owned()));
    executable.expect("cargo names the program").into()
}
