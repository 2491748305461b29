//! Which hosts are a vendor's.

use kernel::{Error, Result};

use super::provider::LoginHosts;

/// Whether `host` is what `pattern` says: the name itself, or for `*.example.com` any name below it.
pub(crate) fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host.len() > parent.len() + 1 && host.ends_with(parent) && host.as_bytes()[host.len() - parent.len() - 1] == b'.',
        None => pattern == host,
    }
}

/// Whether it is one of these.
pub(crate) fn is_one_of(patterns: &[String], host: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, host))
}

/// A login host as somebody typed it, in the form in which it is used.
///
/// Error: 422 `login_host_refused`.
pub(crate) fn login_host(hosts: &LoginHosts, given: Option<&str>) -> Result<String> {
    let Some(given) = given else { return Ok(hosts.default.clone()) };
    let host = given.trim().trim_start_matches("https://").trim_end_matches('/').to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let refused = |detail: String| Err(Error::invalid("login_host_refused", detail.clone()).at("/loginHost", detail));
    if is_one_of(&hosts.refuses, &host) {
        return refused(format!(
            "{host} shows pages and signs nobody in. Give the login host: {}.",
            hosts.accepts.iter().filter(|one| *one != &hosts.default).cloned().collect::<Vec<_>>().join(" or ")
        ));
    }
    if host.is_empty() || host.len() > 200 || !host.bytes().all(plain) || !is_one_of(&hosts.accepts, &host) {
        return refused(format!("A login host is one of: {}.", hosts.accepts.join(", ")));
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_names_below_and_nothing_that_only_ends_alike() {
        assert!(matches("*.my.salesforce.com", "acme.my.salesforce.com"));
        assert!(matches("*.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com"));
        for host in ["my.salesforce.com", "evilmy.salesforce.com", ".my.salesforce.com.evil.example", "xmy.salesforce.com"] {
            assert!(!matches("*.my.salesforce.com", host), "{host}");
        }
        assert!(matches("login.salesforce.com", "login.salesforce.com") && !matches("login.salesforce.com", "a.login.salesforce.com"));
    }

    #[test]
    fn salesforce_signs_in_at_its_login_hosts_only() {
        let hosts = crate::providers::find("salesforce").unwrap().login_hosts.clone().unwrap();
        let read = |given: &str| login_host(&hosts, Some(given)).map_err(|error| error.code());
        assert_eq!(login_host(&hosts, None).unwrap(), "login.salesforce.com");
        assert_eq!(read("test.salesforce.com"), Ok("test.salesforce.com".to_owned()));
        assert_eq!(read("https://Acme.my.salesforce.com/"), Ok("acme.my.salesforce.com".to_owned()));
        for bad in [
            "acme.lightning.force.com",
            "evil.example",
            "login.salesforce.com.evil.example",
            "login.salesforce.com@evil.example",
            "login.salesforce.com:8443",
            "a/b.my.salesforce.com",
            "",
        ] {
            assert_eq!(read(bad), Err("login_host_refused"), "{bad}");
        }
        assert!(login_host(&hosts, Some("acme.lightning.force.com")).unwrap_err().detail().contains("signs nobody in"));
    }
}
