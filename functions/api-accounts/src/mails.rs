//! Sending mails and showing messages.

use std::sync::Arc;

use agentwarm_app::mailbox::{Allowance, ReadMessages, SendMail};
use agentwarm_app::ports::uploads::Uploads;
use agentwarm_core::error::ErrorCode;
use agentwarm_lambda::http::{Answer, Caller, Request, Response, Route, Routes};
use agentwarm_lambda::world::{World, WorldError};

use crate::wire::{self, ListMessages, MessageList, SendBody, SentMail, Upload, UploadBody};
use crate::{Accounts, id};

/// Sending, with the files in `uploads`.
pub(crate) fn send_mail(world: &World, uploads: Arc<dyn Uploads>) -> Result<SendMail, WorldError> {
    Ok(SendMail {
        accounts: world.account_reads()?,
        vault: world.vault()?,
        sender: world.imap_smtp()?,
        reader: world.imap_smtp()?,
        uploads,
        allowance: Allowance {
            plans: world.plans()?,
            figures: world.figures()?,
            sent: world.hand_sent()?,
            test_mode: world.test_mode_rule()?,
            clock: world.clock(),
        },
        clock: world.clock(),
        entropy: world.entropy(),
    })
}

/// Showing messages.
pub(crate) fn read_messages(world: &World) -> Result<ReadMessages, WorldError> {
    Ok(ReadMessages {
        accounts: world.account_reads()?,
        vault: world.vault()?,
        reader: world.imap_smtp()?,
        clock: world.clock(),
    })
}

/// What users do with the mailbox themselves.
pub(crate) fn with_mails(routes: Routes<Accounts>) -> Routes<Accounts> {
    routes.with(
        Route::get("/api/accounts/{id}/messages", messages)
            .named("listMessages", "List messages of an account")
            .about("Looks into the mailbox without changing it: nothing is marked as read. Warmup's own mails are left out.")
            .filters::<ListMessages>()
            .answers::<MessageList>(200, "The messages, newest first")
            .such_as(wire::messages_example)
            .fails_with(&[
                ErrorCode::AccountNotFound,
                ErrorCode::AccountConnectionFailed,
                ErrorCode::ProviderNotConfigured,
            ]),
    )
    .with(
        Route::post("/api/accounts/{id}/send", send)
            .named("sendEmail", "Send an email from an account")
            .about(
                "To all recipients or to none. With an Idempotency-Key a mail is sent at most once, whatever breaks: where nobody can tell \
                 whether it was sent, the answer is SEND_OUTCOME_UNKNOWN with its Message-ID. Each mail counts against the plan's and \
                 test mode's mails a day.",
            )
            .takes::<SendBody>()
            .up_to(wire::MAX_BODY, wire::TOO_LARGE)
            .for_example(wire::send_example)
            .answers::<SentMail>(200, "The server took it")
            .such_as(wire::sent_example)
            .fails_with(&[
                ErrorCode::AccountNotFound,
                ErrorCode::AccountConnectionFailed,
                ErrorCode::ProviderNotConfigured,
                ErrorCode::ProviderUnavailable,
                ErrorCode::SendOutcomeUnknown,
            ]),
    )
    .with(
        Route::post("/api/accounts/{id}/attachments", upload)
            .named("createUpload", "Upload a file before the mail that it is attached to")
            .about(
                "For files that do not fit into a request. PUT the file to the url with the headers, before expiresAt; then name its uploadId \
                 instead of a content in the attachments of this account's mails, for a day.",
            )
            .takes::<UploadBody>()
            .for_example(wire::upload_body_example)
            .answers::<Upload>(201, "Where the file goes")
            .such_as(wire::upload_example)
            .fails_with(&[ErrorCode::AccountNotFound, ErrorCode::ProviderUnavailable]),
    )
}

async fn messages(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let account = id(&request)?;
    let ListMessages(wanted) = request.query()?;
    let found = accounts
        .messages
        .list(&caller.tenant(), account, &wanted, request.deadline())
        .await?;
    Response::ok(&MessageList::new(&wanted.folder, found))
}

async fn send(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let account = id(&request)?;
    let SendBody(draft) = request.json()?;
    let (attempt, deadline) = (request.checkpoint(), request.deadline());
    let sent = accounts
        .send
        .send(&caller.tenant(), account, draft, attempt, deadline)
        .await?;
    Response::ok(&SentMail::from(&sent))
}

async fn upload(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let account = id(&request)?;
    let UploadBody { size } = request.json()?;
    let announced = accounts
        .uploads
        .begin(&caller.tenant(), account, size)
        .await?;
    Response::created(&Upload::from(announced))
}
