//! Rules for values that come from outside, beyond `kernel::text`.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use kernel::text;
use kernel::{Error, Result};
use serde_json::{Map, Value};
use url::Url;

/// Longest address in bytes.
const MAX_URL: usize = 2048;
/// Most bytes of a metadata or settings object, as JSON.
const MAX_OBJECT: usize = 16 * 1024;
/// Longest e-mail address (RFC 5321 §4.5.3.1).
const MAX_EMAIL: usize = 254;
/// Most entries of a list in a body.
pub(crate) const MAX_ENTRIES: usize = 100;

/// An absolute `http` or `https` address with a host and without credentials.
pub(crate) fn web_url(pointer: &str, address: &str) -> Result<()> {
    let url = absolute(pointer, address)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Error::field(pointer, "must be an http:// or https:// address"));
    }
    Ok(())
}

/// Where an authorization may be sent (RFC 6749 §3.1.2, RFC 8252 §7): https, http on loopback, or an application's own scheme, which has a dot.
pub(crate) fn redirect_uri(pointer: &str, address: &str) -> Result<()> {
    let url = absolute(pointer, address)?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let fits = match url.scheme() {
        "https" => url.has_host(),
        "http" => loopback,
        scheme => scheme.contains('.'),
    };
    if !fits || url.fragment().is_some() {
        return Err(Error::field(
            pointer,
            "must be https, http on loopback, or an application's own scheme (com.example.app), without fragment",
        ));
    }
    Ok(())
}

/// An origin as browsers send it: scheme, host and perhaps a port, nothing more.
pub(crate) fn origin(pointer: &str, address: &str) -> Result<()> {
    let url = absolute(pointer, address)?;
    if !matches!(url.scheme(), "http" | "https") || url.origin().ascii_serialization() != address {
        return Err(Error::field(pointer, "must be an origin such as https://app.example.com: lower case, no path, no default port"));
    }
    Ok(())
}

fn absolute(pointer: &str, address: &str) -> Result<Url> {
    let fault = |detail: &str| Error::field(pointer, detail);
    if address.is_empty() || address.len() > MAX_URL {
        return Err(fault("must have 1 to 2048 bytes"));
    }
    // The parser would silently drop tabs, line ends and outer spaces: what is stored must be what was meant.
    if address.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(fault("must not contain spaces or control characters"));
    }
    let url = Url::parse(address).map_err(|error| fault(&format!("is not an absolute address: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault("must not contain a user name or password"));
    }
    Ok(url)
}

/// An e-mail address: one `@` between a local part and a host name.
pub(crate) fn email(pointer: &str, address: &str) -> Result<()> {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '@');
    let host_fits = |host: &str| {
        !host.is_empty() && host.split('.').all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
    };
    let fits = address
        .split_once('@')
        .is_some_and(|(local, host)| !local.is_empty() && local.len() <= 64 && local.chars().all(plain) && host_fits(host));
    if !fits || address.len() > MAX_EMAIL {
        return Err(Error::field(pointer, "must be an e-mail address such as ada@example.com"));
    }
    Ok(())
}

/// A network (`203.0.113.0/24`) or a single address, in canonical form: an IPv4 network in IPv6 clothes is the IPv4 network, and host bits
/// are cleared.
pub(crate) fn network(pointer: &str, written: &str) -> Result<IpNet> {
    let parsed = written.parse::<IpNet>().ok().or_else(|| written.parse::<IpAddr>().ok().map(IpNet::from));
    let net = parsed.ok_or_else(|| Error::field(pointer, "must be an IP address or a network such as 203.0.113.0/24"))?.trunc();
    let mapped = match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.addr().to_ipv4_mapped().map(|v4| (v4, v6.prefix_len() - 96)),
        _ => None,
    };
    Ok(mapped.and_then(|(v4, len)| Ipv4Net::new(v4, len).ok()).map_or(net, IpNet::V4))
}

/// A list of at most [`MAX_ENTRIES`], each checked at its own pointer.
pub(crate) fn each(pointer: &str, entries: &[String], check: impl Fn(&str, &str) -> Result<()>) -> Result<()> {
    if entries.len() > MAX_ENTRIES {
        return Err(Error::field(pointer, format!("must have at most {MAX_ENTRIES} entries")));
    }
    entries.iter().enumerate().try_for_each(|(index, entry)| check(&format!("{pointer}/{index}"), entry))
}

/// A free JSON object of bounded size, without NUL.
pub(crate) fn object(pointer: &str, object: &Map<String, Value>) -> Result<()> {
    let written = serde_json::to_string(object).map_err(Error::internal)?;
    if written.len() > MAX_OBJECT {
        return Err(Error::field(pointer, format!("must have at most {MAX_OBJECT} bytes as JSON")));
    }
    if object.iter().any(|(name, value)| name.contains('\0') || has_nul(value)) {
        return Err(Error::field(pointer, "must not contain NUL"));
    }
    Ok(())
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// `null` for a field that must have a value.
pub(crate) fn required<T>(pointer: &str, field: web::Patch<T>) -> Result<Option<T>> {
    match field.change() {
        None => Ok(None),
        Some(Some(value)) => Ok(Some(value)),
        Some(None) => Err(Error::field(pointer, "must not be null")),
    }
}

/// What a list's `search` is compared with: lower case, so that both engines find the same.
pub(crate) fn search_text(parts: &[&str]) -> String {
    parts.join("\n").to_lowercase()
}

/// A `LIKE` pattern (with `ESCAPE '\'`) that finds `search` anywhere. None: everything.
pub(crate) fn search_pattern(search: Option<&str>) -> Result<String> {
    let Some(search) = search else { return Ok("%".to_owned()) };
    text::line("/search", search, 0, text::MAX_NAME)?;
    let mut pattern = String::from("%");
    for c in search.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    Ok(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn networks_are_canonical() {
        for (written, canonical) in [
            ("203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7/32"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(network("/x", written).unwrap().to_string(), canonical);
        }
        for bad in ["", "10.0.0.0/33", "10.0.0", "example.com", "1.2.3.4/", "0x7f.1", " 10.0.0.1"] {
            assert!(network("/x", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_checked() {
        for good in ["https://a.example/cb?x=1", "http://localhost:8080/cb", "http://127.0.0.1/cb", "com.example.app:/cb"] {
            redirect_uri("/x", good).unwrap();
        }
        for bad in ["http://a.example/cb", "javascript:alert(1)", "https://a.example/#f", "/cb", "", "https://u:p@a.example", "https://a b"]
        {
            assert!(redirect_uri("/x", bad).is_err(), "{bad:?}");
        }
        assert!(web_url("/x", "ftp://a.example").is_err() && web_url("/x", "http://a.example/x").is_ok());
        for bad in ["https://a.example/", "https://A.example", "https://a.example:443", "null", "*", "https://a.example/x"] {
            assert!(origin("/x", bad).is_err(), "{bad:?}");
        }
        origin("/x", "https://a.example:8443").unwrap();
    }

    #[test]
    fn e_mail_addresses_are_checked() {
        email("/x", "ada.byron+x@mail.example.com").unwrap();
        for bad in ["", "ada", "@example.com", "ada@", "a@b@c.example", "ada@exa mple.com", "ada@.com", "a\u{0}@b.c", "<a>@b.c"] {
            assert!(email("/x", bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = (network("/x", &text), redirect_uri("/x", &text), origin("/x", &text), email("/x", &text), web_url("/x", &text));
        }
    }
}
