//! The HTTP surface.

use std::sync::Arc;

use axum::extract::State;
use blueprint::Blueprint;
use web::{Api, Endpoint};

use crate::WebhookForm;

/// `GET /api/v1/webhook-form`: how this product's deliveries look, for whoever imitates them.
pub fn routes(blueprint: &Blueprint) -> Api {
    let endpoint = Endpoint::get("/api/v1/webhook-form", "webhooks.form")
        .tag("Webhooks")
        .summary("How deliveries look: the body's form and the product's own headers")
        .answers::<WebhookForm>(200);
    Api::new().route(endpoint, handle, Arc::new(WebhookForm::of(&blueprint.webhooks)))
}

async fn handle(State(form): State<Arc<WebhookForm>>, _: web::Auth) -> web::Json<WebhookForm> {
    web::Json(form.as_ref().clone())
}
