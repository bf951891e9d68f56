//! `api-accounts`: connecting, showing, changing, deleting and trying mailboxes, and linking them to a CRM (API reference §3).

mod mails;
pub mod wire;

use std::sync::Arc;

use agentwarm_app::accounts::test_connection::CONNECT_TIMEOUT;
use agentwarm_app::accounts::{
    CreateAccount, DeleteAccount, OpenDays, Personas, ReadAccounts, ReplaceCredentials,
    TestConnection, UpdateAccount,
};
use agentwarm_app::crm::{CrmLinks, LinkedAccounts};
use agentwarm_app::error::AppError;
use agentwarm_app::mailbox::{BeginUpload, ReadMessages, SendMail};
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{AccountId, CrmLinkId};
use agentwarm_lambda::http::{
    AccountIds, Answer, ApiError, Batch, Caller, PartialFailure, Request, Response, Route, Routes,
};
use agentwarm_lambda::task::Task;
use agentwarm_lambda::world::{World, WorldError};

use wire::{
    Account, AccountDetail, AccountList, AccountPersona, ConnectionTest, CreateAccountBody,
    CreateAccountsBody, CreateCrmLink, CreatedItem, CredentialsUpdated, CrmLink, CrmLinkList,
    ListAccounts, PAGING, PersonaBody, ReplaceCredentialsBody, TestedItem, UpdateAccountBody,
};

/// The use cases behind the operations.
pub struct Accounts {
    /// Connecting.
    pub create: CreateAccount,
    /// Showing.
    pub read: ReadAccounts,
    /// Changing.
    pub update: UpdateAccount,
    /// New credentials.
    pub credentials: ReplaceCredentials,
    /// Who writes their mails.
    pub personas: Personas,
    /// Deleting.
    pub delete: DeleteAccount,
    /// Trying.
    pub test: TestConnection,
    /// Sending a mail.
    pub send: SendMail,
    /// Announcing their files.
    pub uploads: BeginUpload,
    /// Showing messages.
    pub messages: ReadMessages,
    /// Links to a CRM.
    pub links: CrmLinks,
    /// Showing what is linked to a CRM's record.
    pub linked: LinkedAccounts,
}

const LINKS: &str = "/api/accounts/{id}/crm-links";

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let days = OpenDays {
        plans: world.plans()?,
        figures: world.figures()?,
        clock: world.clock(),
    };
    let uploads = world.uploads()?;
    let accounts = Accounts {
        create: CreateAccount {
            accounts: world.account_life()?,
            pools: world.pool_writes()?,
            vault: world.vault()?,
            endpoints: world.imap_smtp()?,
            clock: world.clock(),
            entropy: world.entropy(),
        },
        read: ReadAccounts {
            accounts: world.account_reads()?,
            days: days.clone(),
        },
        update: UpdateAccount {
            accounts: world.account_reads()?,
            updates: world.account_updates()?,
            roster: world.roster()?,
            due: world.due_index()?,
            days: days.clone(),
            clock: world.clock(),
        },
        credentials: ReplaceCredentials {
            accounts: world.account_reads()?,
            updates: world.account_updates()?,
            vault: world.vault()?,
            endpoints: world.imap_smtp()?,
            mailboxes: world.mailboxes()?,
            visits: world.visit_queue()?,
            clock: world.clock(),
        },
        personas: Personas {
            accounts: world.account_reads()?,
            updates: world.account_updates()?,
            clock: world.clock(),
        },
        delete: DeleteAccount {
            accounts: world.account_reads()?,
            links: world.crm_links()?,
            life: world.account_life()?,
            roster: world.roster()?,
            mailboxes: world.mailboxes()?,
            clock: world.clock(),
        },
        test: TestConnection {
            accounts: world.account_reads()?,
            vault: world.vault()?,
            sender: world.imap_smtp()?,
            reader: world.imap_smtp()?,
            clock: world.clock(),
            connect_timeout: CONNECT_TIMEOUT,
        },
        send: mails::send_mail(world, uploads.clone())?,
        uploads: BeginUpload {
            accounts: world.account_reads()?,
            uploads,
            clock: world.clock(),
            entropy: world.entropy(),
        },
        messages: mails::read_messages(world)?,
        links: crm_links(world)?,
        linked: LinkedAccounts {
            links: world.crm_links()?,
            accounts: world.account_reads()?,
            days,
        },
    };
    world.http(routes(), accounts)
}

fn crm_links(world: &World) -> Result<CrmLinks, WorldError> {
    Ok(CrmLinks {
        accounts: world.account_reads()?,
        links: world.crm_links()?,
        writes: world.crm_link_writes()?,
        clock: world.clock(),
        entropy: world.entropy(),
    })
}

