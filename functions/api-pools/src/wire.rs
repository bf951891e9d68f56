//! What these operations take and give. Pools are in `snake_case` in the reference, their configuration camelCase (decision 11).

mod examples;

use agentwarm_app::pools::Configuration;
use agentwarm_app::text::{DESCRIPTION_MAX_CHARS, LINE_PATTERN, NAME_MAX_CHARS};
use agentwarm_core::ids::PoolId;
use agentwarm_core::pool::{Pool as StoredPool, PoolConfig, PoolOverrides};
use agentwarm_lambda::http::fields::Raw;
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::{Rule, boolean, line, text};
use agentwarm_lambda::http::{Fields, FromFields, Invalid};
use jiff::Timestamp;
use schemars::transform::Transform as _;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use examples::{
    added_example, configuration_example, configure_example, configured_example, create_example,
    list_example, pool_example,
};

/// The least number that DynamoDB keeps; what is less is nothing.
const LEAST: f64 = 1e-130;

/// A pool to be made.
pub struct CreatePool {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
}

impl FromFields for CreatePool {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let name = fields.required("name", line(NAME_MAX_CHARS));
        let description =
            text(0..=DESCRIPTION_MAX_CHARS).schema_with("pattern", || LINE_PATTERN.into());
        let description = fields.nullable("description", description);
        Ok(Self {
            name: name?,
            description: description?,
        })
    }
}

/// Values of a configuration to be changed.
pub struct ConfigurePool(
    /// Those that were given.
    pub PoolOverrides,
);

impl FromFields for ConfigurePool {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let min_daily_emails = fields.optional("minDailyEmails", count(1, 100));
        let max_daily_emails = fields.optional("maxDailyEmails", count(1, 200));
        let ramp_up_days = fields.optional("rampUpDays", count(1, 180));
        let reply_rate = fields.optional("replyRate", any_number(0.0, 1.0));
        let open_rate = fields.optional("openRate", any_number(0.0, 1.0));
        let mark_important_rate = fields.optional("markImportantRate", any_number(0.0, 1.0));
        let working_hours_start = fields.optional("workingHoursStart", count(0, 23));
        let working_hours_end = fields.optional("workingHoursEnd", count(0, 23));
        let send_on_weekends = fields.optional("sendOnWeekends", boolean());
        let increase = fields.optional("maxDailyVolumeIncrease", any_number(1.0, 5.0));
        let max_per_partner_per_day = fields.optional("maxPerPartnerPerDay", count(1, 50));
        Ok(Self(PoolOverrides {
            min_daily_emails: min_daily_emails?,
            max_daily_emails: max_daily_emails?,
            ramp_up_days: ramp_up_days?,
            reply_rate: reply_rate?,
            open_rate: open_rate?,
            mark_important_rate: mark_important_rate?,
            working_hours_start: working_hours_start?,
            working_hours_end: working_hours_end?,
            send_on_weekends: send_on_weekends?,
            max_daily_volume_increase: increase?,
            max_per_partner_per_day: max_per_partner_per_day?,
        }))
    }
}

/// Any whole number: ranges are the domain's, which answers them with a code of their own (decision 6). What no `u32` holds is read as one
/// that is out of every range.
fn count(min: u32, max: u32) -> Rule<u32> {
    Rule::new(
        move || json!({ "type": "integer", "minimum": min, "maximum": max }),
        |raw| {
            let number = match raw {
                Raw::Json(value) => value.as_f64(),
                Raw::Text(text) => text.parse().ok(),
            };
            match number.filter(|number| number.fract() == 0.0) {
                None => Err("must be a whole number".into()),
                Some(number) => Ok(format!("{number:.0}").parse().unwrap_or(u32::MAX)),
            }
        },
    )
}

/// Any number, for the same reason.
fn any_number(min: f64, max: f64) -> Rule<f64> {
    Rule::new(
        move || json!({ "type": "number", "minimum": min, "maximum": max }),
        |raw| {
            let number = match raw {
                Raw::Json(value) => value.as_f64(),
                Raw::Text(text) => text.parse().ok(),
            };
            number
                .map(|number| {
                    if (0.0..LEAST).contains(&number) {
                        0.0
                    } else {
                        number
                    }
                })
                .ok_or_else(|| "must be a number".into())
        },
    )
}

/// A pool.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(transform = schema::ours(&["member_count"]))]
pub struct Pool {
    #[schemars(schema_with = "schema::id")]
    id: PoolId,
    name: String,
    description: Option<String>,
    /// How many accounts are in it.
    member_count: u32,
    #[schemars(schema_with = "schema::instant")]
    created_at: Timestamp,
    #[schemars(schema_with = "schema::instant")]
    updated_at: Timestamp,
}

/// All pools of a user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PoolList {
    pools: Vec<Pool>,
}

/// That something was done.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PoolMessage {
    message: &'static str,
}

/// What counts in a pool.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolConfiguration {
    #[schemars(schema_with = "schema::id")]
    pool_id: PoolId,
    /// What counts.
    #[schemars(schema_with = "config")]
    config: PoolConfig,
    /// Which of it the pool sets itself.
    #[schemars(schema_with = "overrides")]
    overrides: PoolOverrides,
}

impl PoolMessage {
    /// An account is in a pool.
    pub const ADDED: Self = Self {
        message: "Account added to pool",
    };
}

impl From<StoredPool> for Pool {
    fn from(pool: StoredPool) -> Self {
        Self {
            id: pool.id,
            name: pool.name,
            description: pool.description,
            member_count: pool.member_count,
            created_at: pool.created_at,
            updated_at: pool.updated_at,
        }
    }
}

impl From<Vec<StoredPool>> for PoolList {
    fn from(pools: Vec<StoredPool>) -> Self {
        Self {
            pools: pools.into_iter().map(Pool::from).collect(),
        }
    }
}

impl From<Configuration> for PoolConfiguration {
    fn from(configuration: Configuration) -> Self {
        Self {
            pool_id: configuration.pool,
            config: configuration.config,
            overrides: configuration.overrides,
        }
    }
}

/// Every value, all there.
fn config(_: &mut SchemaGenerator) -> Schema {
    let properties = values();
    let required: Vec<_> = properties
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys().cloned())
        .collect();
    let mut config =
        json_schema!({ "type": "object", "properties": properties, "required": required });
    schema::ours(&["maxDailyVolumeIncrease", "maxPerPartnerPerDay"]).transform(&mut config);
    config
}

/// Every value, each there or not.
fn overrides(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "properties": values() })
}

fn values() -> Value {
    let rate = json!({ "type": "number", "minimum": 0, "maximum": 1 });
    let count = json!({ "type": "integer", "minimum": 0 });
    json!({
        "minDailyEmails": count,
        "maxDailyEmails": count,
        "rampUpDays": count,
        "replyRate": rate,
        "openRate": rate,
        "markImportantRate": rate,
        "workingHoursStart": count,
        "workingHoursEnd": count,
        "sendOnWeekends": { "type": "boolean" },
        "maxDailyVolumeIncrease": { "type": "number", "minimum": 1, "maximum": 5 },
        "maxPerPartnerPerDay": count,
    })
}
