//! `GET /.well-known/oauth-protected-resource` (RFC 9728): which authorization server gives tokens for this server's interfaces.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use kernel::Error;
use serde_json::{Value, json};

use super::public;
use crate::Oauth;

/// Parts of this server that clients know as resources of their own, by path.
const PARTS: &[&str] = &["mcp", "graphql", "api/v1"];

impl Oauth {
    /// What a client must know to get a token for this server, or for a part of it.
    pub fn resource_metadata(&self, part: Option<&str>) -> Value {
        let issuer = &self.config.issuer;
        json!({
            "resource": part.map_or_else(|| issuer.clone(), |part| format!("{issuer}/{part}")),
            "authorization_servers": [issuer],
            "scopes_supported": self.blueprint.all_scopes(),
            "bearer_methods_supported": ["header"],
            "resource_name": self.blueprint.product.title,
            "resource_documentation": format!("{issuer}/docs"),
        })
    }
}

pub(crate) async fn handle(State(oauth): State<Arc<Oauth>>) -> Response {
    public(&oauth.resource_metadata(None))
}

pub(crate) async fn handle_path(State(oauth): State<Arc<Oauth>>, web::Path(path): web::Path<String>) -> web::Result<Response> {
    let path = path.trim_end_matches('/');
    let part = PARTS.iter().find(|part| **part == path).ok_or_else(|| Error::not_found("protected resource"))?;
    Ok(public(&oauth.resource_metadata(Some(part))))
}
