//! The documentation of everything that is served, and who reads it: the gate knows keys, `rest` knows tenants' own endpoints.

use std::sync::Arc;

use blueprint::Blueprint;
use gate::Gate;
use rest::{Docs, DocsConfig, Reader, Readers, RestEndpoints};
use web::Api;

use crate::settings::Resolved;

/// Adds the documentation of everything in `api`.
pub(crate) fn add(
    api: Api,
    blueprint: &Arc<Blueprint>,
    settings: &Resolved,
    gate: &Arc<Gate>,
    own: &Arc<RestEndpoints>,
) -> (Api, Arc<Docs>) {
    let config = DocsConfig {
        public_url: settings.public_url.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        client: settings.docs_client.map(|client| client.to_string()),
    };
    let docs = Docs::new(Arc::clone(blueprint), api.endpoints(), config, Some(readers(Arc::clone(gate), Arc::clone(own))));
    (api.merge(docs.routes()), docs)
}

fn readers(gate: Arc<Gate>, own: Arc<RestEndpoints>) -> Readers {
    Arc::new(move |parts| {
        let (gate, own) = (Arc::clone(&gate), Arc::clone(&own));
        Box::pin(async move {
            let Some(visitor) = gate.visitor(parts).await? else { return Ok(None) };
            let own = own.described(&visitor.caller).await?;
            Ok(Some(Reader::new(move |endpoint| visitor.may_call(endpoint), own)))
        })
    })
}
