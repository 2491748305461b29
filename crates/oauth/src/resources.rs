//! The `resource` parameter (RFC 8707): which of this server's addresses a token is for.

use kernel::Result;
use url::Url;

use crate::errors::invalid_target;

/// Most resources of a request.
const MOST: usize = 8;
const MAX_LEN: usize = 2048;

/// Checks that every resource is this server or something under it, and joins them. None: nothing was asked for.
///
/// Error: 400 `invalid_target`.
pub(crate) fn resolve<'a>(issuer: &str, asked: impl Iterator<Item = &'a str>) -> Result<Option<String>> {
    let mut known: Vec<&str> = Vec::new();
    for resource in asked {
        if known.len() == MOST {
            return Err(invalid_target(format!("More than {MOST} resources are asked for.")));
        }
        if !is_ours(issuer, resource) {
            return Err(invalid_target(format!("A resource is an absolute address under {issuer}, without fragment.")));
        }
        if !known.contains(&resource) {
            known.push(resource);
        }
    }
    Ok((!known.is_empty()).then(|| known.join(" ")))
}

/// Whether an address is this server's: the same origin, and under its path.
fn is_ours(issuer: &str, resource: &str) -> bool {
    let (Ok(own), Ok(asked)) = (Url::parse(issuer), Url::parse(resource)) else { return false };
    let path = own.path().trim_end_matches('/');
    let under = asked.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    resource.len() <= MAX_LEN
        && !resource.contains(' ')
        && own.origin() == asked.origin()
        && own.origin().is_tuple()
        && under
        && asked.fragment().is_none()
        && asked.username().is_empty()
        && asked.password().is_none()
}

/// What a refresh may narrow to: some of those that were granted. Error: 400 `invalid_target`.
pub(crate) fn narrow(granted: Option<&str>, asked: Option<String>) -> Result<Option<String>> {
    let Some(asked) = asked else { return Ok(granted.map(str::to_owned)) };
    match granted {
        None => Ok(Some(asked)),
        Some(granted) if asked.split(' ').all(|one| granted.split(' ').any(|known| known == one)) => Ok(Some(asked)),
        Some(_) => Err(invalid_target("This resource was not part of the grant.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_server_are_resources() {
        let resolve = |asked: &[&str]| resolve("https://api.example", asked.iter().copied());
        assert_eq!(resolve(&[]).unwrap(), None);
        assert_eq!(
            resolve(&["https://api.example/mcp", "https://api.example", "https://api.example/mcp"]).unwrap().unwrap(),
            "https://api.example/mcp https://api.example"
        );
        for bad in [
            "https://other.example",
            "https://api.example:8443/",
            "http://api.example/",
            "https://api.example.evil/",
            "https://u@api.example/",
            "https://api.example/#f",
            "/mcp",
            "urn:x",
            "",
        ] {
            assert_eq!(resolve(&[bad]).unwrap_err().code(), "invalid_target", "{bad}");
        }
        assert!(
            !is_ours("https://a.example/base", "https://a.example/basement")
                && is_ours("https://a.example/base", "https://a.example/base/x")
        );
    }

    #[test]
    fn a_refresh_only_narrows() {
        assert_eq!(narrow(Some("a b"), Some("b".into())).unwrap().unwrap(), "b");
        assert_eq!(narrow(Some("a b"), None).unwrap().unwrap(), "a b");
        assert_eq!(narrow(Some("a"), Some("c".into())).unwrap_err().code(), "invalid_target");
        assert_eq!(narrow(None, Some("c".into())).unwrap().unwrap(), "c");
    }
}
