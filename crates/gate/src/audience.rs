//! What a token was asked for (RFC 8707): one that was issued for a part of this server opens no other part.

use access::Principal;
use kernel::{Error, Result};

use crate::Gate;

/// Agents' tools are endpoints elsewhere: whoever may call them for an agent may call them.
const AGENTS: &str = "/mcp";

impl Gate {
    /// Error: 401 `wrong_resource`.
    pub(crate) fn check_audience(&self, principal: &Principal, path: &str) -> Result<()> {
        let Some(token) = principal.token.as_deref().filter(|token| !token.resource.is_empty()) else { return Ok(()) };
        let base = self.announced.get().map_or("", |public_url| path_of(public_url));
        if token.resource.iter().any(|resource| covers(path_of(resource).strip_prefix(base).unwrap_or_default(), path)) {
            return Ok(());
        }
        Err(Error::unauthenticated("wrong_resource", "This token was issued for another part of this server."))
    }
}

/// The path of an absolute address, without what follows it and without a slash at the end.
fn path_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/')
}

fn covers(part: &str, path: &str) -> bool {
    part.is_empty() || part == AGENTS || path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_covers_what_is_under_it() {
        assert_eq!(path_of("https://api.example:443/api/v1/?x=1"), "/api/v1");
        assert_eq!((path_of("https://api.example"), path_of("https://api.example/")), ("", ""));
        assert!(
            covers("", "/anything")
                && covers("/api/v1", "/api/v1/leads")
                && covers("/graphql", "/graphql")
                && covers("/mcp", "/api/v1/leads")
        );
        assert!(!covers("/api/v1", "/api/v10") && !covers("/graphql", "/api/v1/leads") && !covers("/api/v1", "/mcp"));
    }
}
