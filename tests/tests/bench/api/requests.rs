//! A request for each documented operation, again and again: with the document's example, and with what it needs made before.

use agentwarm_local::api_client::ApiClient;
use agentwarm_tests::operations::Operation;
use http::Method;
use serde_json::{Value, json};

use super::{Bench, RUNS, Ready, Taken, WARM_UP};

/// How many mailboxes the user has in a pool.
pub(super) const MAILBOXES: usize = 20;

/// A mailbox of the local mail servers: connection tests sign in to it.
const MAILBOX: &str = "w299@acorn.test";

/// An id that nobody has.
const NOBODYS: &str = "019590a5-7c00-7000-8000-0000000000ff";

/// An address that the user suppresses.
const SUPPRESSED: &str = "bounced@example.com";

/// A user, what they have, and what is left over of the request before.
pub(super) struct User<'a> {
    bench: &'a Bench,
    api: ApiClient,
    key: String,
    /// A mailbox that can be signed in to and warms.
    account: String,
    pool: String,
    /// What the operation made or was given last.
    link: String,
    spare_key: String,
    accounts: Vec<String>,
    number: usize,
}

impl<'a> User<'a> {
    /// Somebody with mailboxes in a pool, one of which warms.
    pub(super) async fn settle(bench: &'a Bench) -> Self {
        let key = bench.enterprise().await.secret;
        let api = ApiClient::new(bench.stack.api_url(), &key);
        let pool = json!({ "name": "Everybody" });
        let pool = id(&api.post("/api/warmup/pools", Some(&pool)).await.unwrap());
        let mut account = bench.settings.mail.numbered_account(MAILBOX);
        account["poolId"] = pool.as_str().into();
        let account = id(&api.post("/api/accounts", Some(&account)).await.unwrap());
        let mut user = Self {
            bench,
            api,
            key,
            account,
            pool,
            link: NOBODYS.to_owned(),
            spare_key: NOBODYS.to_owned(),
            accounts: Vec::new(),
            number: 0,
        };
        for _ in 1..MAILBOXES {
            user.connected().await;
        }
        user.accounts.clear();
        user.act("start", &user.account.clone()).await;
        user
    }

    /// What requests of an operation take.
    pub(super) async fn measured(&mut self, operation: &Operation) -> Taken {
        let mut taken = Taken::default();
        for run in 0..WARM_UP + RUNS {
            let ready = self.prepared(operation).await;
            if run == WARM_UP {
                taken = Taken::default();
            }
            let answer = self.bench.take(&ready, &mut taken).await;
            let answer = serde_json::from_slice(answer.body()).unwrap_or_default();
            self.clear_away(operation.id(), &answer).await;
        }
        taken
    }

    async fn prepared(&mut self, operation: &Operation) -> Ready {
        self.number += 1;
        let mut account = self.account.clone();
        match operation.id() {
            "deleteAccount"
            | "startWarmup"
            | "replaceAccountCredentials"
            | "removeAccountFromPool" => account = self.connected().await,
            "pauseWarmup" => account = self.started().await,
            "resumeWarmup" => {
                account = self.started().await;
                self.act("pause", &account).await;
            }
            "revokeApiKey" | "rotateApiKey" => {
                let wanted = json!({ "name": "Spare" });
                self.spare_key = self.made("/api/keys", &wanted).await;
            }
            "deleteCrmLink" => {
                let wanted = json!({ "crmPersonId": "p-1", "crmSource": "hubspot" });
                let links = format!("/api/accounts/{account}/crm-links");
                self.link = self.made(&links, &wanted).await;
            }
            "releaseAddress" => {
                let wanted = json!({ "email": SUPPRESSED, "reason": "manual" });
                self.made("/api/warmup/suppression", &wanted).await;
            }
            "addAccountToPool" => {
                account = self.connected().await;
                let member = format!("/api/warmup/pools/{}/accounts/{account}", self.pool);
                let left = self.api.send(Method::DELETE, &member, None).await;
                left.unwrap();
            }
            _ => {}
        }
        let path = operation.path(|before, name| match (before, name) {
            ("person", "personId") | ("account", "accountId") => "p-1".to_owned(),
            ("keys", "id") => self.spare_key.clone(),
            (_, "id" | "accountId") => account.clone(),
            (_, "poolId") => self.pool.clone(),
            (_, "linkId") => self.link.clone(),
            (_, "email") => SUPPRESSED.to_owned(),
            // A parameter that is not known here: the table shows the 404.
            _ => NOBODYS.to_owned(),
        });
        let body = match operation.body() {
            Some(example) => self.varied(operation.id(), example).await.to_string(),
            None => String::new(),
        };
        Ready {
            method: operation.method.clone(),
            path,
            key: self.key.clone(),
            body: body.into_bytes(),
        }
    }

