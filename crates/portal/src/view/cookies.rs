//! The cookies of the pages. The session's own cookie is `people`'s.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

/// Which language was chosen.
pub(crate) const LANGUAGE: &str = "tradewind_language";
/// Light or dark, if chosen.
pub(crate) const THEME: &str = "tradewind_theme";
/// How long a choice is remembered.
pub(crate) const A_YEAR: Duration = Duration::from_hours(365 * 24);

/// Names a cookie that nobody but this host may set: over TLS with the prefix that browsers enforce (RFC 6265bis, 4.1.3.2).
pub(crate) fn host_name(name: &'static str, https: bool) -> String {
    if https { format!("__Host-{name}") } else { name.to_owned() }
}

/// The value of a cookie. Of several with one name, the first, which the browser sends for the longest path.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// `Set-Cookie` for a cookie that no script reads and no other site's form sends. `age`: none, until the browser is closed.
pub(crate) fn set(name: &str, value: &str, age: Option<Duration>, https: bool) -> HeaderValue {
    let secure = if https { "; Secure" } else { "" };
    let age = age.map(|age| format!("; Max-Age={}", age.as_secs())).unwrap_or_default();
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"))
        .expect("the names are ours, and so are the values: letters, digits and - _ .")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("xa=1; a=2"));
        headers.append(header::COOKIE, HeaderValue::from_static("b=3"));
        assert_eq!((read(&headers, "a"), read(&headers, "b"), read(&headers, "c")), (Some("2"), Some("3"), None));
    }

    #[test]
    fn cookies_are_strict() {
        let cookie = set("__Host-x", "v", None, true);
        assert_eq!(cookie, "__Host-x=v; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(set("x", "v", Some(Duration::from_secs(60)), false), "x=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
    }
}
