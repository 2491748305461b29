//! `GET /api/v1/rate-limits`.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};

use super::TierLimits;
use crate::Access;

/// Tiers by name.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TierMap {
    /// `{"basic": {"requestsPerMinute", "requestsPerHour", "requestsPerDay", "burst"}, …}`, in the blueprint's order.
    #[schema(value_type = std::collections::BTreeMap<String, TierLimits>)]
    pub data: Map<String, Value>,
}

impl Access {
    /// All tiers as they are now.
    pub fn list_rate_limits(&self) -> TierMap {
        let limits = |tier| serde_json::to_value(TierLimits::from(tier)).unwrap_or_default();
        TierMap { data: self.tiers().all().iter().map(|tier| (tier.name.clone(), limits(tier))).collect() }
    }
}

pub(crate) async fn handle(State(access): State<Arc<Access>>, web::Auth(_): web::Auth) -> web::Json<TierMap> {
    web::Json(access.list_rate_limits())
}
