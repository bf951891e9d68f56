//! What each adapter may do, as IAM names it.
//!
//! Every adapter says it in a constant `ACTIONS`, beside the code that does it. A function's policy is the union over the adapters it
//! builds; a test compares that with the template, and the local stack refuses what the template does not grant.

/// One thing that an adapter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    /// To what.
    pub resource: Resource,
    /// The action, as in a policy. A transaction needs the actions of its parts, not one of its own.
    pub name: &'static str,
}

/// A resource of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The table of what lives until it is deleted.
    Entities,
    /// The table of what lives as long as the plan keeps it.
    Activity,
    /// The table of what lives for minutes to days.
    Ephemeral,
    /// The queue of mails to send.
    SendQueue,
    /// The queue of mailboxes to look into.
    VisitQueue,
    /// The bus that events leave by.
    EventBus,
    /// The key that wraps the vault's data keys.
    VaultKey,
    /// The bucket of files that are to be attached to mails.
    Uploads,
}

impl Resource {
    /// The action `name` on this resource.
    pub(crate) const fn may(self, name: &'static str) -> Action {
        Action {
            resource: self,
            name,
        }
    }
}

pub(crate) const GET: &str = "dynamodb:GetItem";
pub(crate) const BATCH_GET: &str = "dynamodb:BatchGetItem";
pub(crate) const QUERY: &str = "dynamodb:Query";
pub(crate) const PUT: &str = "dynamodb:PutItem";
pub(crate) const BATCH_WRITE: &str = "dynamodb:BatchWriteItem";
pub(crate) const UPDATE: &str = "dynamodb:UpdateItem";
pub(crate) const DELETE: &str = "dynamodb:DeleteItem";
