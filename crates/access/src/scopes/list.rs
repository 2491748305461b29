//! `GET /api/v1/scopes`.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;

use crate::Access;

/// One scope.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScopeInfo {
    /// Its name.
    pub name: String,
    /// What it allows, in one sentence.
    pub description: String,
}

/// Every scope of the product.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ScopeList {
    /// In the blueprint's order.
    pub data: Vec<ScopeInfo>,
}

impl Access {
    /// Every scope of the product.
    pub fn list_scopes(&self) -> ScopeList {
        let info = |scope: &blueprint::model::Scope| ScopeInfo { name: scope.name.clone(), description: scope.description.clone() };
        ScopeList { data: self.blueprint.scopes.iter().map(info).collect() }
    }
}

pub(crate) async fn handle(State(access): State<Arc<Access>>, web::Auth(_): web::Auth) -> web::Json<ScopeList> {
    web::Json(access.list_scopes())
}
