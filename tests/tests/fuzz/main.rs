//! The API is what its document says, asked a few thousand odd questions by schemathesis.
//!
//! The system is that of `make run`, in this process, with its mailboxes warming meanwhile; who asks is a user of their own on the largest
//! plan, so that no limit ends it early. What is asked follows from the document and from a number that is printed; `AW_SEED=7` asks what
//! number 7 did, `AW_EXAMPLES=100` asks so much of each operation (40 in CI). What must hold of every answer is in `schemathesis.toml`, with what is left out and why.
//!
//! Nothing leaves the machine: names that the generated accounts give for servers are asked of a port where nobody is.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that is surprised should stop"
)]

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::str::FromStr;
use std::time::Duration;

use agentwarm_core::plan::Plan;
use agentwarm_local::api_client::ApiClient;
use agentwarm_local::registry::functions;
use agentwarm_local::run;
use agentwarm_local::settings::RunSettings;
use agentwarm_local::stack::{Functions, Stack};
use agentwarm_operator::KeyOf;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// What schemathesis is given, beyond the document.
const CONFIGURATION: &str = include_str!("schemathesis.toml");

/// What the configuration cannot say, in Python.
const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/hooks.py");

/// A real mailbox, whose account is there to be asked about: most ids that are made up are nobody's.
const MAILBOX: &str = "w211@acorn.test";

/// The whole of it on a busy machine, for each question that an operation is asked, and then something is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many questions each operation is asked, unless `AW_EXAMPLES` says.
const EXAMPLES: u32 = 40;

/// Real time between two virtual minutes: mails are sent and days end, and the API has the processors for itself most of the time.
const PACE: Duration = Duration::from_millis(500);

/// What is changed of the template's parameters as `make run` sets them.
const PARAMETERS: [(&str, &str); 2] = [
    ("RateLimitPerMinute", "1000000"),
    ("NameServer", "127.0.0.1:9"),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis and takes minutes: make fuzz"]
async fn the_api_is_what_its_document_says() {
    let settings = RunSettings::from_environment().expect("make fuzz says where the servers are");
    let mut stack = start(&settings).await;
    run::demo(&settings, &stack).await.unwrap();
    let (key, other) = (user(&settings, &stack).await, user(&settings, &stack).await);
    let configuration = configuration(&settings, &ApiClient::new(stack.api_url(), &key)).await;
    let mut asking = ask(&stack.api_url(), &configuration, &key, &other);
    let patience = PATIENCE * examples();
    let ended = timeout(patience, live_until_ended(&mut stack, &mut asking)).await;
    let ended = ended.expect("it takes too long: is something stuck?");
    // A key that was revoked on the way would have been answered 403 ever after, which is documented everywhere.
    let me = ApiClient::new(stack.api_url(), &key).get("/api/me").await;
    let flaws = stack.take_flaws();
    stack.remove().await.unwrap();
    assert!(ended.success(), "schemathesis has complaints, see above");
    assert!(me.is_ok(), "the key was lost on the way: {me:?}");
    assert_eq!(flaws, Vec::<String>::new());
}

async fn start(settings: &RunSettings) -> Stack {
    let mut config = run::config(settings, Functions::Here(functions()), settings.pace).unwrap();
    for (name, value) in PARAMETERS {
        let parameters = &mut config.stack.parameters;
        parameters.insert(name.to_owned(), value.to_owned());
    }
    Stack::start(config).await.unwrap()
}

/// A new user's key.
async fn user(settings: &RunSettings, stack: &Stack) -> String {
    let world = run::operator_world(settings, stack.name(), stack.clock())
        .await
        .unwrap();
    let issued = agentwarm_operator::issue(KeyOf::NewUser(Plan::Enterprise), &world).await;
    issued.unwrap().secret
}

/// Makes what is asked about, and writes down what it is called.
async fn configuration(settings: &RunSettings, api: &ApiClient) -> PathBuf {
    let password = std::env::var_os("AGENTWARM_WILD_PASSWORD").expect("make fuzz sets it");
    let mail = &settings.mail;
    let account = json!({
        "email": MAILBOX,
        "displayName": "Fuzz",
        "provider": "imap_smtp",
        "credentials": {
            "imapHost": mail.host,
            "imapPort": mail.imaps_port,
            "smtpHost": mail.host,
            "smtpPort": mail.smtp_port,
            "username": MAILBOX,
            "password": password.to_str(),
        },
    });
    let made = async |path: &str, body: Value| {
        let made = api.post(path, Some(&body)).await.unwrap();
        made["id"].as_str().unwrap().to_owned()
    };
    let account = made("/api/accounts", account).await;
    let path = format!("/api/accounts/{account}/crm-links");
    let link = json!({ "crmPersonId": "sf_003x0001", "crmSource": "salesforce" });
    let link = made(&path, link).await;
    let pool = made("/api/warmup/pools", json!({ "name": "Fuzz" })).await;
    let key = made("/api/keys", json!({ "name": "Fuzz" })).await;
    let configuration = CONFIGURATION
        .replace("@HOOKS@", HOOKS)
        .replace("@EXAMPLES@", &examples().to_string())
        .replace("@SCENARIOS@", &(examples() * 5 / 2).to_string())
        .replace("@ACCOUNT@", &account)
        .replace("@LINK@", &link)
        .replace("@POOL@", &pool)
        .replace("@KEY@", &key);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis.toml");
    std::fs::write(&path, configuration).unwrap();
    path
}

fn ask(api: &str, configuration: &Path, key: &str, other: &str) -> Child {
    let seed = seed();
    println!("what is asked follows from AW_SEED={seed}");
    Command::new("schemathesis")
        .arg("--config-file")
        .arg(configuration)
        .args(["run", "--seed", &seed.to_string(), "--url", api])
        .arg(format!("{api}/api/openapi.json"))
        .env("FUZZ_KEY", key)
        .env("FUZZ_OTHER_KEY", other)
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("make fuzz installs schemathesis")
}

/// Lets virtual time pass until schemathesis has ended.
async fn live_until_ended(stack: &mut Stack, asking: &mut Child) -> ExitStatus {
    loop {
        stack.step().await.unwrap();
        tokio::select! {
            ended = asking.wait() => return ended.unwrap(),
            () = sleep(PACE) => {}
        }
    }
}

/// The number to choose by.
fn seed() -> u64 {
    number("AW_SEED").unwrap_or(1)
}

/// How many questions each operation is asked.
fn examples() -> u32 {
    number("AW_EXAMPLES").unwrap_or(EXAMPLES)
}

fn number<T: FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var_os(variable)?;
    let number = text.to_str().and_then(|text| text.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{variable} is a number")))
}
