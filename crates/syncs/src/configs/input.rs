//! What is sent, and what must hold of it.

use std::time::Duration;

use kernel::{Error, FieldError, IntegrationId, Result};
use mappings::{FieldMapping, Policy};
use serde::Deserialize;
use serde_json::Value;
use web::Patch;

use super::{Deletions, Direction, Settings};
use crate::Syncs;
use crate::frequency::{Frequency, Schedule, next_by_cron};
use crate::plan::Plan;

/// Longest name, in characters.
const MAX_NAME: usize = 200;
/// Most fields of a filter.
const MAX_FILTER: usize = 20;

/// A sync as it is asked for.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSyncConfig {
    /// The account at the vendor.
    pub integration_id: IntegrationId,
    /// Our resource type; absent: the blueprint's first.
    #[serde(default, alias = "resource", alias = "entityType")]
    pub resource_type: Option<String>,
    /// The vendor's object, such as `Lead` or `contacts`; absent: the connector's first.
    #[serde(default, alias = "remoteObject")]
    pub object: Option<String>,
    /// A name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// By default true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// By default both ways.
    #[serde(default, alias = "syncDirection")]
    pub direction: Option<Direction>,
    /// By default when somebody asks.
    #[serde(default)]
    pub frequency: Option<Frequency>,
    /// By default UTC.
    #[serde(default)]
    pub timezone: Option<String>,
    /// What must hold of the vendor's records.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub remote_filter: Option<Value>,
    /// By default `manual`.
    #[serde(default)]
    pub conflict_resolution: Option<Policy>,
    /// The fields; at least one.
    pub field_mappings: Vec<FieldMapping>,
    /// For telephone numbers without a country's code: `DE`.
    #[serde(default)]
    pub default_country: Option<String>,
    /// By default `delete`.
    #[serde(default)]
    pub deletions: Option<Deletions>,
    /// By default 10.
    #[serde(default)]
    pub delete_brake_percent: Option<u32>,
    /// By default 300.
    #[serde(default)]
    pub poll_seconds: Option<u64>,
    /// How often everything is compared, in hours.
    #[serde(default)]
    pub full_every_hours: Option<u64>,
}

/// What is to change; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncConfigPatch {
    /// A name for people.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    /// Whether it runs by itself and follows changes.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Which way records flow.
    #[serde(default, alias = "syncDirection")]
    pub direction: Option<Direction>,
    /// When it runs.
    #[serde(default)]
    pub frequency: Option<Frequency>,
    /// The time zone of a cron expression.
    #[serde(default)]
    pub timezone: Option<String>,
    /// What must hold of the vendor's records.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub remote_filter: Patch<Value>,
    /// Who wins where both sides changed a field.
    #[serde(default)]
    pub conflict_resolution: Option<Policy>,
    /// The fields, all of them.
    #[serde(default)]
    pub field_mappings: Option<Vec<FieldMapping>>,
    /// For telephone numbers without a country's code.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub default_country: Patch<String>,
    /// What becomes of a record when the other side's is deleted.
    #[serde(default)]
    pub deletions: Option<Deletions>,
    /// In per cent.
    #[serde(default)]
    pub delete_brake_percent: Option<u32>,
    /// In seconds.
    #[serde(default)]
    pub poll_seconds: Option<u64>,
    /// In hours.
    #[serde(default)]
    #[schema(value_type = Option<u64>)]
    pub full_every_hours: Patch<u64>,
}

impl NewSyncConfig {
    pub(super) fn settings(self) -> Settings {
        Settings {
            name: self.name,
            direction: self.direction.unwrap_or_default(),
            frequency: self.frequency.unwrap_or_default(),
            timezone: self.timezone.unwrap_or_else(|| "UTC".to_owned()),
            remote_filter: self.remote_filter,
            conflict_resolution: self.conflict_resolution.unwrap_or_default(),
            field_mappings: self.field_mappings,
            default_country: self.default_country,
            deletions: self.deletions.unwrap_or_default(),
            delete_brake_percent: self.delete_brake_percent.unwrap_or(10),
            poll_seconds: self.poll_seconds.unwrap_or(300),
            full_every_hours: self.full_every_hours,
        }
    }
}

