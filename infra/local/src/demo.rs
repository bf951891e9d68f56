//! The demo: a user, a key, a pool and its mailboxes, made as a user would make them.
//!
//! The user and the first key come from the operator's command, everything else from the public API. What exists is left alone, so a
//! restart goes on with the same mailboxes and the same key.

use std::path::{Path, PathBuf};

use agentwarm_core::plan::Plan;
use agentwarm_lambda::settings::Settings;
use agentwarm_lambda::world::World;
use agentwarm_operator::{KeyOf, OperatorError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api_client::{ApiClient, ApiError};
use crate::state::StateStore;
use crate::triggers::TriggerError;

/// What the demo's pool is called.
const POOL: &str = "Demo";

/// Under which name the demo's user is remembered.
const STATE: &str = "demo";

/// Where the demo's mailboxes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailServers {
    /// The servers' host.
    pub host: String,
    /// IMAP with TLS from the start.
    pub imaps_port: u16,
    /// SMTP that begins TLS on request, as it is understood of any port but 465.
    pub smtp_port: u16,
    /// The file of addresses and passwords.
    pub mailboxes_file: PathBuf,
}

/// The password of the numbered mailboxes (`w000@` … `w999@`) of the local mail servers.
pub const NUMBERED_PASSWORD: &str = "warm-enough";

impl MailServers {
    /// What connects a mailbox of theirs.
    pub fn account(&self, address: &str, display_name: &str, password: &str) -> Value {
        json!({
            "email": address,
            "displayName": display_name,
            "provider": "imap_smtp",
            "timezone": "UTC",
            "credentials": {
                "imapHost": self.host,
                "imapPort": self.imaps_port,
                "smtpHost": self.host,
                "smtpPort": self.smtp_port,
                "username": address,
                "password": password,
            },
        })
    }

    /// What connects a numbered one.
    pub fn numbered_account(&self, address: &str) -> Value {
        self.account(address, "Robin Numbered", NUMBERED_PASSWORD)
    }
}

/// The demo's user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoUser {
    /// Their id.
    pub user: String,
    /// Their first key.
    pub key: String,
    /// A key for the terminal view, so that looking at it does not use up the first one's requests.
    pub view_key: String,
}

/// An address and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The address.
    pub address: String,
    password: String,
}

/// The demo could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The operator's command failed.
    #[error("the demo's user was not made")]
    Operator(#[from] OperatorError),
    /// The API refused.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The runner's own table fails.
    #[error(transparent)]
    State(#[from] TriggerError),
    /// The mailboxes' file cannot be read.
    #[error("{path} cannot be read")]
    Mailboxes {
        /// Where it was looked for.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An answer lacks a documented field.
    #[error("the API's answer lacks {0}")]
    Lacks(&'static str),
}

/// The demo's user: the remembered one, or a new one.
pub async fn user(state: &StateStore, world: &World, api_url: &str) -> Result<DemoUser, DemoError> {
    if let Some(user) = state.load(STATE).await? {
        return Ok(user);
    }
    let issued = agentwarm_operator::issue(KeyOf::NewUser(Plan::Pro), world).await?;
    let view = ApiClient::new(api_url, &issued.secret)
        .post("/api/keys", Some(&json!({"name": "Terminal view"})))
        .await?;
    let user = DemoUser {
        user: issued.user.to_string(),
        key: issued.secret,
        view_key: field(&view, "key")?.to_owned(),
    };
    state.save(STATE, &user).await?;
    Ok(user)
}

/// Makes what is missing of the pool and its mailboxes, then starts those that were never started: a mailbox that starts alone in its
/// pool has nobody to write to that day.
pub async fn mailboxes(api: &ApiClient, servers: &MailServers) -> Result<(), DemoError> {
    let wanted = read_mailboxes(&servers.mailboxes_file)?;
    let pool = pool(api).await?;
    let known = api.get("/api/accounts?limit=200").await?;
    let mut accounts = Vec::new();
    for mailbox in &wanted {
        accounts.push(match find(&known, "accounts", "email", &mailbox.address) {
            Some(account) => account.clone(),
            None => create(api, servers, &pool, mailbox).await?,
        });
    }
    for account in &accounts {
        let (status, started) = (account.get("status"), account.get("warmupStartedAt"));
        if status == Some(&json!("active")) && started.is_none_or(Value::is_null) {
            let id = field(account, "id")?;
            api.post(&format!("/api/warmup/start/{id}"), None).await?;
        }
    }
    Ok(())
}

async fn pool(api: &ApiClient) -> Result<String, DemoError> {
    let known = api.get("/api/warmup/pools").await?;
    let pool = if let Some(pool) = find(&known, "pools", "name", POOL) {
        pool.clone()
    } else {
        let pool = json!({"name": POOL, "description": "Mailboxes of the local mail servers"});
        api.post("/api/warmup/pools", Some(&pool)).await?
    };
    Ok(field(&pool, "id")?.to_owned())
}

async fn create(
    api: &ApiClient,
    servers: &MailServers,
    pool: &str,
    mailbox: &Mailbox,
) -> Result<Value, DemoError> {
    let name = display_name(&mailbox.address);
    let mut account = servers.account(&mailbox.address, &name, &mailbox.password);
    if let Some(account) = account.as_object_mut() {
        account.insert("poolId".to_owned(), pool.into());
    }
    Ok(api.post("/api/accounts", Some(&account)).await?)
}

fn find<'v>(answer: &'v Value, list: &str, key: &str, value: &str) -> Option<&'v Value> {
    let entries = answer.get(list)?.as_array()?;
    entries
        .iter()
        .find(|entry| entry.get(key).and_then(Value::as_str) == Some(value))
}

fn field<'v>(answer: &'v Value, key: &'static str) -> Result<&'v str, DemoError> {
    answer
        .get(key)
        .and_then(Value::as_str)
        .ok_or(DemoError::Lacks(key))
}

fn read_mailboxes(path: &Path) -> Result<Vec<Mailbox>, DemoError> {
    let text = std::fs::read_to_string(path).map_err(|source| DemoError::Mailboxes {
        path: path.display().to_string(),
        source,
    })?;
    Ok(parse_mailboxes(&text))
}

/// Lines of an address and a password; `#` begins a comment.
fn parse_mailboxes(text: &str) -> Vec<Mailbox> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some(Mailbox {
                address: words.next()?.to_owned(),
                password: words.next()?.to_owned(),
            })
        })
        .collect()
}

/// `alice@acorn.test` is Alice.
fn display_name(address: &str) -> String {
    let local = address.split('@').next().unwrap_or_default();
    let mut letters = local.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A world for the operator's command: no gate, since an operator acts with credentials of their own.
pub fn operator_settings(stack: &str) -> Settings {
    Settings::from_iter([
        ("ENTITIES_TABLE", format!("{stack}-entities")),
        ("DATA_KEY_ID", format!("alias/{stack}-data")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_read_line_by_line() {
        let mailboxes = parse_mailboxes("# a comment\n\nalice@acorn.test  secret\nno-password\n");
        let addresses: Vec<_> = mailboxes
            .iter()
            .map(|mailbox| mailbox.address.as_str())
            .collect();
        assert_eq!(addresses, ["alice@acorn.test"]);
        assert_eq!(display_name("alice@acorn.test"), "Alice");
    }
}
