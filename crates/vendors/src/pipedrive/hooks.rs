//! Webhooks v2. Nothing is signed: the only proof is Basic authentication with a name and a password that the subscriber chose.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::account::{Account, COMPANY, Scene};
use super::failure::Failure;
use crate::outbox::{Content, Message};
use crate::stand::Answer;
use crate::stand::text::rfc3339;

/// Webhooks of one user.
const MAX: usize = 40;

#[derive(Clone, Debug)]
pub(super) struct Hook {
    id: u64,
    url: String,
    action: String,
    object: String,
    name: String,
    user: Option<String>,
    password: Option<String>,
    made_at: i64,
}

impl Hook {
    fn value(&self) -> Value {
        json!({
            "id": self.id, "company_id": COMPANY, "owner_id": 1, "user_id": 1, "event_action": self.action, "event_object": self.object,
            "subscription_url": self.url, "version": "2.0", "is_active": 1, "add_time": rfc3339(self.made_at), "remove_time": null,
            "type": "general", "http_auth_user": self.user, "http_auth_password": self.password, "remove_reason": null,
            "last_delivery_time": null, "last_http_status": null, "admin_id": 1, "name": self.name,
        })
    }
}

pub(super) fn answer(account: &mut Account, scene: &Scene<'_>, rest: &[&str]) -> Result<Answer, Failure> {
    match (scene.call.method.as_str(), rest) {
        ("GET", []) => Ok(Answer::json(
            200,
            &json!({"status": "ok", "success": true, "data": account.hooks.iter().map(Hook::value).collect::<Vec<_>>()}),
        )),
        ("POST", []) => {
            let body = scene.body()?;
            let hook = account.subscribe(scene, &body)?;
            Ok(Answer::json(201, &json!({"status": "ok", "success": true, "data": hook.value()})))
        }
        ("DELETE", [id]) => {
            let count = account.hooks.len();
            account.hooks.retain(|hook| hook.id.to_string() != *id);
            let known = account.hooks.len() < count;
            if known {
                Ok(Answer::json(200, &json!({"status": "ok", "success": true})))
            } else {
                Err(Failure::hook(404, "id", "not found"))
            }
        }
        _ => Err(Failure::not_found("Unknown method .")),
    }
}

impl Account {
    pub(super) fn subscribe(&mut self, scene: &Scene<'_>, body: &Value) -> Result<&Hook, Failure> {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let url = text("subscription_url")
            .filter(|url| url.starts_with("http"))
            .ok_or_else(|| Failure::hook(400, "subscription_url", "invalid or non-reachable URL"))?;
        let action = text("event_action").filter(|action| ["create", "change", "delete", "*"].contains(&action.as_str()));
        let object = text("event_object").filter(|object| ["person", "organization", "deal", "lead", "*"].contains(&object.as_str()));
        if self.hooks.len() >= MAX {
            return Err(Failure::hook(400, "subscription_url", "webhooks limit exceeded"));
        }
        self.hooks.push(Hook {
            id: self.next_hook,
            url,
            action: action.ok_or_else(|| Failure::hook(400, "event_action", "invalid value"))?,
            object: object.ok_or_else(|| Failure::hook(400, "event_object", "invalid value"))?,
            name: text("name").unwrap_or_default(),
            user: text("http_auth_user"),
            password: text("http_auth_password"),
            made_at: scene.change.at,
        });
        self.next_hook += 1;
        self.hooks.last().ok_or_else(Failure::unauthorized)
    }
}

/// What happened to a row.
pub(super) enum Event {
    Create,
    /// What the changed fields were.
    Change(Map<String, Value>),
    /// Into which row it was merged, if it was.
    Delete(Option<u64>),
}

/// Tells everyone who wants to know.
pub(super) fn tell(account: &mut Account, scene: &Scene<'_>, plural: &str, number: u64, event: Event) {
    let Ok(entity) = account.entity(plural) else { return };
    let Some(row) = entity.rows.any(number) else { return };
    let action = match event {
        Event::Create => "create",
        Event::Change(_) => "change",
        Event::Delete(_) => "delete",
    };
    let wanted: Vec<_> = account
        .hooks
        .iter()
        .filter(|hook| (hook.action == "*" || hook.action == action) && (hook.object == "*" || hook.object == entity.singular))
        .cloned()
        .collect();
    let data = if plural == "leads" { entity.lead(row) } else { entity.shown(row) };
    let id = row.get("id").cloned().unwrap_or_else(|| json!(row.id));
    let singular = entity.singular.clone();
    let (data, previous, merged) = match event {
        Event::Create => (data, Value::Null, None),
        Event::Change(previous) => (data, Value::Object(previous), None),
        Event::Delete(into) => (Value::Null, data, into),
    };
    for hook in wanted {
        let stand = &scene.at.stand;
        let mut meta = json!({
            "action": action, "entity": singular, "entity_id": id, "company_id": COMPANY, "user_id": scene.change.by,
            "id": stand.token::<16>(""), "correlation_id": stand.token::<16>(""), "timestamp": rfc3339(stand.now()), "version": "2.0",
            "webhook_id": hook.id.to_string(), "webhook_owner_id": 1, "change_source": scene.source, "is_bulk_edit": false, "attempt": 1,
            "type": "general", "host": "double.invalid", "permitted_user_ids": [1, 2],
        });
        if let Some(into) = merged {
            meta["merged_to_id"] = json!(into);
        }
        let body = json!({"data": data, "previous": previous, "meta": meta});
        let basic = hook
            .user
            .as_ref()
            .map(|user| format!("Basic {}", STANDARD.encode(format!("{user}:{}", hook.password.as_deref().unwrap_or_default()))));
        let sign = Arc::new(move |_: &str, _: &[u8], _: i64| basic.iter().map(|value| ("authorization", value.clone())).collect());
        account.pending.push(Message::json(&hook.url, Content::Whole(body.to_string().into()), sign));
    }
}
