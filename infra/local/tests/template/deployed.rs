//! The template with its functions, deployed as a user deploys it: by `sam deploy`, here into the emulator.
//!
//! There every function is a process of its own, started from its zip, and the emulator plays the triggers: so nothing of the local stack
//! stands between AWS's interfaces and the functions, but for the REST API, whose routes the emulator does not create.
//! `infra/stack/build.sh quick` makes the zips beforehand (`.config/nextest.toml`).

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::ports::clock::Clock as _;
use agentwarm_app::ports::days::AccountRef;
use agentwarm_aws::codec::Item;
use agentwarm_aws::keys;
use agentwarm_core::plan::Plan;
use agentwarm_lambda::bootstrap::SystemClock;
use agentwarm_lambda::world::World;
use agentwarm_local::api_client::ApiClient;
use agentwarm_local::emulator::Emulator;
use agentwarm_local::remote::Remote;
use agentwarm_local::run::operator_world;
use agentwarm_local::settings::RunSettings;
use agentwarm_local::template::functions::shapes;
use agentwarm_local::template::{self, Template};
use agentwarm_local::triggers::gateway::answers::Answers;
use agentwarm_local::triggers::gateway::paths::PathTable;
use agentwarm_local::triggers::gateway::server::{Gateway, serve};
use agentwarm_operator::Issued;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::world::{account, id};

const STACK: &str = "deployed";

/// How long an effect may take: triggers poll, and each function starts a process first.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn the_deployed_functions_answer_requests_visit_mailboxes_and_keep_the_log() {
    let settings = RunSettings::from_environment().unwrap();
    sam_deploy(&settings);
    let emulator = Emulator::new(&settings.emulator).await;
    let operator = operator_world(&settings, STACK, Arc::new(SystemClock));
    let operator = operator.await.unwrap();
    let owner = operator_creates_user(&operator).await;
    let (url, _stop) = gateway(&settings).await;
    let api = ApiClient::new(url, &owner.secret);

    let pool = json!({"name": "Sales", "description": "Who writes to customers"});
    let pool = id(&api.post("/api/warmup/pools", Some(&pool)).await.unwrap());
    let robin = account(&settings.mail, "w181@acorn.test", &pool);
    let robin = id(&api.post("/api/accounts", Some(&robin)).await.unwrap());
    let stored = item(
        &emulator,
        "entities",
        &keys::account(owner.user, robin.parse().unwrap()),
    )
    .await;
    let data = stored.unwrap()["data"].as_m().unwrap().clone();
    assert_eq!(data["email"].as_s().unwrap(), "w181@acorn.test");

    // What was sealed before is read afterwards.
    let rotated = agentwarm_operator::run(agentwarm_operator::Command::RotateDataKey, &operator);
    assert!(rotated.await.unwrap().starts_with("data key 2:"));

    // A queue's event: the function signs in to the real mailbox and remembers how far it has read.
    let mailbox = AccountRef {
        user: owner.user,
        account: robin.parse().unwrap(),
    };
    assert_eq!(
        item(&emulator, "ephemeral", &keys::mailbox(mailbox)).await,
        None
    );
    let order = json!({"user": owner.user, "account": robin, "expected": [], "lookAnyway": true});
    order_visit(&emulator, &order).await;
    let visited = eventually(async || {
        let state = item(&emulator, "ephemeral", &keys::mailbox(mailbox)).await?;
        state["data"].as_m().unwrap().get("inbox").cloned()
    });
    assert!(visited.await.as_m().is_ok(), "a cursor");

    // A stream's event: what was created stands in the log.
    let logged = eventually(async || {
        let log = api
            .get("/api/audit-log?eventType=account.created")
            .await
            .unwrap();
        log["entries"].get(0).cloned()
    });
    assert_eq!(logged.await["entityId"], robin.as_str());
    sam(
        &settings,
        &["delete", "--stack-name", STACK, "--no-prompts"],
    );
}

/// Deploys the template with everything that the emulator knows.
fn sam_deploy(settings: &RunSettings) {
    let template = for_the_emulator(settings);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deployed.template.json");
    fs::write(&path, template.to_string()).unwrap();
    let path = path.to_str().unwrap();
    sam(
        settings,
        &[
            "deploy",
            "--template-file",
            path,
            "--stack-name",
            STACK,
            "--resolve-s3",
            "--capabilities",
            "CAPABILITY_IAM",
            "--no-confirm-changeset",
            "--no-progressbar",
        ],
    );
}

