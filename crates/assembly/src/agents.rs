//! Tools for agents: what is served, over the router that is served.

use std::sync::Arc;

use access::Access;
use blueprint::Blueprint;
use gate::Gate;
use mcp::{Mcp, Options};
use rest::RestEndpoints;

use crate::system::Foundation;

/// The server of the protocol. It has no tools yet.
pub(crate) fn server(
    base: &Foundation,
    blueprint: &Blueprint,
    access: &Arc<Access>,
    gate: &Arc<Gate>,
    own: &Arc<RestEndpoints>,
) -> Arc<Mcp> {
    let own = Arc::clone(own);
    Mcp::new(Options {
        title: blueprint.product.title.clone(),
        description: blueprint.product.description.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        public_url: base.settings.public_url.clone(),
        inside: base.inside.clone(),
        access: Arc::clone(access),
        gate: Arc::clone(gate),
        own: Arc::new(move |caller| {
            let own = Arc::clone(&own);
            Box::pin(async move { own.described(&caller).await })
        }),
    })
}
