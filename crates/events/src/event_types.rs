//! `events.types` and `event_types.get`: what may happen.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Error, Result};
use serde::Serialize;
use serde_json::Value;

use crate::Events;

/// A declared event type.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeView {
    /// Its name, such as `lead.created`.
    pub name: String,
    /// What it says.
    pub description: String,
    /// JSON Schema (2020-12) of `data`.
    pub schema: Value,
    /// An example of `data`.
    pub example: Value,
}

/// The names of all types.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Names {
    /// The names, in the blueprint's order.
    pub(crate) data: Vec<String>,
}

impl Events {
    /// Every declared type's name, in the blueprint's order.
    pub fn type_names(&self) -> &[String] {
        self.catalogue.names()
    }

    /// One type. Error: 404.
    pub fn event_type(&self, name: &str) -> Result<EventTypeView> {
        self.catalogue.get(name).map(|declared| declared.view.clone()).ok_or_else(|| Error::not_found("event type"))
    }
}

pub(crate) async fn names(State(events): State<Arc<Events>>, _: web::Auth) -> web::Json<Names> {
    web::Json(Names { data: events.type_names().to_vec() })
}

pub(crate) async fn get(
    State(events): State<Arc<Events>>,
    _: web::Auth,
    web::Path(name): web::Path<String>,
) -> web::Result<web::Json<EventTypeView>> {
    Ok(web::Json(events.event_type(&name)?))
}
