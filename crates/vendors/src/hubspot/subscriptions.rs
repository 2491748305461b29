//! The app's webhooks: one target for all accounts, and what it wants to know. Managed with the developer's key or, for comfort, with a
//! token.

use serde_json::{Value, json};

use super::failure::Failure;
use super::portal::Portal;
use crate::stand::text::rfc3339;
use crate::stand::{Answer, Call};

/// The developer's key, as `hapikey`.
pub(super) const DEVELOPER_KEY: &str = "double-developer-key";

#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) id: u64,
    pub(super) event: String,
    pub(super) property: Option<String>,
    pub(super) active: bool,
    object_type: Option<String>,
    made_at: i64,
}

impl Subscription {
    /// Whether it is for `what` of that type: `contact.creation`, or `object.creation` with the type's number.
    pub(super) fn wants(&self, singular: &str, number: &str, what: &str) -> bool {
        match self.event.split_once('.') {
            Some(("object", name)) => name == what && self.object_type.as_deref().is_none_or(|kind| kind == number),
            Some((kind, name)) => kind == singular && name == what,
            None => false,
        }
    }

    fn value(&self) -> Value {
        let mut value = json!({"id": self.id.to_string(), "eventType": self.event, "active": self.active,
            "createdAt": rfc3339(self.made_at), "updatedAt": rfc3339(self.made_at)});
        if let Some(property) = &self.property {
            value["propertyName"] = json!(property);
        }
        if let Some(kind) = &self.object_type {
            value["objectTypeId"] = json!(kind);
        }
        value
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Webhooks {
    pub(super) target_url: Option<String>,
    pub(super) subscriptions: Vec<Subscription>,
    next: u64,
    limit: u64,
    changed_at: i64,
}

impl Webhooks {
    fn settings(&self) -> Option<Value> {
        let url = self.target_url.as_ref()?;
        let at = rfc3339(self.changed_at);
        Some(json!({"targetUrl": url, "throttling": {"maxConcurrentRequests": self.limit, "period": "SECONDLY"}, "createdAt": at,
                "updatedAt": at}))
    }

    /// One more. Errors: an event that is none.
    pub(super) fn subscribe(
        &mut self,
        event: &str,
        property: Option<&str>,
        object_type: Option<&str>,
        active: bool,
        now: i64,
    ) -> Result<&Subscription, Failure> {
        let kinds = ["creation", "deletion", "privacyDeletion", "propertyChange", "merge", "restore", "associationChange"];
        let known = event.split_once('.').is_some_and(|(kind, name)| {
            ["contact", "company", "deal", "ticket", "lead", "object"].contains(&kind) && kinds.contains(&name)
        });
        if !known {
            return Err(Failure::invalid(format!("Unknown eventType {event}")));
        }
        if event.ends_with(".propertyChange") != property.is_some() {
            return Err(Failure::invalid("propertyName is needed for propertyChange, and only for it"));
        }
        let same =
            |one: &Subscription| one.event == event && one.property.as_deref() == property && one.object_type.as_deref() == object_type;
        if self.subscriptions.iter().any(same) {
            return Err(Failure::new(409, "CONFLICT", "The subscription exists already"));
        }
        self.next += 1;
        let own = |text: Option<&str>| text.map(str::to_owned);
        self.subscriptions.push(Subscription {
            id: self.next,
            event: event.to_owned(),
            property: own(property),
            active,
            object_type: own(object_type),
            made_at: now,
        });
        self.subscriptions.last().ok_or_else(Failure::not_found)
    }
}

pub(super) fn answer(portal: &mut Portal, now: i64, call: &Call, rest: &[&str]) -> Result<Answer, Failure> {
    let body = call.json().unwrap_or_default();
    let webhooks = &mut portal.webhooks;
    match (call.method.as_str(), rest) {
        ("GET", ["settings"]) => webhooks.settings().map(|value| Answer::json(200, &value)).ok_or_else(Failure::not_found),
        ("PUT", ["settings"]) => {
            let url =
                body["targetUrl"].as_str().filter(|url| url.starts_with("http")).ok_or_else(|| Failure::invalid("targetUrl is no URL"))?;
            webhooks.target_url = Some(url.to_owned());
            webhooks.limit = body["throttling"]["maxConcurrentRequests"].as_u64().unwrap_or(10);
            webhooks.changed_at = now;
            Ok(Answer::json(200, &webhooks.settings().unwrap_or_default()))
        }
        ("DELETE", ["settings"]) => {
            webhooks.target_url = None;
            Ok(Answer::empty(204))
        }
        ("GET", ["subscriptions"]) => {
            Ok(Answer::json(200, &json!({"results": webhooks.subscriptions.iter().map(Subscription::value).collect::<Vec<_>>()})))
        }
        ("POST", ["subscriptions"]) => {
            let active = body["active"] == true;
            let event = body["eventType"].as_str().unwrap_or_default();
            let made = webhooks.subscribe(event, body["propertyName"].as_str(), body["objectTypeId"].as_str(), active, now)?;
            Ok(Answer::json(201, &made.value()))
        }
        (_, ["subscriptions", id]) => {
            let at = webhooks.subscriptions.iter().position(|one| one.id.to_string() == *id).ok_or_else(Failure::not_found)?;
            match call.method.as_str() {
                "PATCH" => {
                    webhooks.subscriptions[at].active = body["active"] == true;
                    Ok(Answer::json(200, &webhooks.subscriptions[at].value()))
                }
                "DELETE" => {
                    webhooks.subscriptions.remove(at);
                    Ok(Answer::empty(204))
                }
                _ => Ok(Answer::json(200, &webhooks.subscriptions[at].value())),
            }
        }
        _ => Err(Failure::not_found()),
    }
}
