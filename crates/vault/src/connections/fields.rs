//! The query of a callback, taken apart. Strangers write it: everything is bounded, and what stands there twice is refused (RFC 6749 §3.1).

use std::collections::HashMap;

use url::form_urlencoded;

/// Longest query. Microsoft's codes have two thousand characters and more.
const MAX_QUERY: usize = 16 * 1024;
/// Most members.
const MAX_MEMBERS: usize = 50;
/// Longest state of ours.
const MAX_STATE: usize = 100;
/// Longest error code.
const MAX_ERROR: usize = 60;

/// What a vendor sends back.
pub(crate) struct Fields(HashMap<String, String>);

impl Fields {
    /// None: nothing that a vendor sends.
    pub(crate) fn read(query: &str) -> Option<Self> {
        if query.len() > MAX_QUERY {
            return None;
        }
        let mut members = HashMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if members.len() == MAX_MEMBERS || value.contains('\0') || members.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        Some(Self(members))
    }

    /// A member that has a value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The state, if it may be one of ours.
    pub(crate) fn state(&self) -> Option<&str> {
        self.get("state").filter(|state| state.len() <= MAX_STATE)
    }

    /// Why the vendor sends no code: a code of RFC 6749 §4.1.2.1, or `other`.
    pub(crate) fn error(&self) -> Option<String> {
        let code = self.get("error")?;
        let plain = code.len() <= MAX_ERROR && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        Some(if plain { code.to_owned() } else { "other".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_stands_twice_or_is_too_much_is_refused() {
        assert!(Fields::read("code=1&code=2").is_none());
        assert!(Fields::read("code=%00").is_none());
        assert!(Fields::read(&"a".repeat(MAX_QUERY + 1)).is_none());
        let many: Vec<String> = (0..=MAX_MEMBERS).map(|n| format!("{n}=x")).collect();
        assert!(Fields::read(&many.join("&")).is_none());
        let fields = Fields::read("code=a%20b&state=&error=<script>&x").unwrap();
        assert_eq!((fields.get("code"), fields.state(), fields.error().as_deref()), (Some("a b"), None, Some("other")));
        let long = format!("state={}", "s".repeat(101));
        assert!(Fields::read(&long).unwrap().state().is_none());
    }

    proptest! {
        #[test]
        fn no_query_is_too_strange(query in "\\PC{0,300}") {
            if let Some(fields) = Fields::read(&query) {
                let _ = (fields.state(), fields.error(), fields.get("code"));
            }
        }
    }
}
