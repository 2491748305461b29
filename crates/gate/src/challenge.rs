//! What a refusal says about getting a credential that would do (RFC 6750 §3, RFC 9728 §5.1): clients that know nothing of this server but its
//! address, such as those of agents, find the authorization server by it.

use http::{HeaderMap, HeaderValue, header};
use kernel::{Error, Kind};
use web::{Access, Endpoint};

use crate::Gate;

const METADATA: &str = "/.well-known/oauth-protected-resource";
/// A path that clients know as a resource of its own.
const AGENTS: &str = "/mcp";

impl Gate {
    /// Says under which public address this server tells which authorization server it trusts. Once, at wiring.
    pub fn announce(&self, public_url: &str) {
        let _ = self.announced.set(public_url.trim_end_matches('/').to_owned());
    }

    /// Writes `WWW-Authenticate` on a 401, and on a 403 for want of a scope, in place of what stands there.
    pub(crate) fn challenge(&self, headers: &mut HeaderMap, endpoint: &Endpoint, error: &Error) {
        let Some(public_url) = self.announced.get() else { return };
        let part = if endpoint.path == AGENTS { AGENTS } else { "" };
        let fault = match (error.kind(), error.code()) {
            (Kind::Unauthenticated, "missing_credential" | "invalid_dpop_proof" | "use_dpop_nonce") => String::new(),
            (Kind::Unauthenticated, _) => "error=\"invalid_token\", ".to_owned(),
            (Kind::Forbidden, "insufficient_scope") => match &endpoint.access {
                Access::Scope(scope) if !scope.is_empty() => format!("error=\"insufficient_scope\", scope=\"{scope}\", "),
                _ => "error=\"insufficient_scope\", ".to_owned(),
            },
            _ => return,
        };
        if let Ok(value) = HeaderValue::try_from(format!("Bearer {fault}resource_metadata=\"{public_url}{METADATA}{part}\"")) {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
    }
}
