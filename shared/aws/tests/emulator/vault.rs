//! The vault on the emulator's KMS.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::World;
use crate::support::faults::{Fault, FaultyHttp};
use agentwarm_app::ports::vault::{Sealed, SecretContext, Vault, VaultError};
use agentwarm_aws::clients::{ClientSettings, Clients};
use agentwarm_aws::vault::KmsVault;
use agentwarm_testkit::store_contract::fixtures::{account, user};
use aws_sdk_kms::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_kms::config::{ConfigBag, Intercept, RuntimeComponents, SharedInterceptor};
use aws_sdk_kms::error::BoxError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::json;

/// Counts requests to KMS.
#[derive(Debug, Clone, Default)]
struct KmsCalls(Arc<AtomicUsize>);

impl Intercept for KmsCalls {
    fn name(&self) -> &'static str {
        "KmsCalls"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target");
        if target.is_some_and(|target| target.starts_with("TrentService")) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

struct Vaults {
    world: World,
    kms_key: String,
    calls: KmsCalls,
}

impl Vaults {
    async fn open() -> Self {
        let calls = KmsCalls::default();
        let settings = ClientSettings {
            interceptors: vec![SharedInterceptor::new(calls.clone())],
            ..crate::support::settings()
        };
        let world = World::with(settings).await;
        let key = world.clients.kms().create_key().send().await.unwrap();
        let kms_key = key.key_metadata.unwrap().key_id;
        calls.0.store(0, Ordering::Relaxed);
        Self {
            world,
            kms_key,
            calls,
        }
    }

    /// The vault of another process.
    fn process(&self) -> KmsVault {
        let kms = self.world.clients.kms();
        KmsVault::new(kms, self.kms_key.clone(), self.world.entities())
    }

