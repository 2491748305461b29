//! Allow-lists of endpoints: `/api/v1/leads*`, `GET /api/v1/leads/*`.

use kernel::{Error, Result};

/// Longest pattern in characters.
const MAX_PATTERN: usize = 300;
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// One allowed set of endpoints: a path in which `*` stands for any text (slashes included), for one method or for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointPattern {
    method: Option<&'static str>,
    /// The texts between the stars.
    parts: Vec<String>,
}

impl EndpointPattern {
    /// Reads a pattern. `pointer` says where it stood. Error: 422 `validation_failed`.
    pub fn parse(pointer: &str, text: &str) -> Result<Self> {
        let fault = |detail: &str| Err(Error::field(pointer, detail));
        if text.chars().count() > MAX_PATTERN {
            return fault("must have at most 300 characters");
        }
        let (method, path) = match text.split_once(' ') {
            None => (None, text),
            Some((word, path)) => match METHODS.iter().find(|method| method.eq_ignore_ascii_case(word)) {
                Some(method) => (Some(*method), path.trim_start()),
                None => return fault("must be a path, or a method and a path, such as GET /api/v1/leads*"),
            },
        };
        if !path.starts_with(['/', '*']) || !path.bytes().all(|b| b.is_ascii_graphic()) {
            return fault("the path must begin with / or * and be printable ASCII without spaces");
        }
        Ok(Self { method, parts: path.split('*').map(str::to_owned).collect() })
    }

    /// Whether a request falls under it. A pattern for GET also lets HEAD pass. Takes time linear in the path for each star.
    pub fn matches(&self, method: &str, path: &str) -> bool {
        let method_fits = self.method.is_none_or(|allowed| allowed == method || (allowed == "GET" && method == "HEAD"));
        method_fits && glob(&self.parts, path)
    }
}

/// Whether `text` is the parts with any text between them. Taking the first place of each middle part is enough, since stars take anything.
fn glob(parts: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = parts else { return parts.first().is_some_and(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(pattern: &str, method: &str, path: &str) -> bool {
        EndpointPattern::parse("/x", pattern).unwrap().matches(method, path)
    }

    #[test]
    fn stars_take_any_text_and_methods_bind() {
        assert!(fits("/api/v1/leads*", "POST", "/api/v1/leads/7/notes"));
        assert!(fits("GET /api/v1/leads*", "GET", "/api/v1/leads"));
        assert!(fits("get /api/v1/leads", "HEAD", "/api/v1/leads"));
        assert!(!fits("GET /api/v1/leads*", "POST", "/api/v1/leads"));
        assert!(!fits("/api/v1/leads", "GET", "/api/v1/leads/1"));
        assert!(!fits("/api/v1/leads*", "GET", "/x/api/v1/leads"));
        assert!(fits("*/notes", "GET", "/leads/1/notes"));
        assert!(!fits("/a*ab", "GET", "/ab"), "one text does not serve twice");
        assert!(fits("/a*b*c", "GET", "/a-b-b-c") && !fits("/a*b*c", "GET", "/a-c"));
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        for bad in ["", "leads", "FETCH /x", "GET", "GET leads", "/a b", "/ä", "/\u{0}", &format!("/{}", "x".repeat(300))] {
            assert!(EndpointPattern::parse("/x", bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_path_matches_itself_and_its_prefix_with_a_star(path in "/[a-z/]{0,40}", cut in 1usize..40) {
            let cut = cut.min(path.len());
            prop_assert!(fits(&path, "GET", &path));
            let pattern = format!("{}*", &path[..cut]);
            prop_assert!(fits(&pattern, "GET", &path));
        }
    }
}