/// The operations.
pub fn routes() -> Routes<Accounts> {
    with_batches(with_links(mails::with_mails(with_changes(with_life(
        Routes::new("Accounts"),
    )))))
}

/// From their creation to their end.
fn with_life(routes: Routes<Accounts>) -> Routes<Accounts> {
    routes
        .with(
            Route::get("/api/accounts", list)
                .named("listAccounts", "List email accounts")
                .filters::<ListAccounts>()
                .answers::<AccountList>(200, "A page of your accounts, newest first")
                .such_as(wire::list_example),
        )
        .with(
            Route::post("/api/accounts", create)
                .named("createAccount", "Create an email account")
                .about(
                    "Connects to nothing: use test-connection. An address can be registered once.",
                )
                .takes::<CreateAccountBody>()
                .for_example(wire::create_example)
                .answers::<Account>(201, "The new account")
                .such_as(wire::account_example)
                .fails_with(&[
                    ErrorCode::AccountAlreadyExists,
                    ErrorCode::WarmupPoolNotFound,
                    ErrorCode::AccountPoolAssignmentFailed,
                ]),
        )
        .with(
            Route::get("/api/accounts/{id}", get)
                .named("getAccount", "Get an account with full details")
                .answers::<AccountDetail>(200, "The account")
                .such_as(wire::detail_example)
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
        .with(
            Route::delete("/api/accounts/{id}", delete)
                .named("deleteAccount", "Delete an account")
                .about("Removes it from all pools and cancels what it was to send.")
                .answers_nothing(204, "It is gone")
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
        .with(
            Route::post("/api/accounts/{id}/test-connection", test)
                .named("testAccountConnection", "Test IMAP and SMTP connectivity")
                .about("Answers 200 whether or not the servers let us in: see `overall`.")
                .answers::<ConnectionTest>(200, "How both attempts went")
                .such_as(wire::test_example)
                .fails_with(&[ErrorCode::AccountNotFound, ErrorCode::ProviderNotConfigured]),
        )
}

/// Its links to a CRM.
fn with_links(routes: Routes<Accounts>) -> Routes<Accounts> {
    routes
        .with(
            Route::get(LINKS, list_links)
                .named("listCrmLinks", "List an account's CRM links")
                .answers::<CrmLinkList>(200, "Its links, newest first")
                .such_as(wire::links_example)
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
        .with(
            Route::post(LINKS, create_link)
                .named(
                    "createCrmLink",
                    "Link an account to a CRM person or account",
                )
                .about("A link that says exactly the same is made once and answered again.")
                .takes::<CreateCrmLink>()
                .for_example(wire::create_link_example)
                .answers::<CrmLink>(201, "The link")
                .such_as(wire::link_example)
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
        .with(
            Route::delete("/api/accounts/{id}/crm-links/{linkId}", delete_link)
                .named("deleteCrmLink", "Remove a CRM link")
                .answers_nothing(204, "It is gone")
                .fails_with(&[ErrorCode::AccountNotFound, ErrorCode::CrmLinkNotFound]),
        )
}

/// What is changed of one.
fn with_changes(routes: Routes<Accounts>) -> Routes<Accounts> {
    routes
        .with(
            Route::patch("/api/accounts/{id}", update)
                .named(
                    "updateAccount",
                    "Change an account's name, time zone or status",
                )
                .about("What is left out stays. A new time zone counts from the next planned day.")
                .takes::<UpdateAccountBody>()
                .for_example(wire::update_example)
                .answers::<AccountDetail>(200, "The account as it is now")
                .such_as(wire::detail_example)
                .fails_with(&[
                    ErrorCode::AccountNotFound,
                    ErrorCode::AccountInvalidStatusTransition,
                ]),
        )
        .with(
            Route::patch("/api/accounts/{id}/credentials", replace_credentials)
                .named(
                    "replaceAccountCredentials",
                    "Replace an account's credentials",
                )
                .about("An account in error is tried with them at once.")
                .takes::<ReplaceCredentialsBody>()
                .for_example(wire::replace_example)
                .answers::<CredentialsUpdated>(200, "They are stored")
                .such_as(wire::credentials_example)
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
        .with(
            Route::get("/api/accounts/{id}/persona", persona)
                .named(
                    "getAccountPersona",
                    "Get the person that an account's mails are written as",
                )
                .answers::<AccountPersona>(200, "The persona")
                .such_as(wire::persona_example)
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
        .with(
            Route::put("/api/accounts/{id}/persona", set_persona)
                .named(
                    "setAccountPersona",
                    "Set the person that an account's mails are written as",
                )
                .takes::<PersonaBody>()
                .for_example(wire::persona_body_example)
                .answers::<AccountPersona>(200, "The persona")
                .such_as(wire::persona_example)
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
}

/// Many at once.
fn with_batches(routes: Routes<Accounts>) -> Routes<Accounts> {
    routes
        .with(
            Route::post("/api/accounts/batch", create_batch)
                .named("createAccounts", "Create up to 50 accounts")
                .about("Each by itself: what fails for one is that one's result.")
                .takes::<CreateAccountsBody>()
                .for_example(wire::create_batch_example)
                .answers::<Batch<CreatedItem>>(201, "All were created")
                .such_as(wire::created_batch_example)
                .answers::<PartialFailure<CreatedItem>>(207, "Some were not")
                .such_as(wire::partly_created_batch_example),
        )
        .with(
            Route::post("/api/accounts/batch/test-connection", test_batch)
                .named(
                    "testAccountConnections",
                    "Test the connectivity of up to 100 accounts",
                )
                .about("An account whose servers do not both let us in counts as failed.")
                .takes::<AccountIds>()
                .for_example(wire::test_batch_example)
                .answers::<Batch<TestedItem>>(200, "All can be used")
                .such_as(wire::tested_batch_example)
                .answers::<PartialFailure<TestedItem>>(207, "Some cannot")
                .such_as(wire::partly_tested_batch_example),
        )
}

async fn list(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let ListAccounts {
        filter,
        crm,
        wanted,
    } = request.query()?;
    let (tenant, Accounts { read, linked, .. }) = (caller.tenant(), accounts.as_ref());
    let found = match crm.as_slice() {
        [] => read.list(&tenant, &filter, &wanted.page).await?,
        entities => {
            linked
                .list(&tenant, entities, &filter, &wanted.page)
                .await?
        }
    };
    let info = PAGING.info(&wanted, &found);
    Response::ok(&AccountList::new(&found.items, info))
}

async fn create(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let CreateAccountBody(new) = request.json()?;
    let created = accounts.create.create(&caller.tenant(), new).await?;
    Response::created(&Account::from(&created))
}

async fn get(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let account = accounts.read.get(&caller.tenant(), id(&request)?).await?;
    Response::ok(&AccountDetail::from(&account))
}

async fn update(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let id = id(&request)?;
    let UpdateAccountBody(changes) = request.json()?;
    let account = accounts
        .update
        .update(&caller.tenant(), id, &changes)
        .await?;
    Response::ok(&AccountDetail::from(&account))
}

async fn replace_credentials(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let id = id(&request)?;
    let ReplaceCredentialsBody {
        provider,
        credentials,
    } = request.json()?;
    let account = accounts
        .credentials
        .replace(&caller.tenant(), id, provider, &credentials)
        .await?;
    Response::ok(&CredentialsUpdated::from(&account))
}

async fn persona(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let id = id(&request)?;
    let persona = accounts.personas.get(&caller.tenant(), id).await?;
    Response::ok(&AccountPersona::new(id, &persona))
}

async fn set_persona(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let id = id(&request)?;
    let PersonaBody(own) = request.json()?;
    let persona = accounts.personas.set(&caller.tenant(), id, &own).await?;
    Response::ok(&AccountPersona::new(id, &persona))
}

async fn create_batch(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let CreateAccountsBody(named) = request.json()?;
    let (emails, new) = named.into_iter().unzip();
    let created = accounts
        .create
        .create_each(&caller.tenant(), new, request.deadline())
        .await;
    wire::created(emails, created).into_created()
}

async fn test_batch(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let AccountIds(ids) = request.json()?;
    let tested = accounts
        .test
        .test_each(&caller.tenant(), &ids, request.deadline())
        .await;
    wire::tested(ids, tested).into_ok()
}

async fn delete(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    accounts
        .delete
        .delete(&caller.tenant(), id(&request)?)
        .await?;
    Response::no_content()
}

async fn test(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let report = accounts.test.test(&caller.tenant(), id(&request)?).await?;
    Response::ok(&ConnectionTest::from(&report))
}

async fn list_links(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let links = accounts.links.list(&caller.tenant(), id(&request)?).await?;
    Response::ok(&CrmLinkList::from(links))
}

async fn create_link(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let account = id(&request)?;
    let CreateCrmLink { ids, source } = request.json()?;
    let link = accounts
        .links
        .create(&caller.tenant(), account, &ids, &source)
        .await?;
    Response::created(&CrmLink::from(link))
}

async fn delete_link(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let account = id(&request)?;
    let link: CrmLinkId = request.path_id("linkId", AppError::CrmLinkNotFound)?;
    accounts
        .links
        .remove(&caller.tenant(), account, link)
        .await?;
    Response::no_content()
}

fn id(request: &Request) -> Result<AccountId, ApiError> {
    request.path_id("id", AppError::AccountNotFound)
}
