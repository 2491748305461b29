//! The host that a request names (RFC 9112 §3.2, RFC 9113 §8.3.1): whoever leaves it out, says two or says nonsense gets 400, because what
//! stands between it and us may have understood another request than we do.

use std::net::Ipv6Addr;

use http::header::HOST;
use http::{Request, Version};
use kernel::{Error, Result};

/// Errors: 400 `malformed_host`.
pub(crate) fn check<B>(request: &Request<B>) -> Result<()> {
    let fault = |text| Err(Error::malformed("malformed_host", text));
    let mut named = request.headers().get_all(HOST).iter();
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => fault("The request names its host twice. Send one Host field."),
        (Some(one), None) if is_host(one.as_bytes()) => Ok(()),
        (Some(_), None) => fault("The Host field is not a host with an optional port, such as api.example.com:8080."),
        // HTTP/1.0 knows no Host; HTTP/2 says it in the target.
        (None, _) if request.version() < Version::HTTP_11 || request.version() > Version::HTTP_11 && request.uri().host().is_some() => {
            Ok(())
        }
        (None, _) => fault("The request does not name its host. Send a Host field."),
    }
}

/// `uri-host [ ":" port ]` (RFC 9110 §7.2) with a host that is not empty, which `http` and `https` want (§4.2.1).
fn is_host(text: &[u8]) -> bool {
    let (host, port) = match text.first() {
        Some(b'[') => {
            let Some(end) = text.iter().position(|byte| *byte == b']') else { return false };
            let address = std::str::from_utf8(&text[1..end]).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
            if address.is_none() {
                return false;
            }
            (&text[..=end], &text[end + 1..])
        }
        _ => text.split_at(text.iter().position(|byte| *byte == b':').unwrap_or(text.len())),
    };
    let is_name = host.first() == Some(&b'[') || is_name(host);
    is_name && (port.is_empty() || is_port(&port[1..]) && port[0] == b':')
}

/// The usual names, and whatever else a registered name may be (RFC 3986 §3.2.2).
fn is_name(host: &[u8]) -> bool {
    let mut rest = host;
    while let Some((first, others)) = rest.split_first() {
        rest = match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => others,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => others,
            b'%' => match others {
                [high, low, others @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => others,
                _ => return false,
            },
            _ => return false,
        };
    }
    !host.is_empty()
}

/// Digits, maybe none, of a number that is a port.
fn is_port(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit) && (text.is_empty() || std::str::from_utf8(text).is_ok_and(|text| text.parse::<u16>().is_ok()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts() {
        for good in
            ["a", "api.example.com", "API.Example.com:8080", "127.0.0.1:80", "[::1]", "[2001:db8::7]:443", "a:", "x%41-_~!$&'()*+,;="]
        {
            assert!(is_host(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            ":80",
            "a:b",
            "a:80:80",
            "a:65536",
            "a/b",
            "a b",
            "user@a",
            "a,b:c",
            "http://a",
            "[::1",
            "[x]",
            "[]",
            "[::1]x",
            "[fe80::1%25eth0]",
            "a%4",
            "a?b",
            "a#b",
            "é",
            "a\\b",
            "<a>",
        ] {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn who_must_name_one() {
        let of = |version, uri: &str, hosts: &[&str]| {
            let mut request = Request::builder().version(version).uri(uri);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            check(&request.body(()).unwrap()).is_ok()
        };
        assert!(of(Version::HTTP_10, "/", &[]) && !of(Version::HTTP_10, "/", &["a", "a"]) && !of(Version::HTTP_10, "/", &["a b"]));
        assert!(of(Version::HTTP_11, "/", &["a"]) && !of(Version::HTTP_11, "/", &[]) && !of(Version::HTTP_11, "/", &["a", "a"]));
        assert!(!of(Version::HTTP_11, "http://a/", &[]), "a target that names it does not do (RFC 9112 §3.2.2)");
        assert!(of(Version::HTTP_2, "https://a/", &[]) && !of(Version::HTTP_2, "/", &[]) && of(Version::HTTP_2, "/", &["a"]));
    }

    proptest! {
        #[test]
        fn what_passes_is_an_authority(text in "[ -~]{0,20}|[a-c:\\[\\]0-9.%]{0,12}") {
            if is_host(text.as_bytes()) && !text.ends_with(':') && !text.contains('%') {
                let uri: http::Uri = format!("http://{text}/").parse().unwrap();
                prop_assert_eq!(uri.authority().unwrap().as_str(), text.as_str());
            }
        }
    }
}
