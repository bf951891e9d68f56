//! `make watch`: the same stack in real time, with `cargo lambda watch` between triggers and functions.
//!
//! Each function is a process of its own, built at its first call and again when its source changes. Triggers, resources and the API's
//! port stay here. The processes share one environment, the union of the functions' own, and no gate: what a function may do is held to its
//! policy by `make run` and the tests.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::process::Stdio;

use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::clock::Pace;
use crate::run::{self, RunError};
use crate::settings::RunSettings;
use crate::stack::{Functions, Stack};

/// Between two looks at queues and streams.
const POLL: std::time::Duration = std::time::Duration::from_millis(500);

/// Runs until `stop` is ready; `arguments` go to `cargo lambda watch`.
pub async fn watch(
    settings: &RunSettings,
    arguments: &[&str],
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let address = free_address()
        .await
        .map_err(|source| io("no free port for cargo lambda watch", source))?;
    let config = run::config(settings, Functions::At(address), Pace::Real)?;
    let mut stack = Stack::start(config).await?;
    let environment = stack.union_environment().clone();
    let mut child = start(settings, address, &environment, arguments).map_err(|source| {
        io(
            "cargo lambda watch did not start: run `make install`",
            source,
        )
    })?;
    let mut stop = pin!(stop);
    let ended = tokio::select! {
        ended = serve(settings, &mut stack, address) => ended,
        status = child.wait() => Err(io(
            "cargo lambda watch ended",
            status.map_or_else(|error| error, |status| std::io::Error::other(status.to_string())),
        )),
        () = &mut stop => Ok(()),
    };
    // It has had the same Ctrl-C; if it was not the terminal's, it is told here. Dropping it would leave its children.
    if let Some(id) = child.id() {
        terminate(id).await;
    }
    let _status = child.wait().await;
    ended
}

async fn serve(
    settings: &RunSettings,
    stack: &mut Stack,
    address: SocketAddr,
) -> Result<(), RunError> {
    while TcpStream::connect(address).await.is_err() {
        sleep(POLL).await;
    }
    eprintln!(
        "functions are built at their first call: the first requests may time out, try again"
    );
    let user = run::demo(settings, stack).await?;
    run::announce(stack, &user);
    loop {
        run::real_time(stack).await?;
        sleep(POLL).await;
    }
}

async fn free_address() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    listener.local_addr()
}

fn start(
    settings: &RunSettings,
    address: SocketAddr,
    environment: &BTreeMap<String, String>,
    arguments: &[&str],
) -> std::io::Result<Child> {
    Command::new("cargo")
        .args(["lambda", "watch", "--invoke-address"])
        .arg(address.ip().to_string())
        .arg("--invoke-port")
        .arg(address.port().to_string())
        .args(arguments)
        .envs(environment)
        .current_dir(&settings.root)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

async fn terminate(id: u32) {
    let told = Command::new("kill")
        .arg("-TERM")
        .arg(id.to_string())
        .status()
        .await;
    if let Err(error) = told {
        tracing::warn!(target: "agentwarm_local::watch", %error, "cargo lambda watch was not told to end");
    }
}

fn io(what: &str, source: std::io::Error) -> RunError {
    RunError::Io {
        what: what.to_owned(),
        source,
    }
}
