//! `api-accounts`: connecting, showing, deleting and trying mailboxes, and linking them to a CRM (API reference §3).

pub mod wire;

use std::sync::Arc;

use agentwarm_app::accounts::test_connection::CONNECT_TIMEOUT;
use agentwarm_app::accounts::{
    CreateAccount, DeleteAccount, OpenDays, ReadAccounts, TestConnection,
};
use agentwarm_app::crm::{CrmLinks, LinkedAccounts};
use agentwarm_app::error::AppError;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{AccountId, CrmLinkId};
use agentwarm_lambda::http::{Answer, ApiError, Caller, Request, Response, Route, Routes};
use agentwarm_lambda::task::Task;
use agentwarm_lambda::world::{World, WorldError};

use wire::{
    Account, AccountDetail, AccountList, ConnectionTest, CreateAccountBody, CreateCrmLink, CrmLink,
    CrmLinkList, ListAccounts, PAGING,
};

/// The use cases behind the operations.
pub struct Accounts {
    /// Connecting.
    pub create: CreateAccount,
    /// Showing.
    pub read: ReadAccounts,
    /// Deleting.
    pub delete: DeleteAccount,
    /// Trying.
    pub test: TestConnection,
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
        clock: world.clock(),
    };
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
        links: CrmLinks {
            accounts: world.account_reads()?,
            links: world.crm_links()?,
            writes: world.crm_link_writes()?,
            clock: world.clock(),
            entropy: world.entropy(),
        },
        linked: LinkedAccounts {
            links: world.crm_links()?,
            accounts: world.account_reads()?,
            days,
        },
    };
    world.http(routes(), accounts)
}

/// The operations.
pub fn routes() -> Routes<Accounts> {
    Routes::new("Accounts")
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
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
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

async fn list(accounts: Arc<Accounts>, caller: Caller, request: Request) -> Answer {
    let ListAccounts { filter, crm, page } = request.query()?;
    let (tenant, Accounts { read, linked, .. }) = (caller.tenant(), accounts.as_ref());
    let found = match crm.as_slice() {
        [] => read.list(&tenant, &filter, &page).await?,
        entities => linked.list(&tenant, entities, &filter, &page).await?,
    };
    let info = PAGING.info(&page, &found);
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
