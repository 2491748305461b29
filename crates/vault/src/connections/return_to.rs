//! Where a person may be sent afterwards.

use kernel::{Error, Result};
use url::Url;

/// The setting of a tenant that lists addresses: `{"oauthReturnUrls": ["https://app.example.com"]}`. The operator sets it.
pub(crate) const SETTING: &str = "oauthReturnUrls";

/// The address in full. `public_url`: this server's. `registered`: the tenant's: an origin allows every path of it, an address with a path only
/// that path.
///
/// Error: 422 `return_to_not_allowed`.
pub(crate) fn check(given: &str, public_url: &str, registered: &[String]) -> Result<String> {
    let refused = || {
        let detail = "must be a path on this server, or an address that the operator registered in the tenant's settings.oauthReturnUrls";
        Error::invalid("return_to_not_allowed", "People are not sent to this address; see errors.").at("/returnTo", detail)
    };
    let is_strange = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if given.len() > 2000 || given.contains(is_strange) || given.starts_with("//") {
        return Err(refused());
    }
    let own = Url::parse(public_url).map_err(Error::internal)?;
    let url = if given.starts_with('/') { own.join(given) } else { Url::parse(given) }.map_err(|_| refused())?;
    if !url.username().is_empty() || url.password().is_some() || !matches!(url.scheme(), "http" | "https") {
        return Err(refused());
    }
    let allows = |entry: &String| {
        let Ok(entry) = Url::parse(entry) else { return false };
        entry.origin() == url.origin() && (matches!(entry.path(), "" | "/") || entry.path() == url.path())
    };
    if url.origin() == own.origin() || registered.iter().any(allows) { Ok(url.to_string()) } else { Err(refused()) }
}

/// The address with what came of it. What the host's own query says stays.
pub(crate) fn with_outcome(address: &str, outcome: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::parse(address).ok()?;
    url.query_pairs_mut().extend_pairs(outcome);
    Some(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_to_this_server_or_to_what_is_registered() {
        let registered = ["https://app.example.com".to_owned(), "https://old.example.com/done".to_owned(), "not a url".to_owned()];
        let to = |given: &str| check(given, "https://us.example", &registered).map_err(|error| error.code());
        for (given, sent) in [
            ("/portal/integrations?a=1", "https://us.example/portal/integrations?a=1"),
            ("https://us.example/x", "https://us.example/x"),
            ("https://app.example.com/any/path", "https://app.example.com/any/path"),
            ("https://old.example.com/done?x=1", "https://old.example.com/done?x=1"),
        ] {
            assert_eq!(to(given).as_deref(), Ok(sent), "{given}");
        }
        for bad in [
            "https://evil.example",
            "//evil.example/x",
            "/\\evil.example",
            "https:evil.example",
            "https://app.example.com.evil.example",
            "http://app.example.com/",
            "https://app.example.com@evil.example/",
            "https://old.example.com/other",
            "javascript:alert(1)",
            "data:text/html,x",
            "",
            "x",
            "\thttps://us.example/x",
        ] {
            assert_eq!(to(bad), Err("return_to_not_allowed"), "{bad}");
        }
        assert_eq!(
            with_outcome("https://a.example/x?y=1#z", &[("status", "connected")]).unwrap(),
            "https://a.example/x?y=1&status=connected#z"
        );
    }
}
