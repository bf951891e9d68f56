//! Reading requests.
//!
//! A new account is read for its shape only (names and types). What its values must be is the use case's to say, because that
//! depends on the deployment (which servers may be named) and all of it is to be said at once.

use agentwarm_app::accounts::input::TOKEN_MAX_BYTES;
use agentwarm_app::accounts::{AccountChanges, CredentialsInput, NewAccount, WantedStatus};
use agentwarm_app::error::Problem;
use agentwarm_app::ports::accounts::AccountFilter;
use agentwarm_app::ports::mail::TlsMode;
use agentwarm_app::text::{LINE_PATTERN, NAME_MAX_CHARS};
use agentwarm_core::account::{AccountStatus, OwnPersona, Provider};
use agentwarm_core::content::{MAX_FIELD_CHARS, MAX_TOPICS, Persona};
use agentwarm_core::crm::{CrmEntity, CrmKind};
use agentwarm_lambda::http::rules::{
    Rule, crm_id, crm_source, each_by_itself, integer, line, list, object, one_of, secret, text,
    zone,
};
use agentwarm_lambda::http::{Fields, FromFields, Invalid, Paging, Wanted};
use serde_json::{Value, json};

/// How accounts are paged (API reference §3).
pub const PAGING: Paging = Paging {
    list: "accounts",
    default: 50,
    max: 200,
};

/// The longest address (RFC 3696 erratum 1690), and the longest part of one that can be looked for.
const ADDRESS_MAX_CHARS: usize = 254;

/// The most accounts that one request creates (API reference §3).
const MAX_CREATED: usize = 50;

/// More than any text of a mailbox may have: what is longer is no mistake worth explaining.
const ANY_MAX_CHARS: usize = 1024;

/// Which accounts are wanted.
pub struct ListAccounts {
    /// By what they are.
    pub filter: AccountFilter,
    /// By what they are linked to: each of these.
    pub crm: Vec<CrmEntity>,
    /// By where they are in the list.
    pub wanted: Wanted,
}

impl FromFields for ListAccounts {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let status = one_of(AccountStatus::ALL, AccountStatus::as_str);
        let status = fields.optional("status", status);
        let provider = fields.optional("provider", one_of(Provider::ALL, Provider::as_str));
        let email = fields.optional(
            "email",
            text(1..=ADDRESS_MAX_CHARS).about("Part of the address, in any case."),
        );
        let domain = fields.optional(
            "domain",
            text(1..=ADDRESS_MAX_CHARS).about("Exactly what follows the @."),
        );
        let crm = read_crm(fields);
        let wanted = PAGING.read(fields);
        Ok(Self {
            crm: crm?,
            filter: AccountFilter {
                status: status?,
                provider: provider?,
                email: email?,
                domain: domain?,
            },
            wanted: wanted?,
        })
    }
}

fn read_crm(fields: &mut Fields<'_>) -> Result<Vec<CrmEntity>, Invalid> {
    let person = crm_id().about("Only accounts that are linked to this CRM person.");
    let person = fields.optional("crmPersonId", person);
    let account = crm_id().about("Only accounts that are linked to this CRM account.");
    let account = fields.optional("crmAccountId", account);
    let source =
        crm_source().about("In which CRM crmPersonId and crmAccountId are; any when not given.");
    let source = fields.optional("crmSource", source);
    let (person, account, source) = (person?, account?, source?);
    if source.is_some() && person.is_none() && account.is_none() {
        return Err(fields.problem("crmSource", "needs crmPersonId or crmAccountId"));
    }
    let person = person.map(|id| (CrmKind::Person, id));
    let account = account.map(|id| (CrmKind::Account, id));
    let entity = |(kind, id)| CrmEntity {
        kind,
        id,
        source: source.clone(),
    };
    Ok(person.into_iter().chain(account).map(entity).collect())
}

/// An account to be made.
pub struct CreateAccountBody(
    /// As the use case takes it.
    pub NewAccount,
);

impl FromFields for CreateAccountBody {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let email = fields.required("email", any().schema_with("format", || "email".into()));
        let display_name = fields.required(
            "displayName",
            any()
                .schema_with("minLength", || 1.into())
                .schema_with("maxLength", || NAME_MAX_CHARS.into())
                .schema_with("pattern", || LINE_PATTERN.into()),
        );
        let provider = fields.required("provider", one_of(Provider::ALL, Provider::as_str));
        let timezone = fields.nullable(
            "timezone",
            any()
                .schema_with("format", || "iana-time-zone".into())
                .about("An IANA time zone; UTC when not given."),
        );
        let credentials = fields.required("credentials", object::<CredentialsBody>());
        describe_credentials(fields);
        let pool = fields.nullable(
            "poolId",
            any()
                .schema_with("format", || "uuid".into())
                .about("The pool to join; the default pool when not given."),
        );
        Ok(Self(NewAccount {
            email: email?,
            display_name: display_name?,
            provider: provider?,
            timezone: timezone?,
            credentials: credentials?.0,
            pool: pool?,
        }))
    }
}

