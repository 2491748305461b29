//! What a host asks.

use std::net::IpAddr;

use kernel::text;
use kernel::{Error, Result};
use serde::Deserialize;

/// Largest cost of one use.
const MAX_COST: u32 = 1_000_000;
/// Longest endpoint, in characters.
const MAX_ENDPOINT: usize = 300;
/// Most scopes and tags, and the longest tag in characters.
const MAX_SCOPES: usize = 200;
const MAX_TAGS: usize = 10;
const MAX_TAG: usize = 100;

/// A key, and what somebody asks to do with it.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyKey {
    /// The key as the caller sent it to the host.
    pub key: String,
    /// What the caller sent as `X-API-Secret`, under dual authentication.
    pub secret: Option<String>,
    /// Scopes that it must hold, all of them.
    pub scopes: Option<Vec<String>>,
    /// The caller's address. A key that is bound to addresses is not valid without it.
    #[schema(value_type = Option<String>)]
    pub ip: Option<IpAddr>,
    /// What is called: a path, or a method and a path, best as a template (`GET /orders/{id}`), since usage is counted by it. A key that is
    /// bound to endpoints is not valid without it.
    pub endpoint: Option<String>,
    /// What the use counts in limits and quotas; 0 only looks. Default 1, most 1,000,000.
    pub cost: Option<u32>,
    /// Words by which the request log can be searched later, at most 10 of 100 characters.
    pub tags: Option<Vec<String>>,
}

/// The same, checked and taken apart.
pub(super) struct Asked {
    pub(super) key: String,
    pub(super) secret: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) ip: Option<IpAddr>,
    /// In upper case, as it was sent.
    pub(super) method: Option<String>,
    pub(super) path: Option<String>,
    pub(super) cost: u32,
    /// A JSON array.
    pub(super) tags: Option<String>,
}

impl VerifyKey {
    /// Error: 422 `validation_failed`. What is wrong with the key itself is not an error but an answer.
    pub(super) fn check(self) -> Result<Asked> {
        let cost = self.cost.unwrap_or(1);
        if cost > MAX_COST {
            return Err(Error::field("/cost", format!("must be at most {MAX_COST}")));
        }
        let scopes = self.scopes.unwrap_or_default();
        if scopes.len() > MAX_SCOPES {
            return Err(Error::field("/scopes", format!("must name at most {MAX_SCOPES} scopes")));
        }
        let (method, path) = self.endpoint.as_deref().map(split).transpose()?.map_or((None, None), |(method, path)| (method, Some(path)));
        let tags = self.tags.filter(|tags| !tags.is_empty()).map(|tags| check_tags(&tags)).transpose()?;
        Ok(Asked { key: self.key, secret: self.secret, scopes, ip: self.ip.map(|ip| ip.to_canonical()), method, path, cost, tags })
    }
}

/// A method, if there is one, and the path without its query.
fn split(endpoint: &str) -> Result<(Option<String>, String)> {
    let fault = || Error::field("/endpoint", "must be a path that begins with /, or a method and a path, such as GET /orders");
    let (method, path) = match endpoint.split_once(' ') {
        Some((word, path)) => (Some(word.to_ascii_uppercase()), path.trim_start()),
        None => (None, endpoint),
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let fits = path.starts_with('/') && path.len() <= MAX_ENDPOINT && path.bytes().all(|byte| byte.is_ascii_graphic());
    let is_method = |word: &String| (1..=16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    if !fits || !method.as_ref().is_none_or(is_method) {
        return Err(fault());
    }
    Ok((method, path.to_owned()))
}

fn check_tags(tags: &[String]) -> Result<String> {
    if tags.len() > MAX_TAGS {
        return Err(Error::field("/tags", format!("must have at most {MAX_TAGS} entries")));
    }
    for (index, tag) in tags.iter().enumerate() {
        text::line(&format!("/tags/{index}"), tag, 1, MAX_TAG)?;
    }
    serde_json::to_string(tags).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn asked(more: &Value) -> Result<Asked> {
        let mut body = json!({"key": "k"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<VerifyKey>(body).unwrap().check()
    }

    #[test]
    fn an_endpoint_is_a_path_with_or_without_a_method() {
        for (text, method, path) in [
            ("/orders", None, "/orders"),
            ("get /orders/7?x=1", Some("GET"), "/orders/7"),
            ("PURGE  /a#b", Some("PURGE"), "/a"),
            ("POST /orders/{id}", Some("POST"), "/orders/{id}"),
        ] {
            let found = asked(&json!({"endpoint": text})).unwrap();
            assert_eq!((found.method.as_deref(), found.path.as_deref()), (method, Some(path)), "{text}");
        }
        for bad in ["", "orders", "GET", "GET orders", "G3T /x", "/a b", "/\u{e4}"] {
            assert_eq!(asked(&json!({"endpoint": bad})).err().unwrap().fields()[0].pointer, "/endpoint", "{bad:?}");
        }
    }

    #[test]
    fn an_address_in_other_clothes_is_the_same_address() {
        assert_eq!(asked(&json!({"ip": "::ffff:192.0.2.1"})).unwrap().ip, Some("192.0.2.1".parse().unwrap()));
        assert!(serde_json::from_value::<VerifyKey>(json!({"key": "k", "ip": "192.0.2"})).is_err());
    }

    #[test]
    fn costs_and_tags_are_bounded() {
        assert_eq!((asked(&json!({})).unwrap().cost, asked(&json!({"cost": 0})).unwrap().cost), (1, 0));
        for (body, place) in [
            (json!({"cost": 1_000_001}), "/cost"),
            (json!({"tags": vec!["x"; 11]}), "/tags"),
            (json!({"tags": ["ok", "x".repeat(101)]}), "/tags/1"),
            (json!({"scopes": vec!["x"; 201]}), "/scopes"),
        ] {
            assert_eq!(asked(&body).err().unwrap().fields()[0].pointer, place, "{body}");
        }
        assert_eq!(asked(&json!({"tags": ["a", "b\"c"]})).unwrap().tags.as_deref(), Some(r#"["a","b\"c"]"#));
    }
}
