//! What is said about an act: what changed, and nothing secret.

use kernel::{Error, Result};
use serde::Serialize;
use serde_json::{Map, Value as Json};

/// What stands in place of a secret.
const REMOVED: &str = "[removed]";
/// A member whose name contains one of these (without `_` and `-`, in lower case) is a secret.
const SECRET: [&str; 9] = ["secret", "token", "password", "passphrase", "credential", "privatekey", "authorization", "apikey", "accesskey"];
/// Members whose names contain one of those and are none: ids, names and addresses.
const PUBLIC: [&str; 9] =
    ["apikeyid", "tokenurl", "tokenid", "secretid", "accesskeyid", "clientsecretexpiresat", "hassecret", "authorizeurl", "credentialid"];
/// Members whose own members are all secrets: headers carry keys under any name.
const HEADERS: [&str; 2] = ["customheaders", "headers"];
/// Longest text that is kept of a value, in bytes.
const MAX_TEXT: usize = 2048;

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The same with every secret replaced, and long texts cut.
pub(crate) fn without_secrets(value: Json) -> Json {
    match value {
        Json::Object(members) => Json::Object(members.into_iter().map(|(name, value)| member(name, value)).collect()),
        Json::Array(items) => items.into_iter().map(without_secrets).collect(),
        Json::String(mut text) => {
            if text.len() > MAX_TEXT {
                let end = (0..=MAX_TEXT).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
                text.truncate(end);
                text.push('…');
            }
            Json::String(text)
        }
        other => other,
    }
}

fn member(name: String, value: Json) -> (String, Json) {
    let known = plain(&name);
    if HEADERS.contains(&known.as_str()) {
        let hidden = match value {
            Json::Object(members) => Json::Object(members.into_iter().map(|(name, _)| (name, REMOVED.into())).collect()),
            Json::Null => Json::Null,
            _ => REMOVED.into(),
        };
        return (name, hidden);
    }
    // Whether there is a secret is none; nor is a number or a time that belongs to one.
    let says_something = matches!(value, Json::String(_) | Json::Array(_) | Json::Object(_));
    let is_secret = SECRET.iter().any(|word| known.contains(word)) && !PUBLIC.contains(&known.as_str());
    let value = if is_secret && says_something { REMOVED.into() } else { without_secrets(value) };
    (name, value)
}

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(members) => members,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

/// A thing without those members that say nothing.
fn said(value: Json) -> Json {
    match value {
        Json::Object(members) => Json::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

/// `{"before": {…}, "after": {…}}` with those members that differ; what is on one side only is null on the other. A secret that changed is
/// there as such. A thing that is made, or removed, is told as a whole, with null on the other side.
pub(crate) fn change(before: &impl Serialize, after: &impl Serialize) -> Result<Json> {
    let (old, new) = (serde_json::to_value(before).map_err(Error::internal)?, serde_json::to_value(after).map_err(Error::internal)?);
    if old.is_null() || new.is_null() {
        return Ok(without_secrets(serde_json::json!({ "before": said(old), "after": said(new) })));
    }
    let (mut old, mut new) = (object(old), object(new));
    let names: Vec<String> = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))).cloned().collect();
    let (mut was, mut is) = (Map::new(), Map::new());
    for name in names {
        let (a, b) = (old.remove(&name).unwrap_or(Json::Null), new.remove(&name).unwrap_or(Json::Null));
        // Every change moves this one; the row has its own time.
        if a != b && name != "updatedAt" {
            was.insert(name.clone(), a);
            is.insert(name, b);
        }
    }
    Ok(without_secrets(serde_json::json!({ "before": was, "after": is })))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let told = change(
            &json!({"name": "a", "scopes": ["x"], "updatedAt": 1}),
            &json!({"name": "b", "scopes": ["x"], "notes": "n", "updatedAt": 2}),
        );
        assert_eq!(told.unwrap(), json!({"before": {"name": "a", "notes": null}, "after": {"name": "b", "notes": "n"}}));
        assert_eq!(change(&(), &json!({"a": 1, "b": null})).unwrap(), json!({"before": null, "after": {"a": 1}}));
    }

    #[test]
    fn secrets_are_not() {
        let auth = json!({"auth": {"type": "bearer", "token": "t0p"}, "customHeaders": {"X-Anything": "t0p"}, "clientSecret": "t0p",
            "nested": [{"API-Secret": "t0p", "api_key": ["t0p"], "credentials": {"a": "t0p"}}], "tokenUrl": "https://a.example", "hasSecret": true,
            "secretRotatedAt": 17, "apiKeyId": "key_1"});
        let told = without_secrets(auth);
        assert!(!told.to_string().contains("t0p"), "{told}");
        assert_eq!(
            (&told["auth"]["type"], &told["tokenUrl"], &told["hasSecret"]),
            (&json!("bearer"), &json!("https://a.example"), &json!(true))
        );
        assert_eq!((&told["apiKeyId"], &told["secretRotatedAt"]), (&json!("key_1"), &json!(17)));
        let changed = change(&json!({"secret": "t0p-1"}), &json!({"secret": "t0p-2"})).unwrap();
        assert_eq!(changed, json!({"before": {"secret": REMOVED}, "after": {"secret": REMOVED}}), "that it changed is told");
    }

    #[test]
    fn long_texts_are_cut() {
        let told = without_secrets(json!({"transform": "ä".repeat(5000)}));
        assert!(told["transform"].as_str().unwrap().len() <= MAX_TEXT + 3);
    }

    proptest! {
        #[test]
        fn a_secret_shows_under_no_spelling(prefix in "[a-zA-Z_-]{0,8}", which in 0..SECRET.len(), text in "[a-z]{12}") {
            let name = format!("{prefix}{}", SECRET[which]);
            prop_assume!(!PUBLIC.contains(&plain(&name).as_str()));
            let members: Map<String, Json> = [(name, json!(format!("!{text}!")))].into_iter().collect();
            let told = without_secrets(json!([{"deep": members}]));
            prop_assert!(!told.to_string().contains(&format!("!{text}!")), "{}", told);
        }
    }
}
