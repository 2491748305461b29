//! `GET /api/v1/rate-limits`.

use std::sync::Arc;

use axum::extract::State;
use blueprint::model::Tier;
use serde::Serialize;
use serde_json::value::RawValue;
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

impl TierMap {
    pub(super) fn of(tiers: &[Tier]) -> Self {
        let limits = |tier| serde_json::to_value(TierLimits::from(tier)).unwrap_or_default();
        Self { data: tiers.iter().map(|tier| (tier.name.clone(), limits(tier))).collect() }
    }
}

/// The answer is written once for each snapshot of the tiers.
pub(crate) async fn handle(State(access): State<Arc<Access>>, web::Auth(_): web::Auth) -> web::Json<Arc<RawValue>> {
    web::Json(access.tiers().listing())
}
