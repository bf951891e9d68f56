//! Keys of CRM links: by their account, and by what they lead to.

use agentwarm_app::text::hex;
use agentwarm_core::crm::{CrmEntity, CrmId, CrmKind, CrmLink};
use agentwarm_core::ids::{AccountId, CrmLinkId, UserId};

use sha2::{Digest, Sha256};

use super::{Key, KeyRange, user_pk};

/// A link of an account to a CRM.
pub fn crm_link(user: UserId, account: AccountId, link: CrmLinkId) -> Key {
    Key::new(user_pk(user), format!("crm#{account}#{link}"))
}

/// An account's links, oldest first.
pub fn crm_links(user: UserId, account: AccountId) -> KeyRange {
    KeyRange::prefix(user_pk(user), &format!("crm#{account}#"))
}

/// That `link` leads to this record.
pub fn crm_lookup(user: UserId, kind: CrmKind, id: &CrmId, link: &CrmLink) -> Key {
    let CrmLink {
        source, account, ..
    } = link;
    let record = crm_record(kind, id);
    Key::new(
        crm_pk(user),
        format!("{record}{source}#{account}#{}", link.id),
    )
}

/// All that leads to a record, of one CRM or of any.
pub fn crm_lookups(user: UserId, entity: &CrmEntity) -> KeyRange {
    let source = entity.source.as_ref().map(|source| format!("{source}#"));
    let record = crm_record(entity.kind, &entity.id);
    KeyRange::prefix(crm_pk(user), &(record + &source.unwrap_or_default()))
}

/// The account of a lookup's sort key.
pub fn crm_lookup_account(sk: &str) -> Option<AccountId> {
    sk.rsplit('#').nth(1)?.parse().ok()
}

fn crm_pk(user: UserId) -> String {
    format!("u#{user}#crm")
}

/// A record's id is hashed: case counts in it, and a client chose it.
fn crm_record(kind: CrmKind, id: &CrmId) -> String {
    let digest = Sha256::digest(id.as_str().as_bytes());
    format!("{}#{}#", kind.as_str(), hex(&digest))
}
