//! Transforms, apart from the webhooks that have them: trying one.

mod preview;

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::Webhooks;

pub use preview::{Preview, PreviewEvent, PreviewFault, PreviewInput, PreviewRequest};

/// The routes.
pub(crate) fn routes(webhooks: &Arc<Webhooks>) -> Api {
    let preview = Endpoint::post("/api/v1/transforms/preview", "transforms.preview").tag("Webhooks");
    Api::new().route(
        preview
            .needs(Access::Permission(Permission::WebhooksWrite))
            .summary("Try a transform on an event; nothing is sent")
            .body::<PreviewInput>()
            .answers::<Preview>(200),
        preview::handle,
        Arc::clone(webhooks),
    )
}
