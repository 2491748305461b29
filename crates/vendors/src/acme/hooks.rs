//! Webhooks, signed with a secret that the subscriber chose.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{State, contacts, refusal};
use crate::outbox::{Content, Message};
use crate::stand::text::{hex, rfc3339};
use crate::stand::{Answer, Call};

#[derive(Clone, Debug)]
pub(super) struct Hook {
    id: u64,
    url: String,
    secret: String,
}

pub(super) fn answer(state: &mut State, call: &Call) -> Answer {
    let (method, path) = call.route();
    match (method, &path[2..]) {
        ("POST", []) => {
            let body = call.json().unwrap_or_default();
            let (Some(url), Some(secret)) = (body["url"].as_str(), body["secret"].as_str()) else {
                return refusal(422, "wrong_value", "url and secret are required");
            };
            let id = state.next_hook;
            state.next_hook += 1;
            state.hooks.push(Hook { id, url: url.to_owned(), secret: secret.to_owned() });
            Answer::json(201, &json!({"id": format!("hook_{id}")}))
        }
        ("DELETE", [id]) => {
            let before = state.hooks.len();
            state.hooks.retain(|hook| format!("hook_{}", hook.id) != *id);
            if state.hooks.len() < before { Answer::empty(204) } else { refusal(404, "no_such_hook", "there is no such webhook") }
        }
        _ => refusal(404, "no_such_path", "there is nothing here"),
    }
}

/// Tells everyone.
pub(super) fn tell(state: &mut State, number: u64, action: &str, into: Option<u64>) {
    let Some(row) = state.contacts.any(number) else { return };
    let mut event = json!({"what": "contact", "action": action, "id": contacts::id(number), "at": rfc3339(row.changed_at)});
    if let Some(into) = into {
        event["into"] = Value::from(contacts::id(into));
    }
    let body = json!({"events": [event]}).to_string();
    for hook in &state.hooks {
        let secret = hook.secret.clone();
        let sign = move |_: &str, body: &[u8], _: i64| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
            mac.update(body);
            vec![("x-acme-signature", format!("sha256={}", hex(&mac.finalize().into_bytes())))]
        };
        state.pending.push(Message::json(&hook.url, Content::Whole(body.clone().into()), Arc::new(sign)));
    }
}
