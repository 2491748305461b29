//! What an account keeps, its routes and their costs.

use serde_json::{Value, json};

use super::failure::Failure;
use super::fields::{self, Entity};
use super::hooks::{self, Hook};
use super::{API_TOKEN, Options, Pipedrive, entities, leads, list, search};
use crate::limits::{Day, Window};
use crate::oauth::Grants;
use crate::outbox::Message;
use crate::stand::{Answer, Call};
use crate::tables::Change;

/// The company.
pub(super) const COMPANY: u64 = 54_235_233;
/// The user who connects, and the one who works at the vendor's site.
pub(super) const CONNECTED: u64 = 1;
pub(super) const PERSON: u64 = 2;

#[derive(Debug)]
pub(super) struct Account {
    pub(super) grants: Grants,
    pub(super) entities: Vec<Entity>,
    pub(super) hooks: Vec<Hook>,
    pub(super) next_hook: u64,
    pub(super) burst: Window,
    pub(super) day: Day,
    /// Webhooks of the call that is at work.
    pub(super) pending: Vec<Message>,
}

/// One call and what its work needs to know.
pub(super) struct Scene<'c> {
    pub(super) at: &'c Pipedrive,
    pub(super) call: &'c Call,
    pub(super) change: Change,
    /// `api` or `app`: how it came, as webhooks say it.
    pub(super) source: &'static str,
}

impl Scene<'_> {
    pub(super) fn body(&self) -> Result<Value, Failure> {
        self.call.json().filter(Value::is_object).ok_or_else(|| Failure::invalid("body: must be object"))
    }
}

/// What a call costs of the day's tokens.
pub(super) fn cost(method: &str, version: &str, path: &[&str]) -> u64 {
    match (method, version, path) {
        ("DELETE", _, ["webhooks", ..]) => 6,
        (_, _, ["webhooks", ..]) => 10,
        (_, _, [_, "search"]) => 20,
        ("GET", "v1", [_]) => 20,
        ("GET", _, [_]) => 10,
        ("GET", "v1", _) => 2,
        ("GET", ..) => 1,
        ("DELETE", "v1", _) => 6,
        ("DELETE", ..) => 3,
        (_, "v1", [_, _, "merge"]) => 40,
        (_, "v1", _) => 10,
        _ => 5,
    }
}

impl Account {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            grants: Grants::new(options.policy(), options.app.clone(), CONNECTED),
            entities: fields::entities(),
            hooks: Vec::new(),
            next_hook: 1,
            burst: Window::new(options.burst, 2000),
            day: Day::new(options.daily_tokens),
            pending: Vec::new(),
        }
    }

    /// The user behind the call.
    pub(super) fn authorized(&self, call: &Call, now: i64) -> Result<u64, Failure> {
        if call.header("x-api-token").or(call.param("api_token")) == Some(API_TOKEN) {
            return Ok(CONNECTED);
        }
        let token = call.authorization("Bearer").unwrap_or_default();
        self.grants.check(token, now).map(|grant| grant.user).ok_or_else(Failure::unauthorized)
    }

    fn permitted(&self, call: &Call, scope: &str, now: i64) -> Result<(), Failure> {
        let token = call.authorization("Bearer").unwrap_or_default();
        let allowed = self.grants.check(token, now).is_none_or(|grant| grant.scopes.iter().any(|one| one == scope));
        if allowed { Ok(()) } else { Err(Failure::scope()) }
    }

    /// An entity by its plural.
    pub(super) fn entity(&self, plural: &str) -> Result<&Entity, Failure> {
        self.entities.iter().find(|entity| entity.plural == plural).ok_or_else(|| Failure::not_found("Unknown method ."))
    }

    pub(super) fn entity_mut(&mut self, plural: &str) -> Result<&mut Entity, Failure> {
        self.entities.iter_mut().find(|entity| entity.plural == plural).ok_or_else(|| Failure::not_found("Unknown method ."))
    }

    pub(super) fn answer(&mut self, at: &Pipedrive, call: &Call, user: u64, version: &str, path: &[&str]) -> Result<Answer, Failure> {
        let now = at.stand.now();
        let change = Change { at: now / 1000 * 1000, by: user, lag_ms: at.stand.faults.index_lag_ms() };
        let scene = Scene { at, call, change, source: "api" };
        let scope = match path.first().copied().unwrap_or_default() {
            "persons" | "organizations" | "personFields" | "organizationFields" => "contacts:full",
            "deals" | "dealFields" => "deals:full",
            "leads" => "leads:full",
            "webhooks" => "admin",
            _ => "base",
        };
        self.permitted(call, scope, now)?;
        match (call.method.as_str(), version, path) {
            ("GET", "v1", ["users", "me"]) => Ok(Answer::json(200, &me())),
            (_, "v1", ["webhooks", rest @ ..]) => hooks::answer(self, &scene, rest),
            (_, "v1", ["leads", rest @ ..]) => leads::answer(self, &scene, rest),
            ("PUT", "v1", [plural, id, "merge"]) => entities::merge(self, &scene, plural, id),
            ("GET", "v2", [plural @ ("persons" | "organizations" | "deals" | "leads"), "search"]) => search::search(self, &scene, plural),
            ("GET", "v2", [plural @ ("persons" | "organizations" | "deals")]) => list::list(self, &scene, plural),
            (_, "v2", [plural @ ("persons" | "organizations" | "deals"), rest @ ..]) => entities::answer(self, &scene, plural, rest),
            (_, "v2", [name, rest @ ..]) if name.ends_with("Fields") => fields::answer(self, &scene, name.trim_end_matches("Fields"), rest),
            _ => Err(Failure::not_found("Unknown method .")),
        }
    }
}

fn me() -> Value {
    json!({"success": true, "data": {
        "id": CONNECTED, "name": "Ada Double", "email": "ada@double.invalid", "default_currency": "EUR", "locale": "en_US", "lang": 1,
            "phone": null,
        "activated": true, "last_login": "2026-01-01 00:00:00", "created": "2026-01-01 00:00:00", "modified": "2026-01-01 00:00:00",
        "has_created_company": true, "access": [], "active_flag": true, "timezone_name": "Etc/UTC", "timezone_offset": "+00:00",
            "role_id": 1,
        "icon_url": null, "is_you": true, "is_deleted": false, "company_id": COMPANY, "company_name": "Double", "company_domain": "double",
        "company_country": "EE", "company_industry": null, "language": {"language_code": "en", "country_code": "US"},
    }})
}