/// Says which credentials there must be, which follows from the provider beside them.
fn describe_credentials(fields: &mut Fields<'_>) {
    let needs = |providers: &[Provider], names: Value| {
        let providers: Vec<_> = providers.iter().map(|known| known.as_str()).collect();
        json!({
            "if": { "properties": { "provider": { "enum": providers } } },
            "then": { "properties": { "credentials": { "required": names } } },
        })
    };
    let servers = json!([
        "imapHost", "imapPort", "smtpHost", "smtpPort", "username", "password"
    ]);
    let tokens = json!(["accessToken", "refreshToken"]);
    let rules = json!([
        needs(&[Provider::ImapSmtp], servers),
        needs(&[Provider::Gmail, Provider::Outlook], tokens),
    ]);
    fields.schema_with("allOf", rules);
}

struct CredentialsBody(CredentialsInput);

impl FromFields for CredentialsBody {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let imap_host = fields.optional("imapHost", any());
        let imap_port = fields.optional("imapPort", port([143, 993].as_slice()));
        let smtp_host = fields.optional("smtpHost", any());
        let smtp_port = fields.optional("smtpPort", port([465, 587, 2525].as_slice()));
        let username = fields.optional("username", any());
        let password = fields.optional("password", secret(ANY_MAX_CHARS));
        let token = || secret(TOKEN_MAX_BYTES).about("Of `gmail` and `outlook` accounts.");
        let access_token = fields.optional("accessToken", token());
        let refresh_token = fields.optional("refreshToken", token());
        let imap_security = fields.optional("imapSecurity", security());
        let smtp_security = fields.optional("smtpSecurity", security());
        Ok(Self(CredentialsInput {
            imap_host: imap_host?,
            imap_port: imap_port?,
            smtp_host: smtp_host?,
            smtp_port: smtp_port?,
            username: username?,
            password: password?.map(|password| password.to_string()),
            imap_security: imap_security?,
            smtp_security: smtp_security?,
            access_token: access_token?.map(|token| token.to_string()),
            refresh_token: refresh_token?.map(|token| token.to_string()),
        }))
    }
}

/// New credentials.
pub struct ReplaceCredentialsBody {
    /// Whose schema they have.
    pub provider: Provider,
    /// The credentials.
    pub credentials: CredentialsInput,
}

impl FromFields for ReplaceCredentialsBody {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let provider = one_of(Provider::ALL, Provider::as_str).about("The account's own.");
        let provider = fields.required("provider", provider);
        let credentials = fields.required("credentials", object::<CredentialsBody>());
        describe_credentials(fields);
        Ok(Self {
            provider: provider?,
            credentials: credentials?.0,
        })
    }
}

/// What is to change of an account.
pub struct UpdateAccountBody(
    /// As the use case takes it.
    pub AccountChanges,
);

impl FromFields for UpdateAccountBody {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let display_name = fields.optional("displayName", line(NAME_MAX_CHARS));
        let zone = fields.optional("timezone", zone());
        let status = one_of(WantedStatus::ALL, WantedStatus::as_str).about(
            "`paused` pauses; `active` undoes that for an account that was never warmed. Warmup is started and resumed by its own operations.",
        );
        let status = fields.optional("status", status);
        Ok(Self(AccountChanges {
            display_name: display_name?,
            zone: zone?,
            status: status?,
        }))
    }
}

/// The person behind a mailbox.
pub struct PersonaBody(
    /// As the use case takes it.
    pub OwnPersona,
);

impl FromFields for PersonaBody {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let title = fields.nullable("title", plain().about("Derived when not given."));
        let department = fields.nullable("department", plain().about("Derived when not given."));
        let topics = list(0..=MAX_TOPICS, plain()).about("Derived when not given.");
        let topics = fields.nullable("topics", topics);
        Ok(Self(OwnPersona {
            title: title?,
            department: department?,
            topics: topics?,
        }))
    }
}

/// A few words that may stand in a mail as they are.
fn plain() -> Rule<String> {
    text(1..=MAX_FIELD_CHARS).check(|text| {
        if Persona::takes(&text) {
            Ok(text)
        } else {
            Err("must be plain words, without links, brackets, quotation marks and spaces around it")
        }
    })
}

/// Accounts to be made.
pub struct CreateAccountsBody(
    /// Each as the use case takes it, or what is wrong with it; and the address as it was written, to name it in the answer.
    pub Vec<(String, Result<NewAccount, Vec<Problem>>)>,
);

impl FromFields for CreateAccountsBody {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let each = each_by_itself::<CreateAccountBody>();
        let accounts = fields.required("accounts", list(1..=MAX_CREATED, each))?;
        let named = accounts.into_iter().map(|(sent, account)| {
            let email = sent.get("email").and_then(Value::as_str);
            let email = email.unwrap_or_default().chars().take(ADDRESS_MAX_CHARS);
            (email.collect(), account.map(|CreateAccountBody(new)| new))
        });
        Ok(Self(named.collect()))
    }
}

/// Any text of a bearable length.
fn any() -> Rule<String> {
    text(0..=ANY_MAX_CHARS)
}

/// Any whole number: which ports may be used depends on the deployment.
fn port(usual: &'static [u16]) -> Rule<u32> {
    integer(0..=u32::MAX).schema_with("examples", move || json!(usual))
}

fn security() -> Rule<TlsMode> {
    const MODES: &[TlsMode] = &[TlsMode::Implicit, TlsMode::StartTls];
    let name = |mode| match mode {
        TlsMode::Implicit => "implicit",
        TlsMode::StartTls => "starttls",
    };
    one_of(MODES, name).about("How the connection is secured, where the port does not say it.")
}
