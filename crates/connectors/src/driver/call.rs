//! Making calls.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{Body, Call, Fault, Target};

/// What stands in a path as it is: RFC 3986's unreserved characters.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A part of a path, escaped so that it stays one part, whatever it holds.
///
/// Errors: [`Fault::Refused`] for an empty part and for `.` and `..`, which name other paths even when they are escaped.
pub fn segment(text: &str) -> Result<String, Fault> {
    if matches!(text, "" | "." | "..") {
        let message = "an id that is empty or made of dots cannot stand in a path".to_owned();
        return Err(Fault::Refused { code: "unusable_id".to_owned(), message, field: None });
    }
    Ok(utf8_percent_encode(text, PLAIN).to_string())
}

/// A path from its parts, each escaped: `path(&["crm", "v8", "Leads", id])`.
///
/// Errors: as [`segment`].
pub fn path(parts: &[&str]) -> Result<Target, Fault> {
    let mut path = String::new();
    for part in parts {
        path.push('/');
        path.push_str(&segment(part)?);
    }
    Ok(Target::Path(path))
}

impl Call {
    /// A request that costs 1, without query and body; repeatable if its method is GET, PUT or DELETE.
    pub fn new(method: Method, target: Target) -> Self {
        let repeatable = matches!(method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE);
        Self { method, target, query: Vec::new(), headers: HeaderMap::new(), body: Body::Empty, cost: 1, repeatable }
    }

    /// GET.
    pub fn get(target: Target) -> Self {
        Self::new(Method::GET, target)
    }

    /// POST of JSON. Not repeatable, unless [`Call::repeatable`] says so.
    pub fn post(target: Target, json: Value) -> Self {
        Self::new(Method::POST, target).json(json)
    }

    /// PATCH with JSON. Not repeatable, unless [`Call::repeatable`] says so.
    pub fn patch(target: Target, json: Value) -> Self {
        Self::new(Method::PATCH, target).json(json)
    }

    /// DELETE.
    pub fn delete(target: Target) -> Self {
        Self::new(Method::DELETE, target)
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, json: Value) -> Self {
        self.body = Body::Json(json);
        self
    }

    /// With a form as its body.
    #[must_use]
    pub fn form(mut self, pairs: Vec<(String, String)>) -> Self {
        self.body = Body::Form(pairs);
        self
    }

    /// With a body of a media type.
    #[must_use]
    pub fn bytes(mut self, media: &str, body: impl Into<Bytes>) -> Self {
        self.body = Body::Bytes(media.to_owned(), body.into());
        self
    }

    /// With one more member of the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// With one more member of the query, if there is a value.
    #[must_use]
    pub fn query_if(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// With a header. A value that no header may have is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// With another cost than 1, in the vendor's units.
    #[must_use]
    pub fn cost(mut self, cost: u32) -> Self {
        self.cost = cost.max(1);
        self
    }

    /// Doing it twice does no harm (a search by POST, an upsert by a unique field, a PATCH that sets the same again), or it does.
    #[must_use]
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = repeatable;
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_stays_one_part_of_its_path() {
        assert_eq!(segment("a/../../b?c#d%2e").unwrap(), "a%2F..%2F..%2Fb%3Fc%23d%252e");
        assert_eq!(path(&["crm", "v8", "Leads", "4 2"]), Ok(Target::Path("/crm/v8/Leads/4%202".to_owned())));
        for bad in ["", ".", ".."] {
            assert!(matches!(path(&["x", bad]), Err(Fault::Refused { .. })), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_an_id_holds_the_path_has_as_many_parts(id in "\\PC{1,40}") {
            prop_assume!(id != "." && id != "..");
            let text = segment(&id).unwrap();
            let url = url::Url::parse("https://vendor.example/x/").unwrap().join(&text).unwrap();
            prop_assert_eq!(url.path_segments().unwrap().count(), 2);
            prop_assert_eq!(url.host_str(), Some("vendor.example"));
            prop_assert!(url.query().is_none() && url.fragment().is_none());
        }
    }
}
