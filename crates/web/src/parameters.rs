//! Query parameters that mean nothing: a list that takes `?staus=failed` for no filter at all lists everything, and nobody notices.

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use kernel::{Error, Result};
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::endpoint::Endpoint;
use crate::json_text::escape;

/// Refuses what is neither documented by the request's endpoint nor one of `more`. Error: 422 `validation_failed`, at the parameter.
///
/// An endpoint that documents none takes any: routes that a blueprint declares read their own.
pub(crate) fn check(parts: &Parts, more: &[&str]) -> Result<()> {
    let Some(query) = parts.uri.query() else { return Ok(()) };
    let Some(endpoint) = parts.extensions.get::<Arc<Endpoint>>() else { return Ok(()) };
    if endpoint.query.is_empty() && more.is_empty() {
        return Ok(());
    }
    let is_known = |name: &str| more.contains(&name) || endpoint.query.iter().any(|known| known.name == name);
    match url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| !is_known(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let mut known: Vec<&str> = endpoint.query.iter().map(|known| known.name.as_str()).chain(more.iter().copied()).collect();
            known.sort_unstable();
            known.dedup();
            let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
            Err(Error::field(format!("/{}", escape(&name)), format!("is no parameter here; there are {}", known.join(", "))))
        }
    }
}

/// The names that a struct is read from; none if it takes any.
pub(crate) fn names_of<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    let mut names = None;
    // It fails, after it has said what it wants.
    drop(T::deserialize(Asked(&mut names)));
    names
}

struct Asked<'a>(&'a mut Option<&'static [&'static str]>);

#[derive(Debug)]
struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is nothing to read")
    }
}

impl std::error::Error for Nothing {}

impl de::Error for Nothing {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Nothing;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> std::result::Result<V::Value, Nothing> {
        Err(Nothing)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> std::result::Result<V::Value, Nothing> {
        *self.0 = Some(fields);
        Err(Nothing)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    #[derive(Default)]
    struct Filter {
        #[allow(dead_code, reason = "read by nobody")]
        event_type: Option<String>,
        #[allow(dead_code, reason = "read by nobody")]
        #[serde(rename = "to")]
        until: Option<u32>,
    }

    fn parts(uri: &str, endpoint: Endpoint) -> Parts {
        let mut request = Request::get(uri).body(()).unwrap();
        request.extensions_mut().insert(Arc::new(endpoint));
        request.into_parts().0
    }

    #[test]
    fn a_struct_says_what_it_is_read_from() {
        assert_eq!(names_of::<Filter>(), Some(&["eventType", "to"][..]));
        assert_eq!(names_of::<std::collections::HashMap<String, String>>(), None);
    }

    #[test]
    fn a_typing_error_is_refused_and_named() {
        let list = || Endpoint::get("/x", "x.list").query(&[("status", "")]).paged();
        assert!(check(&parts("/x?status=a&limit=1&cursor=c&page=2", list()), &[]).is_ok());
        assert!(check(&parts("/x?eventType=a", list()), &["eventType"]).is_ok());
        assert!(check(&parts("/x", list()), &[]).is_ok());
        let error = check(&parts("/x?staus=failed", list()), &["eventType"]).unwrap_err();
        let field = &error.fields()[0];
        assert_eq!((error.code(), field.pointer.as_str()), ("validation_failed", "/staus"));
        assert_eq!(field.detail, "is no parameter here; there are cursor, eventType, limit, page, status");
        assert!(check(&parts("/x?anything=1", Endpoint::get("/x", "x.list")), &[]).is_ok(), "one that documents none takes any");
    }
}
