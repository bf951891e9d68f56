//! Links to a CRM.

use agentwarm_core::crm::{CrmId, CrmIds, CrmLink as StoredLink, CrmSource};
use agentwarm_core::ids::{AccountId, CrmLinkId};
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::{crm_id, crm_source};
use agentwarm_lambda::http::{Fields, FromFields, Invalid};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A link to be made.
pub struct CreateCrmLink {
    /// To what.
    pub ids: CrmIds,
    /// In which CRM.
    pub source: CrmSource,
}

impl FromFields for CreateCrmLink {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let person =
            crm_id().about("The person's id in the CRM. This or crmAccountId must be there.");
        let person = fields.nullable("crmPersonId", person);
        let account =
            crm_id().about("The account's id in the CRM. This or crmPersonId must be there.");
        let account = fields.nullable("crmAccountId", account);
        // Null is as good as left out, so what is there must be a text.
        let given = |name: &str| json!({ "required": [name], "properties": { name: { "type": "string" } } });
        let either = json!([given("crmPersonId"), given("crmAccountId")]);
        fields.schema_with("anyOf", either);
        let source = crm_source().about("Which CRM, such as salesforce or hubspot, in any case.");
        let source = fields.required("crmSource", source);
        let ids = match (person, account) {
            (Ok(None), Ok(None)) => {
                let _ = fields.problem("crmPersonId", "or crmAccountId is required");
                Err(fields.problem("crmAccountId", "or crmPersonId is required"))
            }
            (person, account) => CrmIds::of(person?, account?).ok_or(Invalid),
        };
        Ok(Self {
            ids: ids?,
            source: source?,
        })
    }
}

/// A link between an account and a person, an account or both in a CRM.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrmLink {
    #[schemars(schema_with = "schema::id")]
    id: CrmLinkId,
    /// The linked account of yours.
    #[schemars(schema_with = "schema::id")]
    email_account_id: AccountId,
    #[schemars(with = "Option<String>")]
    crm_person_id: Option<CrmId>,
    #[schemars(with = "Option<String>")]
    crm_account_id: Option<CrmId>,
    /// Which CRM, in lower case.
    #[schemars(with = "String")]
    crm_source: CrmSource,
    #[schemars(schema_with = "schema::instant")]
    created_at: Timestamp,
}

/// An account's links.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CrmLinkList {
    links: Vec<CrmLink>,
}

impl From<StoredLink> for CrmLink {
    fn from(link: StoredLink) -> Self {
        Self {
            id: link.id,
            email_account_id: link.account,
            crm_person_id: link.ids.person().cloned(),
            crm_account_id: link.ids.account().cloned(),
            crm_source: link.source,
            created_at: link.created_at,
        }
    }
}

impl From<Vec<StoredLink>> for CrmLinkList {
    fn from(links: Vec<StoredLink>) -> Self {
        Self {
            links: links.into_iter().map(CrmLink::from).collect(),
        }
    }
}

/// The reference's example.
pub(crate) fn create_link_example() -> Value {
    json!({ "crmPersonId": "sf_003x0001", "crmSource": "salesforce" })
}

pub(crate) fn link_example() -> Value {
    json!({
        "id": "019590a5-7c00-7000-8000-000000000004",
        "emailAccountId": "550e8400-e29b-41d4-a716-446655440000",
        "crmPersonId": "sf_003x0001",
        "crmAccountId": null,
        "crmSource": "salesforce",
        "createdAt": "2026-03-13T12:00:00Z",
    })
}

pub(crate) fn links_example() -> Value {
    json!({ "links": [link_example()] })
}
