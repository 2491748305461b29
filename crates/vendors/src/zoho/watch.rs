//! Notifications: channels that end unless they are renewed. The only proof of origin is the token that the subscriber chose, which comes
//! back in the body; of a row only its id is told.

use std::sync::Arc;

use serde_json::{Value, json};

use super::failure::Failure;
use super::org::{Org, Scene};
use super::records::time;
use crate::outbox::{Content, Message};
use crate::stand::Answer;
use crate::stand::text::parse_time;

/// Where the time of the end is not said.
const LIFE_MS: i64 = 3_600_000;

#[derive(Clone, Debug)]
pub(super) struct Watch {
    channel: String,
    events: Vec<String>,
    url: String,
    token: String,
    expires_at: i64,
    with_values: bool,
}

impl Watch {
    fn wants(&self, module: &str, operation: &str) -> bool {
        let what = match operation {
            "insert" => "create",
            "update" => "edit",
            other => other,
        };
        self.events
            .iter()
            .any(|event| event.split_once('.').is_some_and(|(name, wanted)| name == module && (wanted == "all" || wanted == what)))
    }

    fn value(&self) -> Value {
        let events: Vec<_> = self
            .events
            .iter()
            .map(|event| {
                json!({"channel_expiry": time(self.expires_at), "resource_uri": "",
            "resource_name": event.split('.').next(), "channel_id": self.channel})
            })
            .collect();
        json!({"code": "SUCCESS", "details": {"events": events},
            "message": "Successfully subscribed for actions-watch of the given module", "status": "success"})
    }
}

pub(super) fn answer(org: &mut Org, scene: &Scene<'_>) -> Result<Answer, Failure> {
    match scene.call.method.as_str() {
        "POST" | "PUT" | "PATCH" => {
            let body = scene.call.json().unwrap_or_default();
            let given = body["watch"].as_array().cloned().ok_or_else(|| Failure::invalid("watch"))?;
            let mut results = Vec::new();
            for one in given {
                results.push(org.watch(scene, &one)?.value());
            }
            Ok(Answer::json(if scene.call.method == http::Method::POST { 201 } else { 200 }, &json!({"watch": results})))
        }
        "GET" => {
            let now = scene.stand.now();
            let shown: Vec<_> = org
                .watches
                .iter()
                .filter(|watch| watch.expires_at > now)
                .map(|watch| {
                    json!({"channel_id": watch.channel, "events": watch.events, "notify_url": watch.url, "token": watch.token,
                    "channel_expiry": time(watch.expires_at), "return_affected_field_values": watch.with_values})
                })
                .collect();
            if shown.is_empty() {
                Ok(Answer::empty(204))
            } else {
                Ok(Answer::json(
                    200,
                    &json!({"watch": shown, "info": {"per_page": 200, "count": shown.len(), "page": 1, "more_records": false}}),
                ))
            }
        }
        _ => {
            let ids: Vec<_> = scene.call.param("channel_ids").unwrap_or_default().split(',').map(str::to_owned).collect();
            org.watches.retain(|watch| !ids.contains(&watch.channel));
            let results: Vec<_> = ids
                .iter()
                .map(|id| {
                    json!({"code": "SUCCESS", "details": {"resource_uri": "", "resource_id": "",
                "channel_id": id}, "message": "Successfully un-subscribed", "status": "success"})
                })
                .collect();
            Ok(Answer::json(200, &json!({"watch": results})))
        }
    }
}

impl Org {
    /// Makes a channel, or renews the one with that number.
    pub(super) fn watch(&mut self, scene: &Scene<'_>, given: &Value) -> Result<&Watch, Failure> {
        let now = scene.stand.now();
        let channel = given["channel_id"].as_str().map(str::to_owned).or_else(|| given["channel_id"].as_u64().map(|id| id.to_string()));
        let channel = channel.ok_or_else(|| Failure::invalid("channel_id"))?;
        let known = self.watches.iter().position(|watch| watch.channel == channel);
        let expires_at = given["channel_expiry"]
            .as_str()
            .map_or(Ok(now + LIFE_MS), |text| parse_time(text).ok_or_else(|| Failure::invalid("channel_expiry")))?;
        if expires_at <= now {
            return Err(Failure::invalid("channel_expiry"));
        }
        let expires_at = expires_at.min(now + self.watch_life_ms);
        if let Some(at) = known {
            self.watches[at].expires_at = expires_at;
            return Ok(&self.watches[at]);
        }
        let events: Vec<_> = given["events"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let known = |event: &String| {
            event
                .split_once('.')
                .is_some_and(|(name, what)| self.module(name).is_ok() && ["all", "create", "edit", "delete"].contains(&what))
        };
        if events.is_empty() || !events.iter().all(known) {
            return Err(Failure::invalid("events"));
        }
        let token = given["token"].as_str().unwrap_or_default();
        let url = given["notify_url"].as_str().filter(|url| url.starts_with("http")).ok_or_else(|| Failure::invalid("notify_url"))?;
        if token.len() > 50 {
            return Err(Failure::invalid("token"));
        }
        let with_values = given["return_affected_field_values"] == true;
        self.watches.push(Watch { channel, events, url: url.to_owned(), token: token.to_owned(), expires_at, with_values });
        self.watches.last().ok_or_else(Failure::no_url)
    }
}

/// Tells everyone who wants to know and whose channel has not ended.
pub(super) fn tell(org: &mut Org, scene: &Scene<'_>, module: &str, id: u64, operation: &str, fields: &[(String, Value)]) {
    let now = scene.stand.now();
    for watch in org.watches.iter().filter(|watch| watch.expires_at > now && watch.wants(module, operation)) {
        let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
        let values: Vec<_> =
            fields.iter().filter(|_| watch.with_values).map(|(name, value)| json!({"api_name": name, "value": value})).collect();
        let body = json!({
            "server_time": now, "query_params": {}, "module": module, "resource_uri": format!("http://double.invalid/crm/v8/{module}"),
            "ids": [id.to_string()], "affected_fields": [{id.to_string(): names}],
            "affected_values": if values.is_empty() { json!([]) } else { json!([{"record_id": id.to_string(), "values": values}]) },
            "operation": operation, "channel_id": watch.channel, "token": watch.token,
        });
        org.pending.push(Message::json(&watch.url, Content::Whole(body.to_string().into()), Arc::new(|_, _, _| Vec::new())));
    }
}
