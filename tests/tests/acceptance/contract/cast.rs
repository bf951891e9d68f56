//! Who asks, and from which mailboxes.

use agentwarm_tests::owned::Owned;
use serde_json::{Value, json};

use super::asking::{Contract, User, id};

/// A Wednesday, three in the morning in New York, where daylight saving time began on Sunday.
pub(super) const MORNING: &str = "2026-03-11T07:00:00Z";
/// After the two hours that the pool's mailboxes work.
pub(super) const AFTERNOON: &str = "2026-03-11T09:05:00Z";
/// After the next round of each, which come hourly then.
pub(super) const EVENING: &str = "2026-03-11T10:15:00Z";

pub(super) const MINE: &str = "w301@acorn.test";
pub(super) const PARTNER: &str = "w302@birch.test";
pub(super) const COPIED: &str = "w303@birch.test";
pub(super) const COPIED_UNSEEN: &str = "w304@birch.test";
pub(super) const FRESH: [&str; 3] = ["w305@acorn.test", "w306@birch.test", "w307@cedar.test"];
pub(super) const LOCKED_OUT: &str = "w309@acorn.test";
pub(super) const IN_DOUBT: &str = "w310@acorn.test";
pub(super) const IN_DOUBT_RECEIVER: &str = "w311@birch.test";
pub(super) const STRANGERS: &str = "w308@cedar.test";

/// An example of an account or of credentials, for a mailbox of the local servers.
pub(super) fn on_our_servers(contract: &Contract, example: &Value, address: &str) -> Value {
    let ours = contract.deployment.account(address);
    let fields = |of: &Value| {
        let fields = of["credentials"].as_object().unwrap().keys();
        fields.cloned().collect::<Vec<_>>()
    };
    assert_eq!(fields(example), fields(&ours));
    let mut account = example.clone();
    if account.get("email").is_some() {
        account["email"] = address.into();
    }
    account["credentials"] = ours["credentials"].clone();
    account
}

/// Somebody who has nothing yet.
pub(super) fn newcomer(key: &str) -> User {
    User {
        key: key.to_owned(),
        owned: Owned::nobodys(),
    }
}

/// Another user, who has one of everything.
pub(super) async fn stranger(contract: &Contract, key: &str) -> User {
    let mut they = newcomer(key);
    let account = contract.deployment.account(STRANGERS);
    let ask = contract.ask(&they, "createAccount").body(&account);
    they.owned.account = id(&ask.succeeds(201).await);
    STRANGERS.clone_into(&mut they.owned.email);
    they.owned.pool = id(&contract.ask(&they, "createPool").succeeds(201).await);
    they.owned.key = id(&contract.ask(&they, "createApiKey").succeeds(201).await);
    let link = json!({ "crmPersonId": "p-1", "crmAccountId": "a-1", "crmSource": "hubspot" });
    let ask = contract.ask(&they, "createCrmLink").body(&link);
    they.owned.link = id(&ask.succeeds(201).await);
    "unwanted@example.com".clone_into(&mut they.owned.address);
    let entry = json!({ "email": they.owned.address, "reason": "manual" });
    let ask = contract.ask(&they, "suppressAddress").body(&entry);
    ask.succeeds(201).await;
    they
}
