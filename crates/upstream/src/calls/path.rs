//! From the path that the caller asks for to the one that the backend is asked for.
//!
//! What stands for a placeholder is carried over as the caller wrote it, escapes included: decoding and encoding again would change what
//! some backends see. So a path is refused before, if any reader could take it for another one.

use bytes::Bytes;
use http::uri::PathAndQuery;
use kernel::{Error, Result};
/// The rule by which paths are rewritten.
#[derive(Debug)]
pub(crate) enum Template {
    /// The first so many bytes of the path give way to this; the rest stays.
    Swap(usize, String),
    /// Put together anew.
    Parts(Vec<Part>),
}

/// A piece of a path that is put together.
#[derive(Debug)]
pub(crate) enum Part {
    Text(String),
    /// The caller's segment with this index.
    Segment(usize),
    /// All from the segment with this index on.
    Rest(usize),
}

impl Template {
    /// For an endpoint at `pattern` (with its base path) whose backend is asked for `path`; both may have placeholders and end with `*rest`.
    pub(crate) fn new(pattern: &str, path: &str) -> Self {
        let (ours, theirs) = (Literal::of(pattern), Literal::of(path));
        // From the first placeholder on both say the same: the usual case.
        if ours.tail == theirs.tail {
            return Self::Swap(ours.head.len(), theirs.head.to_owned());
        }
        let index = |name: &str| segments(pattern).position(|segment| segment == name).unwrap_or(0);
        let part = |segment: &str| match segment.bytes().next() {
            Some(b'{') => Part::Segment(index(segment)),
            Some(b'*') => Part::Rest(index(segment)),
            _ => Part::Text(segment.to_owned()),
        };
        Self::Parts(segments(path).map(part).collect())
    }

    /// The path and query that a backend is asked for, below `prefix`.
    pub(crate) fn apply(&self, prefix: &str, path: &str, query: Option<&str>) -> Result<PathAndQuery> {
        let mut text = String::with_capacity(prefix.len() + path.len() + query.map_or(0, str::len) + 32);
        text.push_str(prefix);
        match self {
            Self::Swap(head, new) => {
                text.push_str(new);
                text.push_str(path.get(*head..).unwrap_or_default());
            }
            Self::Parts(parts) => parts.iter().for_each(|part| part.append(&mut text, path)),
        }
        if text.is_empty() {
            text.push('/');
        }
        if let Some(query) = query {
            text.push('?');
            text.push_str(query);
        }
        PathAndQuery::from_maybe_shared(Bytes::from(text)).map_err(|_| refusal())
    }
}

impl Part {
    fn append(&self, text: &mut String, path: &str) {
        text.push('/');
        match self {
            Self::Text(own) => text.push_str(own),
            Self::Segment(at) => text.push_str(segments(path).nth(*at).unwrap_or_default()),
            Self::Rest(at) => {
                for (i, segment) in segments(path).skip(*at).enumerate() {
                    text.push_str(if i > 0 { "/" } else { "" });
                    text.push_str(segment);
                }
            }
        }
    }
}

/// A path's part before its first placeholder, without the slash at its end, and the part from there on.
struct Literal<'a> {
    head: &'a str,
    tail: &'a str,
}

