//! Everything that is logged while a test listens, at every level, by us and by libraries.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::Level;
use tracing::subscriber::{DefaultGuard, set_default, set_global_default};
use tracing_subscriber::fmt::{MakeWriter, fmt};

/// What was logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Listens to this thread until the guard is dropped. Lines are JSON, as on Lambda.
    pub fn of_this_thread() -> (Self, DefaultGuard) {
        let log = Self::default();
        let lines = fmt().json().flatten_event(true).with_current_span(true);
        let lines = lines.with_max_level(Level::TRACE).with_writer(log.clone());
        let guard = set_default(lines.finish());
        (log, guard)
    }

    /// Listens to the whole process, to its end: for tests whose work is done on many threads.
    pub fn of_all() -> Self {
        let log = Self::default();
        let lines = fmt().with_max_level(Level::TRACE).with_writer(log.clone());
        set_global_default(lines.finish()).unwrap();
        log
    }

    /// All of it so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
