//! Being asked to end.

use tokio::signal::unix::{SignalKind, signal};

/// Returns at Ctrl-C or SIGTERM. A second one ends the program at once, as it would without us.
pub async fn asked_to_end() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            // Without the handler the signal ends the program by itself.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
