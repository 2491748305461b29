//! Where an answer may be sent (RFC 6749 §3.1.2, RFC 9700 §2.1, §4.1).

use url::Url;

use crate::clients::OAuthClient;
use crate::errors::invalid_request;

/// The address that a request's answer goes to: one that the client registered, letter by letter. Only of an address on loopback, given as a
/// number, the port may be another one (RFC 8252 §7.3): an application that is installed learns its port when it starts.
///
/// Error: 400 `invalid_request`, to be shown to the person and not sent anywhere.
pub(super) fn resolve(client: &OAuthClient, asked: Option<&str>) -> kernel::Result<String> {
    let registered = &client.app.redirect_uris;
    match (asked, registered.as_slice()) {
        (None, [one]) => Ok(one.clone()),
        (None, _) => Err(invalid_request("The redirect_uri is missing.")),
        (Some(asked), all) if all.iter().any(|known| known == asked || is_same_on_loopback(known, asked)) => Ok(asked.to_owned()),
        (Some(_), _) => Err(invalid_request("The redirect_uri is none of those that the client registered.")),
    }
}

fn is_same_on_loopback(known: &str, asked: &str) -> bool {
    let parts = |text: &str| {
        let rest =
            text.strip_prefix("http://127.0.0.1").map(|rest| (4, rest)).or_else(|| text.strip_prefix("http://[::1]").map(|rest| (6, rest)));
        let (family, rest) = rest?;
        let digits = rest.strip_prefix(':').map_or(0, |port| 1 + port.bytes().take_while(u8::is_ascii_digit).count());
        let (port, path) = rest.split_at(digits);
        let fits = port.is_empty() || port[1..].parse::<u16>().is_ok_and(|port| port > 0);
        // What follows is a path or nothing: never `@` or another host.
        (fits && (path.is_empty() || path.starts_with('/'))).then(|| (family, path.to_owned()))
    };
    parts(known).is_some_and(|known| parts(asked) == Some(known)) && Url::parse(asked).is_ok_and(|url| url.fragment().is_none())
}

/// An address with the answer's parameters. What the client registered stays as it is.
pub(super) fn with(redirect_uri: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let mark = if !redirect_uri.contains('?') {
        "?"
    } else if redirect_uri.ends_with(['?', '&']) {
        ""
    } else {
        "&"
    };
    format!("{redirect_uri}{mark}{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_port_of_a_loopback_number_may_differ() {
        let same = is_same_on_loopback;
        assert!(same("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb") && same("http://[::1]:1/cb", "http://[::1]:2/cb"));
        for (known, asked) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb2"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:51004@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb"),
            ("http://127.0.0.1/cb", "https://127.0.0.1/cb"),
            ("http://127.0.0.1/cb", "http://[::1]/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1/cb#f"),
            ("http://localhost/cb", "http://localhost:51004/cb"),
            ("https://a.example/cb", "https://a.example:444/cb"),
        ] {
            assert!(!same(known, asked), "{asked}");
        }
    }

    #[test]
    fn parameters_go_behind_those_that_are_there() {
        assert_eq!(
            with("https://a.example/cb", &[("code", "x y"), ("iss", "https://i")]),
            "https://a.example/cb?code=x+y&iss=https%3A%2F%2Fi"
        );
        assert_eq!(with("https://a.example/cb?t=1", &[("code", "x")]), "https://a.example/cb?t=1&code=x");
        assert_eq!(with("com.example.app:/cb", &[("code", "x")]), "com.example.app:/cb?code=x");
    }

    proptest! {
        #[test]
        fn a_loopback_match_is_on_loopback(asked in "http://127\\.0\\.0\\.1[:@/.a-z0-9#?\\\\]{0,20}") {
            if is_same_on_loopback("http://127.0.0.1/cb", &asked) {
                let url = Url::parse(&asked).unwrap();
                prop_assert_eq!((url.host_str(), url.path(), url.query()), (Some("127.0.0.1"), "/cb", None));
            }
        }
    }
}