    /// The example, different each time where the same again would be something else.
    async fn varied(&mut self, operation: &str, mut body: Value) -> Value {
        let number = self.number;
        match operation {
            "createAccount" => body["email"] = format!("new-{number}@example.com").into(),
            "createAccounts" => {
                for account in body["accounts"].as_array_mut().unwrap() {
                    let email = format!("{number}-{}", account["email"].as_str().unwrap());
                    account["email"] = email.into();
                }
            }
            "updateAccount" => body["displayName"] = format!("Name {number}").into(),
            "setAccountPersona" => body["title"] = format!("Manager {number}").into(),
            "updatePoolConfig" => body["maxDailyEmails"] = (30 + number % 10).into(),
            "createCrmLink" => body["crmPersonId"] = format!("p-{number}").into(),
            "testAccountConnections" => body["accountIds"] = json!([self.account]),
            "startWarmups" => body["accountIds"] = json!([self.connected().await]),
            "pauseWarmups" => body["accountIds"] = json!([self.started().await]),
            _ => {}
        }
        body
    }

    /// Takes away what a request made, so that the next finds the same.
    async fn clear_away(&mut self, operation: &str, answer: &Value) {
        match operation {
            "createAccount" => self.accounts.push(id(answer)),
            "createAccounts" => {
                let results = answer["results"].as_array().unwrap().iter();
                let made = results.filter_map(|result| result["accountId"].as_str());
                self.accounts.extend(made.map(str::to_owned));
            }
            "createApiKey" | "rotateApiKey" => {
                self.remove(format!("/api/keys/{}", id(answer))).await;
            }
            "createCrmLink" => {
                let link = id(answer);
                let path = format!("/api/accounts/{}/crm-links/{link}", self.account);
                self.remove(path).await;
            }
            "deleteAccount" => self.accounts.clear(),
            _ => {}
        }
        for account in std::mem::take(&mut self.accounts) {
            self.remove(format!("/api/accounts/{account}")).await;
        }
    }

    /// A new account in the pool, to be cleared away.
    async fn connected(&mut self) -> String {
        self.number += 1;
        let email = format!("made-{}@example.org", self.number);
        let mut wanted = self.bench.settings.mail.numbered_account(&email);
        wanted["poolId"] = self.pool.as_str().into();
        let account = self.made("/api/accounts", &wanted).await;
        self.accounts.push(account.clone());
        account
    }

    async fn started(&mut self) -> String {
        let account = self.connected().await;
        self.act("start", &account).await;
        account
    }

    async fn act(&self, what: &str, account: &str) {
        let path = format!("/api/warmup/{what}/{account}");
        self.api.post(&path, None).await.unwrap();
    }

    async fn made(&self, path: &str, wanted: &Value) -> String {
        id(&self.api.post(path, Some(wanted)).await.unwrap())
    }

    async fn remove(&self, path: String) {
        let removed = self.api.send(Method::DELETE, &path, None).await;
        removed.unwrap();
    }
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}
