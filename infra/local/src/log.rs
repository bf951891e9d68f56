//! Where this program's log lines go: on a terminal the table owns the screen, so they go to a file.

use std::fs::{File, create_dir_all};
use std::io::{IsTerminal as _, stdout};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged unless `RUST_LOG` says otherwise. Libraries stay quiet: at lower levels mail clients write passwords.
const FILTER: &str = "warn";

/// Begins to log: to `.local/agentwarm.log` under `root` on a terminal, whose path is returned, else to standard error.
pub fn start(root: &Path) -> Option<PathBuf> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    let registry = tracing_subscriber::registry().with(filter);
    let path = root.join(".local/agentwarm.log");
    let file = stdout().is_terminal().then(|| open(&path)).flatten();
    if let Some(file) = file {
        let lines = layer().with_ansi(false).with_writer(Mutex::new(file));
        registry.with(lines).init();
        return Some(path);
    }
    registry.with(layer().with_writer(std::io::stderr)).init();
    None
}

fn open(path: &Path) -> Option<File> {
    create_dir_all(path.parent()?).ok()?;
    File::create(path).ok()
}
