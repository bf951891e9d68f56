//! Filing a message that was sent (APPEND, RFC 3501 §6.3.11).

use agentwarm_app::ports::letters::Letter;
use agentwarm_app::ports::mail::{ConnectFailure, Folder};

use super::command::Command;
use super::connection::succeeded;
use super::session::ImapSession;
use crate::dial::Private;
use crate::mime::letter::build_letter;

impl<S: Private> ImapSession<S> {
    /// Without a date of its own, so that the server's `INTERNALDATE` is when it was filed.
    pub(super) async fn file_letter(
        &mut self,
        letter: &Letter,
        folder: Folder,
    ) -> Result<(), ConnectFailure> {
        // It was built for the sending, so it can be built.
        let message = build_letter(letter)
            .map_err(|_unsendable| ConnectFailure::Protocol("a letter cannot be built"))?;
        let target = self.target(folder).await?;
        let append = Command::new("APPEND")
            .string(&target)
            .then("(\\Seen)")
            .literal(message);
        let end = self.connection.run(&append, |_ignored| {}).await?;
        succeeded(&end)
    }
}