impl<'a> Literal<'a> {
    fn of(path: &'a str) -> Self {
        let path = if path == "/" { "" } else { path };
        let at = path.find("/{").into_iter().chain(path.find("/*")).min().unwrap_or(path.len());
        Self { head: &path[..at], tail: &path[at..] }
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// Refuses a path that some reader would take for another ([`web::readings`]): otherwise a caller could leave the path that the endpoint
/// gives it.
///
/// Error: 400 `invalid_path`.
pub(crate) fn check(path: &str) -> Result<()> {
    web::readings(path).map(drop).ok_or_else(refusal)
}

fn refusal() -> Error {
    Error::malformed("invalid_path", "The path has a segment . or .., a backslash, or a control character. Ask for the path that you mean.")
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn rewritten(pattern: &str, to: &str, path: &str) -> String {
        Template::new(pattern, to).apply("", path, None).unwrap().to_string()
    }

    #[test]
    fn paths_are_carried_over_as_they_were_written() {
        for (pattern, to, path, expected) in [
            ("/api/v1/orders", "/orders", "/api/v1/orders", "/orders"),
            ("/api/v1/orders", "/", "/api/v1/orders", "/"),
            ("/shop/*rest", "/*rest", "/shop/a/b%2Fc", "/a/b%2Fc"),
            ("/shop/*rest", "/*rest", "/shop", "/"),
            ("/shop/*rest", "/*rest", "/shop/", "/"),
            ("/shop/*rest", "/v2/*rest", "/shop/a//b", "/v2/a//b"),
            ("/o/{id}/lines/{line}", "/v2/{id}/lines/{line}", "/o/7/lines/a%20b", "/v2/7/lines/a%20b"),
            ("/o/{id}/lines/{line}", "/lines/{line}/of/{id}", "/o/7/lines/2", "/lines/2/of/7"),
            ("/o/{id}/*rest", "/v2/*rest", "/o/7/a/b", "/v2/a/b"),
            ("/o/{id}", "/{id}", "/o/7", "/7"),
        ] {
            assert_eq!(rewritten(pattern, to, path), expected, "{pattern} → {to}: {path}");
        }
        let path = Template::new("/a/*rest", "/b/*rest").apply("/prefix", "/a/x", Some("q=%2F&r")).unwrap();
        assert_eq!(path.as_str(), "/prefix/b/x?q=%2F&r");
    }

    #[test]
    fn nobody_leaves_the_path_that_was_given() {
        for path in [
            "/shop/../admin",
            "/shop/./x",
            "/shop/..",
            "/shop/%2e%2e/admin",
            "/shop/.%2E/admin",
            "/shop/a%2f..%2fadmin",
            "/shop/a%5c..%5cadmin",
            "/shop/..;x=1/admin",
            "/shop/%2e%2e%3bx/admin",
            "/shop/a\\b",
            "/shop/a%00",
            "/shop/%ff",
            "/shop/..%20/admin",
            "/shop/%20..%20/admin",
            "/shop/..%20.%20/admin",
            "/shop/..%c2%a0/admin",
            "/shop/..%09/admin",
            "/shop/%252e%252e/admin",
            "/shop/a%252f..%252fadmin",
            "/shop/%25252e./admin",
            "/shop/%25ff/%252e%252e/admin",
            "/shop/a%255cb",
            "/shop/%ef%bc%8e%ef%bc%8e/admin",
            "/shop/a%ef%bc%8f..%ef%bc%8fadmin",
            "/shop/\u{ff0e}\u{ff0e}/admin",
            "/shop/%e2%80%a5/admin",
        ] {
            assert_eq!(check(path).unwrap_err().code(), "invalid_path", "{path}");
        }
        for path in [
            "/shop/a.b/..c/d..",
            "/shop/.well-known",
            "/shop/...",
            "/shop/a%2Fb;v=1",
            "/shop//a",
            "/shop/%C3%A4",
            "/shop/100%25",
            "/shop/%20",
            "/shop/a%20.b",
            "/shop/%25C3",
        ] {
            assert!(check(path).is_ok(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn an_accepted_path_stays_below_its_prefix_for_whoever_reads_it(tail in "[a./%205eEcC;\\\\fF]{0,24}") {
            let path = format!("/shop/{tail}");
            if check(&path).is_ok() && let Ok(to) = Template::new("/shop/*rest", "/v2/public/*rest").apply("", &path, None) {
                let once = percent_decode_str(to.as_str()).decode_utf8().unwrap().into_owned();
                let twice = percent_decode_str(&once).decode_utf8_lossy().into_owned();
                for decoded in [once, twice] {
                    let mut place = Vec::new();
                    for segment in decoded.split(['/', '\\']) {
                        match segment.split(';').next().unwrap().trim() {
                            ".." => drop(place.pop()),
                            "." | "" => {}
                            name => place.push(name),
                        }
                    }
                    prop_assert!(place.starts_with(&["v2", "public"]), "{path} → {to}");
                }
            }
        }

        #[test]
        fn any_path_is_accepted_or_refused(path in ".*") {
            let _ = check(&path);
            let _ = Template::new("/shop/{id}/*rest", "/{id}/*rest").apply("", &path, Some(&path));
        }
    }
}
