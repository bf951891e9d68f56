//! Being asked to end.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Returns at Ctrl-C, SIGTERM, or when the terminal is closed. A second one ends the program at once.
pub async fn asked_to_end() {
    let (first, asked) = oneshot::channel();
    tokio::spawn(async move {
        let mut signals = Signals::listen();
        signals.next().await;
        if first.send(()).is_ok() {
            signals.next().await;
        }
        std::process::exit(130);
    });
    // The sender is dropped only with the program.
    let _asked = asked.await;
}

/// The signals that mean it. One whose handler cannot be had ends the program by itself, as it would without us.
struct Signals(Vec<Signal>);

impl Signals {
    fn listen() -> Self {
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        Self(
            kinds
                .into_iter()
                .filter_map(|kind| signal(kind).ok())
                .collect(),
        )
    }

    async fn next(&mut self) {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        let arrivals = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures::future::select_all(arrivals).await;
    }
}