    fn calls(&self) -> usize {
        self.calls.0.swap(0, Ordering::Relaxed)
    }
}

fn context(n: u32) -> SecretContext {
    SecretContext {
        user: user(1),
        account: account(user(1), n).id,
        field: "credentials",
    }
}

async fn opens(vault: &KmsVault, context: SecretContext, sealed: &Sealed) -> Option<Vec<u8>> {
    match vault.open(context, sealed).await {
        Ok(plain) => Some(plain.to_vec()),
        Err(VaultError::Unreadable) => None,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_secret_opens_where_it_was_sealed_in_any_process() {
    let vaults = Vaults::open().await;
    let sealed = vaults.process().seal(context(1), b"secret").await.unwrap();
    assert!(sealed.0.starts_with("v1.1."), "{}", sealed.0);
    assert!(!sealed.0.contains("secret"));
    let opened = opens(&vaults.process(), context(1), &sealed).await;
    assert_eq!(opened.unwrap(), b"secret");
    let empty = vaults.process().seal(context(1), b"").await.unwrap();
    let opened = opens(&vaults.process(), context(1), &empty).await;
    assert_eq!(opened.unwrap(), b"");
    let again = vaults.process().seal(context(1), b"secret").await.unwrap();
    assert_ne!(again, sealed);
}

#[tokio::test]
async fn a_secret_opens_nowhere_else() {
    let vaults = Vaults::open().await;
    let vault = vaults.process();
    let sealed = vault.seal(context(1), b"secret").await.unwrap();
    let elsewhere = [
        context(2),
        SecretContext {
            user: user(2),
            ..context(1)
        },
        SecretContext {
            field: "token",
            ..context(1)
        },
    ];
    for context in elsewhere {
        assert_eq!(opens(&vault, context, &sealed).await, None, "{context:?}");
    }
}

#[tokio::test]
async fn what_was_not_sealed_or_was_changed_is_unreadable() {
    let vaults = Vaults::open().await;
    let vault = vaults.process();
    let sealed = vault.seal(context(1), b"secret").await.unwrap().0;
    let _ = vault.rotate().await.unwrap();
    for n in 0..sealed.len() {
        let mut changed = sealed.clone().into_bytes();
        changed[n] = if changed[n] == b'2' { b'3' } else { b'2' };
        let changed = Sealed(String::from_utf8(changed).unwrap());
        let opened = opens(&vault, context(1), &changed).await;
        assert_eq!(opened, None, "{}", changed.0);
    }
    for nonsense in [
        "",
        "v1",
        "v1.",
        "v1.1",
        "v1.1.",
        "v1.1.AAAA",
        "v1.9.AAAA",
        "v2.1.x",
    ] {
        let opened = opens(&vault, context(1), &Sealed(nonsense.to_owned())).await;
        assert_eq!(opened, None, "{nonsense}");
    }
    let truncated = Sealed(sealed[..sealed.len() - 4].to_owned());
    assert_eq!(opens(&vault, context(1), &truncated).await, None);
}

#[tokio::test]
async fn processes_that_begin_together_share_one_data_key() {
    let vaults = Vaults::open().await;
    let processes: Vec<_> = (0..20).map(|_| vaults.process()).collect();
    let seals = processes
        .iter()
        .map(|vault| vault.seal(context(1), b"secret"));
    let sealed: Vec<_> = join_all(seals)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    for sealed in &sealed {
        assert!(sealed.0.starts_with("v1.1."), "{}", sealed.0);
        let opened = opens(&processes[0], context(1), sealed).await;
        assert_eq!(opened.unwrap(), b"secret");
    }
}

#[tokio::test]
async fn a_process_asks_kms_once_an_hour() {
    let vaults = Vaults::open().await;
    let first = vaults.process();
    let sealed = first.seal(context(1), b"secret").await.unwrap();
    assert_eq!(vaults.calls(), 1);

    let vault = vaults.process();
    let opens_at_once = (0..20).map(|_| opens(&vault, context(1), &sealed));
    join_all(opens_at_once).await;
    vault.seal(context(2), b"secret").await.unwrap();
    vault.message_key(user(1)).await.unwrap();
    assert_eq!(vaults.calls(), 1);

    vaults.world.clock.advance(SignedDuration::from_hours(1));
    opens(&vault, context(1), &sealed).await.unwrap();
    vault.seal(context(1), b"secret").await.unwrap();
    assert_eq!(vaults.calls(), 1);
}

#[tokio::test]
async fn after_a_rotation_new_secrets_use_the_new_key_and_old_ones_open() {
    let vaults = Vaults::open().await;
    let (operator, process) = (vaults.process(), vaults.process());
    let old = process.seal(context(1), b"old").await.unwrap();
    let message_key = process.message_key(user(1)).await.unwrap();

    assert_eq!(operator.rotate().await.unwrap(), 2);

    let new = operator.seal(context(1), b"new").await.unwrap();
    assert!(new.0.starts_with("v1.2."), "{}", new.0);
    let opened = opens(&process, context(1), &new).await;
    assert_eq!(opened.unwrap(), b"new");
    let opened = opens(&operator, context(1), &old).await;
    assert_eq!(opened.unwrap(), b"old");
    vaults.world.clock.advance(SignedDuration::from_hours(1));
    let late = process.seal(context(1), b"late").await.unwrap();
    assert!(late.0.starts_with("v1.2."), "{}", late.0);
    for vault in [&operator, &process] {
        let kept = vault.message_key(user(1)).await.unwrap();
        assert_eq!(*kept, *message_key);
    }
}

#[tokio::test]
async fn message_keys_are_a_users_own_and_there_before_any_secret() {
    let vaults = Vaults::open().await;
    let vault = vaults.process();
    let first = vault.message_key(user(1)).await.unwrap();
    let second = vault.message_key(user(2)).await.unwrap();
    assert_ne!(*first, *second);
    let again = vaults.process().message_key(user(1)).await.unwrap();
    assert_eq!(*first, *again);
    let sealed = vault.seal(context(1), b"secret").await.unwrap();
    assert!(sealed.0.starts_with("v1.1."), "{}", sealed.0);
}

#[tokio::test]
async fn without_kms_nothing_is_unreadable_but_unavailable() {
    let vaults = Vaults::open().await;
    let sealed = vaults.process().seal(context(1), b"secret").await.unwrap();
    let http = FaultyHttp::new();
    for _ in 0..3 {
        http.plan(
            "Decrypt",
            Fault::Answer(500, |_| json!({ "message": "down" })),
        );
    }
    let settings = ClientSettings {
        http: Some(SharedHttpClient::new(http.clone())),
        ..crate::support::settings()
    };
    let kms = Clients::load(settings).await.unwrap().kms();
    let vault = KmsVault::new(kms, vaults.kms_key.clone(), vaults.world.entities());

    let error = vault.open(context(1), &sealed).await.unwrap_err();
    assert!(matches!(error, VaultError::Unavailable(_)), "{error:?}");
    assert!(http.is_done());
    assert!(opens(&vault, context(1), &sealed).await.is_some());
}
