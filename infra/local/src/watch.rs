//! `make watch`: the same stack in real time, with `cargo lambda watch` between triggers and functions.
//!
//! Each function is a process of its own, built again when its source changes. Triggers, resources and the API's
//! port stay here. The processes share one environment, the union of the functions' own, and no gate: what a function may do is held to its
//! policy by `make run` and the tests.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::process::Stdio;

use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use http::StatusCode;

use crate::api_client::{ApiClient, ApiError};
use crate::clock::Pace;
use crate::demo::DemoError;
use crate::registry::functions;
use crate::run::{self, RunError, Shown};
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
    build(settings).await?;
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
    let user = loop {
        match run::demo(settings, stack).await {
            // The function is still being built: somebody edited it meanwhile.
            Err(RunError::Demo(DemoError::Api(ApiError::Refused { status, .. })))
                if status == StatusCode::GATEWAY_TIMEOUT => {}
            made => break made?,
        }
    };
    run::announce(stack, &user);
    run::say(&format!(
        "one function alone: cargo lambda invoke job-scheduler-tick --data-file events/job-scheduler-tick.minute.json --invoke-address {} \
         --invoke-port {} (cargo-lambda is in .local/venv-tools/bin)\n",
        address.ip(),
        address.port()
    ));
    let api = ApiClient::new(stack.api_url(), &user.view_key);
    let mut shown = Shown::new();
    loop {
        run::real_time(stack).await?;
        shown.update(stack, &api).await;
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
    Command::new("cargo-lambda")
        .args(["lambda", "watch", "--invoke-address"])
        .arg(address.ip().to_string())
        .arg("--invoke-port")
        .arg(address.port().to_string())
        .args(arguments)
        .env("CARGO", settings.root.join("infra/local/watch-cargo.sh"))
        .envs(environment)
        .current_dir(&settings.root)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

/// Builds all functions, so that their first calls do not wait for a compiler: a request waits for 29 seconds only.
async fn build(settings: &RunSettings) -> Result<(), RunError> {
    run::say("building the functions");
    let mut build = Command::new("cargo");
    build
        .arg("build")
        .current_dir(&settings.root)
        .kill_on_drop(true);
    for folder in functions().folders() {
        build.args(["--package", folder]);
    }
    let built = build.status().await;
    match built {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(io(
            "the functions were not built",
            std::io::Error::other("see above"),
        )),
        Err(error) => Err(io("cargo did not start", error)),
    }
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