/// The template with the tests' zips and this machine's mail servers. The emulator knows no alarms over several metrics, and takes a
/// parameter's number for a text, which stops its pollers: they get a number.
fn for_the_emulator(settings: &RunSettings) -> Value {
    let mut document = template::document(&template_text(settings)).unwrap();
    for (parameter, value) in [
        (
            "Architecture",
            json!(std::env::consts::ARCH.replace("aarch64", "arm64")),
        ),
        ("AllowLoopback", json!("true")),
        (
            "ExtraCaPem",
            json!(fs::read_to_string(&settings.ca_file).unwrap()),
        ),
    ] {
        document["Parameters"][parameter]["Default"] = value;
    }
    let resources = document["Resources"].as_object_mut().unwrap();
    resources.retain(|_, resource| resource["Properties"].get("Metrics").is_none());
    for resource in resources.values_mut() {
        if resource["Type"] == "AWS::Serverless::Function" {
            let zip = &mut resource["Properties"]["CodeUri"];
            let quick = zip
                .as_str()
                .unwrap()
                .replace("target/lambda", "target/lambda-quick");
            *zip = json!(root(settings).join(quick));
        }
        if let Some(scaling) = resource["Properties"].get_mut("ScalingConfig") {
            scaling["MaximumConcurrency"] = json!(2);
        }
    }
    document
}

fn template_text(settings: &RunSettings) -> String {
    fs::read_to_string(root(settings).join("template.yaml")).unwrap()
}

fn root(settings: &RunSettings) -> PathBuf {
    settings.root.canonicalize().unwrap()
}

/// Runs the SAM command against the emulator, whose address `make test` put into the environment.
fn sam(settings: &RunSettings, arguments: &[&str]) {
    let ended = Command::new("sam")
        .args(arguments)
        .args(["--region", &settings.emulator.region])
        .env("SAM_CLI_TELEMETRY", "0")
        .output()
        .expect("sam is installed by infra/stack/install.sh");
    let said = [ended.stdout, ended.stderr].concat();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&said));
}

async fn operator_creates_user(world: &World) -> Issued {
    let whose = agentwarm_operator::KeyOf::NewUser(Plan::Pro);
    agentwarm_operator::issue(whose, world).await.unwrap()
}

/// The REST API in front of the deployed functions; its address, and what stops it when it is dropped.
async fn gateway(settings: &RunSettings) -> (String, watch::Sender<bool>) {
    let template = Template::parse(&template_text(settings)).unwrap();
    let shapes = shapes(&template).unwrap();
    let endpoint: http::Uri = settings.emulator.endpoint.parse().unwrap();
    let emulator = SocketAddr::from((Ipv4Addr::LOCALHOST, endpoint.port_u16().unwrap()));
    let gateway = Gateway {
        paths: PathTable::new(&shapes),
        answers: Answers::read(&template).unwrap(),
        stage: "v1".to_owned(),
        invoke: Arc::new(Remote::named(emulator, &shapes, &format!("{STACK}-"))),
        now: Arc::new(|| SystemClock.wall()),
        request_id: Arc::new(|| uuid::Uuid::nil().to_string()),
        after: Arc::new(|| ()),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(serve(listener, Arc::new(gateway), stopped));
    (url, stop)
}

async fn order_visit(emulator: &Emulator, order: &Value) {
    let queue = emulator
        .sqs
        .get_queue_url()
        .queue_name(format!("{STACK}-visit"));
    let url = queue.send().await.unwrap().queue_url.unwrap();
    let message = emulator
        .sqs
        .send_message()
        .queue_url(url)
        .message_body(order.to_string());
    message.send().await.unwrap();
}

/// An item of one of the deployment's tables.
async fn item(emulator: &Emulator, table: &str, key: &keys::Key) -> Option<Item> {
    let request = emulator
        .dynamodb
        .get_item()
        .table_name(format!("{STACK}-{table}"));
    let request = request
        .key("pk", AttributeValue::S(key.pk.clone()))
        .key("sk", AttributeValue::S(key.sk.clone()));
    request.consistent_read(true).send().await.unwrap().item
}

/// What `look` sees as soon as it sees something.
async fn eventually<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let mut between = tokio::time::interval(Duration::from_millis(200));
    let seen = async {
        loop {
            between.tick().await;
            if let Some(seen) = look().await {
                return seen;
            }
        }
    };
    tokio::time::timeout(PATIENCE, seen)
        .await
        .expect("it happens in time")
}
