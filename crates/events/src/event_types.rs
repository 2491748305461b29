//! `events.types` and `event_types.get`: what may happen.

use std::sync::Arc;

use axum::extract::State;
use blueprint::model::{self, OnSchemaFault};
use kernel::{Caller, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Events;
use crate::features::Features;
use crate::operational::{self, OPERATIONAL};

/// A declared event type, in one of its versions.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeView {
    /// Its name, such as `lead.created`.
    pub name: String,
    /// What it says.
    pub description: String,
    /// The version that is shown here.
    pub version: u32,
    /// The version that a publication has when it names none.
    pub default_version: u32,
    /// Every version, the newest first.
    pub versions: Vec<VersionView>,
    /// JSON Schema (2020-12) of `data`.
    pub schema: Value,
    /// An example of `data`.
    pub example: Value,
    /// If it is not to be used any more: the whole type, or the version that is shown.
    pub deprecated: Option<DeprecationView>,
    /// Only tenants whose settings name this feature have the type.
    pub feature: Option<String>,
    /// What becomes of a publication that breaks the schema: `reject`, `warn` or `quarantine`.
    pub on_schema_fault: &'static str,
}

impl EventTypeView {
    /// A type that exists under every blueprint, in its only version.
    pub(crate) fn of_ours(name: &str, description: &str, schema: Value, example: Value) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            version: 1,
            default_version: 1,
            versions: vec![VersionView { version: 1, deprecated: None }],
            schema,
            example,
            deprecated: None,
            feature: None,
            on_schema_fault: "reject",
        }
    }
}

/// A version of an event type.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// Its number.
    pub version: u32,
    /// If it is not to be used any more.
    pub deprecated: Option<DeprecationView>,
}

/// Not to be used any more.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeprecationView {
    /// Since which day.
    pub since: String,
    /// What to use in its place.
    #[schema(value_type = Option<String>)]
    pub replacement: Option<kernel::EventType>,
    /// The day from which it may be gone.
    pub sunset: Option<String>,
    /// Words for people.
    pub note: Option<String>,
}

impl From<&model::Deprecation> for DeprecationView {
    fn from(one: &model::Deprecation) -> Self {
        Self { since: one.since.clone(), replacement: one.replacement.clone(), sunset: one.sunset.clone(), note: one.note.clone() }
    }
}

/// An event type in a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// Its name.
    pub(crate) name: String,
    /// What it says.
    pub(crate) description: String,
    /// The version that a publication has when it names none.
    pub(crate) default_version: u32,
    /// The numbers of all versions, the newest first.
    pub(crate) versions: Vec<u32>,
    /// If the type is not to be used any more.
    pub(crate) deprecated: Option<DeprecationView>,
    /// Only tenants whose settings name this feature have the type.
    pub(crate) feature: Option<String>,
}

/// The types that the caller has.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Names {
    /// The names, in the blueprint's order.
    pub(crate) data: Vec<String>,
    /// The same with a few words about each.
    pub(crate) types: Vec<Summary>,
    /// What the server itself tells of webhooks, deliveries and sources, under every blueprint. Only webhooks that name them get them.
    pub(crate) operational: Vec<Summary>,
}

/// Which version is asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct VersionQuery {
    version: Option<u32>,
}

impl Events {
    /// Every declared type's name, in the blueprint's order, whoever has it.
    pub fn type_names(&self) -> &[String] {
        self.catalogue.names()
    }

    /// One type that the caller has, in this version, or in that which counts when none is named. Error: 404.
    pub async fn event_type(&self, caller: &Caller, name: &str, version: Option<u32>) -> Result<EventTypeView> {
        let features = self.features_of(caller.tenant()).await?;
        let Some(declared) = self.catalogue.get(name, &features) else {
            let ours = operational::view(name).filter(|_| version.is_none_or(|version| version == 1));
            return ours.ok_or_else(|| Error::not_found("event type"));
        };
        view(&declared.model, version).ok_or_else(|| Error::not_found("version of this event type"))
    }

    fn summaries(&self, features: &Features) -> Vec<Summary> {
        let visible = self.catalogue.names().iter().filter_map(|name| self.catalogue.get(name, features));
        visible.map(|declared| summary(&declared.model)).collect()
    }
}

fn view(model: &model::EventType, version: Option<u32>) -> Option<EventTypeView> {
    let shown = model.version(version.unwrap_or(model.default_version))?;
    let versions = model.versions.iter();
    Some(EventTypeView {
        name: model.name.to_string(),
        description: model.description.clone(),
        version: shown.version,
        default_version: model.default_version,
        versions: versions.map(|one| VersionView { version: one.version, deprecated: one.deprecated.as_ref().map(Into::into) }).collect(),
        schema: shown.schema.clone(),
        example: shown.example.clone(),
        deprecated: model.deprecated.as_ref().or(shown.deprecated.as_ref()).map(Into::into),
        feature: model.feature.clone(),
        on_schema_fault: match model.on_schema_fault {
            OnSchemaFault::Reject => "reject",
            OnSchemaFault::Warn => "warn",
            OnSchemaFault::Quarantine => "quarantine",
        },
    })
}

/// The types that exist under every blueprint; one that the blueprint declares itself is the blueprint's.
fn operational(declared: &[Summary]) -> Vec<Summary> {
    let ours = OPERATIONAL.iter().filter(|name| !declared.iter().any(|one| one.name == **name)).filter_map(|name| operational::view(name));
    ours.map(|view| Summary {
        name: view.name,
        description: view.description,
        default_version: 1,
        versions: vec![1],
        deprecated: None,
        feature: None,
    })
    .collect()
}

fn summary(model: &model::EventType) -> Summary {
    Summary {
        name: model.name.to_string(),
        description: model.description.clone(),
        default_version: model.default_version,
        versions: model.versions.iter().map(|one| one.version).collect(),
        deprecated: model.deprecated.as_ref().map(Into::into),
        feature: model.feature.clone(),
    }
}

pub(crate) async fn names(State(events): State<Arc<Events>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<Names>> {
    let types = events.summaries(&events.features_of(caller.tenant()).await?);
    let data = types.iter().map(|one| one.name.clone()).collect();
    Ok(web::Json(Names { data, operational: operational(&types), types }))
}

pub(crate) async fn get(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Path(name): web::Path<String>,
    web::Query(asked): web::Query<VersionQuery>,
) -> web::Result<web::Json<EventTypeView>> {
    Ok(web::Json(events.event_type(&caller, &name, asked.version).await?))
}