impl SyncConfigPatch {
    pub(super) fn apply(self, to: Settings) -> Settings {
        Settings {
            name: self.name.apply(to.name),
            direction: self.direction.unwrap_or(to.direction),
            frequency: self.frequency.unwrap_or(to.frequency),
            timezone: self.timezone.unwrap_or(to.timezone),
            remote_filter: self.remote_filter.apply(to.remote_filter),
            conflict_resolution: self.conflict_resolution.unwrap_or(to.conflict_resolution),
            field_mappings: self.field_mappings.unwrap_or(to.field_mappings),
            default_country: self.default_country.apply(to.default_country),
            deletions: self.deletions.unwrap_or(to.deletions),
            delete_brake_percent: self.delete_brake_percent.unwrap_or(to.delete_brake_percent),
            poll_seconds: self.poll_seconds.unwrap_or(to.poll_seconds),
            full_every_hours: self.full_every_hours.apply(to.full_every_hours),
        }
    }
}

impl Settings {
    /// How often a realtime sync looks at the vendor.
    pub(crate) fn poll(&self) -> Duration {
        Duration::from_secs(self.poll_seconds)
    }

    /// Errors: 422 `validation_failed`, `invalid_cron`.
    pub(crate) fn schedule(&self) -> Result<Schedule> {
        self.frequency.schedule()
    }
}

impl Syncs {
    /// What must hold of a sync's settings, beside what their types say. `unique`: the field that the vendor keeps unique; `writable`: whether
    /// its records can be written.
    ///
    /// Errors: 422 `validation_failed`, `invalid_mapping`, `invalid_cron`, `sync_key_missing`.
    pub(super) fn check(&self, resource: &str, settings: &Settings, unique: Option<&str>) -> Result<()> {
        if settings.name.as_ref().is_some_and(|name| name.chars().count() > MAX_NAME || name.contains('\0')) {
            return Err(Error::field("/name", "must have at most 200 characters and no NUL"));
        }
        if let Schedule::Cron(cron) = settings.schedule()? {
            next_by_cron(&cron, &settings.timezone, self.ambient.now())?;
        }
        next_by_cron("@daily", &settings.timezone, self.ambient.now())?;
        check_filter(settings.remote_filter.as_ref())?;
        bounded("/deleteBrakePercent", u64::from(settings.delete_brake_percent), 0, 100)?;
        bounded("/pollSeconds", settings.poll_seconds, 10, 86_400)?;
        settings.full_every_hours.map_or(Ok(()), |hours| bounded("/fullEveryHours", hours, 1, 24 * 366))?;
        let plan = Plan::compile(settings, unique).map_err(|problems| invalid_mapping(&problems))?;
        if plan.pairs.is_empty() {
            return Err(Error::field("/fieldMappings", "must pair at least one of our fields with one of the vendor's"));
        }
        self.check_key(resource, settings, &plan)
    }

    /// Whoever makes records must be able to find them again. Errors: 422 `sync_key_missing`.
    fn check_key(&self, resource: &str, settings: &Settings, plan: &Plan) -> Result<()> {
        let refuse = |why: String| Err(Error::invalid("sync_key_missing", why).at("/fieldMappings", "needs a field with \"key\": true"));
        let Some(key) = &plan.key else {
            if settings.direction.pushes() {
                let why = "Records of both sides are matched by one field before any is made, so that none is made twice. Mark that field with \
                           \"key\": true.";
                return refuse(why.to_owned());
            }
            return Ok(());
        };
        if settings.direction.pulls() && !self.records.is_findable(resource, &key.local)? {
            let why = format!(
                "Records cannot be found by {}: a key must be a unique member of the resource type, or one that lists are filtered or sorted by.",
                key.local
            );
            return refuse(why);
        }
        Ok(())
    }
}

fn bounded(pointer: &'static str, value: u64, least: u64, most: u64) -> Result<()> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(Error::field(pointer, format!("must be from {least} to {most}"))) }
}

fn check_filter(filter: Option<&Value>) -> Result<()> {
    match filter {
        None => Ok(()),
        Some(Value::Object(members))
            if members.len() <= MAX_FILTER && members.values().all(|value| !value.is_object() && !value.is_array()) =>
        {
            Ok(())
        }
        Some(_) => Err(Error::field("/remoteFilter", "must be an object of at most 20 fields of the vendor and single values")),
    }
}

fn invalid_mapping(problems: &[mappings::Problem]) -> Error {
    let fields = problems.iter().take(20).map(|one| FieldError { pointer: one.field.clone(), detail: one.message.clone() }).collect();
    Error::invalid("invalid_mapping", "The mapping cannot be used; see errors.").with_fields(fields)
}
