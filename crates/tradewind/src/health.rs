//! `/health/live` and `/health/ready`.

use axum::extract::State;
use kernel::Scope;
use serde::Serialize;
use store::Store;
use web::{Access, Api, Endpoint, Json};

/// How a part does.
#[derive(Serialize, utoipa::ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

pub(crate) fn routes(store: Store) -> Api {
    let live = Endpoint::get("/health/live", "health.live")
        .tag("Health")
        .summary("Whether the process runs")
        .needs(Access::Public)
        .answers::<Health>(200);
    let ready = Endpoint::get("/health/ready", "health.ready")
        .tag("Health")
        .summary("Whether it can serve: the database answers")
        .needs(Access::Public)
        .answers::<Health>(200);
    Api::new().route(live, || async { Json(Health { status: "ok" }) }, ()).route(ready, is_ready, store)
}

/// Error: 503 `database_unavailable`.
async fn is_ready(State(store): State<Store>) -> web::Result<Json<Health>> {
    store.read(Scope::system("health"), |tx| tx.query("SELECT 1", &[], |_| Ok(()))).await?;
    Ok(Json(Health { status: "ok" }))
}
