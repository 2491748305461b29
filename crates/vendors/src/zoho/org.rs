//! What an organisation keeps, its routes and their costs.

use serde_json::{Value, json};

use super::failure::Failure;
use super::modules::{self, Module};
use super::watch::{self, Watch};
use super::{Options, Zoho, coql, lists, search, write};
use crate::limits::Day;
use crate::oauth::Grants;
use crate::outbox::Message;
use crate::stand::{Answer, Call, Stand};
use crate::tables::Change;

/// The user who connects, and the one who works at the vendor's site.
pub(super) const CONNECTED: u64 = 1;
pub(super) const PERSON: u64 = 2;
/// All ids begin so.
pub(super) const FIRST: u64 = 5_725_767_000_000_000_000;

#[derive(Debug)]
pub(super) struct Org {
    pub(super) grants: Grants,
    pub(super) modules: Vec<Module>,
    pub(super) watches: Vec<Watch>,
    pub(super) watch_life_ms: i64,
    pub(super) location: String,
    pub(super) elsewhere: Option<String>,
    pub(super) day: Day,
    /// Notifications of the call that is at work.
    pub(super) pending: Vec<Message>,
}

/// One call and what its work needs to know.
pub(super) struct Scene<'c> {
    pub(super) stand: &'c Stand,
    pub(super) call: &'c Call,
    pub(super) change: Change,
}

/// What a call costs in credits.
pub(super) fn cost(call: &Call, path: &[&str]) -> u64 {
    match (call.method.as_str(), path) {
        ("POST" | "PUT", [_] | [_, "upsert"]) => {
            let rows = call.json().and_then(|body| body["data"].as_array().map(Vec::len)).unwrap_or(1);
            (rows as u64).div_ceil(10).max(1)
        }
        ("GET", [_, "deleted"]) => 2,
        _ => 1,
    }
}

/// A user as rows name him.
pub(super) fn user(number: u64) -> Value {
    let (name, email) = if number == CONNECTED { ("Ada Double", "ada@double.invalid") } else { ("Ben Double", "ben@double.invalid") };
    json!({"name": name, "id": (FIRST + 100 + number).to_string(), "email": email})
}

impl Org {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            grants: Grants::new(options.policy(), options.app.clone(), CONNECTED),
            modules: modules::modules(),
            watches: Vec::new(),
            watch_life_ms: options.watch_life_ms,
            location: options.location.clone(),
            elsewhere: options.elsewhere.clone(),
            day: Day::new(options.daily_credits),
            pending: Vec::new(),
        }
    }

    /// A module by its name.
    pub(super) fn module(&self, name: &str) -> Result<&Module, Failure> {
        let missing = || Failure::new(400, "INVALID_MODULE", "the module name given seems to be invalid");
        self.modules.iter().find(|module| module.name.eq_ignore_ascii_case(name)).ok_or_else(missing)
    }

    pub(super) fn module_mut(&mut self, name: &str) -> Result<&mut Module, Failure> {
        let missing = || Failure::new(400, "INVALID_MODULE", "the module name given seems to be invalid");
        self.modules.iter_mut().find(|module| module.name.eq_ignore_ascii_case(name)).ok_or_else(missing)
    }

    pub(super) fn answer(&mut self, at: &Zoho, call: &Call, by: u64, path: &[&str]) -> Result<Answer, Failure> {
        let now = at.stand.now();
        let change = Change { at: now / 1000 * 1000, by, lag_ms: at.stand.faults.index_lag_ms() };
        let scene = Scene { stand: &at.stand, call, change };
        let scope = match path.first().copied().unwrap_or_default() {
            "settings" => "ZohoCRM.settings.ALL",
            "users" => "ZohoCRM.users.ALL",
            "org" => "ZohoCRM.org.ALL",
            "actions" => "ZohoCRM.notifications.ALL",
            "coql" => "ZohoCRM.coql.READ",
            _ => "ZohoCRM.modules.ALL",
        };
        let token = call.authorization("Zoho-oauthtoken").unwrap_or_default();
        if self.grants.check(token, now).is_none_or(|grant| !grant.scopes.iter().any(|one| one == scope)) {
            return Err(Failure::scope());
        }
        match (call.method.as_str(), path) {
            ("GET", ["settings", "modules"]) => Ok(modules::all(self)),
            ("GET", ["settings", "modules", name]) => modules::one(self, name),
            ("GET", ["settings", "fields"]) => modules::fields(self, call),
            ("GET", ["users"]) => Ok(Answer::json(200, &users())),
            ("GET", ["org"]) => Ok(Answer::json(
                200,
                &json!({"org": [{"id": FIRST.to_string(), "company_name": "Double", "domain_name": "double.invalid", "currency": "Euro",
                    "iso_code": "EUR", "time_zone": "Etc/UTC"}]}),
            )),
            ("POST", ["coql"]) => coql::answer(self, &scene),
            (_, ["actions", "watch"]) => watch::answer(self, &scene),
            ("GET", [name]) => lists::list(self, &scene, name),
            ("GET", [name, "deleted"]) => lists::deleted(self, &scene, name),
            ("GET", [name, "actions", "count"]) => Ok(Answer::json(200, &json!({"count": self.module(name)?.rows.count()}))),
            ("GET", [name, "search"]) => search::answer(self, &scene, name),
            ("GET", [name, id]) => lists::one(self, &scene, name, id),
            (_, [name, rest @ ..]) => write::answer(self, &scene, name, rest),
            _ => Err(Failure::no_url()),
        }
    }
}

fn users() -> Value {
    let mut ada = user(CONNECTED);
    for (name, value) in [
        ("full_name", "Ada Double"),
        ("first_name", "Ada"),
        ("last_name", "Double"),
        ("status", "active"),
        ("time_zone", "Etc/UTC"),
        ("locale", "en_US"),
    ] {
        ada[name] = json!(value);
    }
    json!({"users": [ada], "info": {"per_page": 200, "count": 1, "page": 1, "more_records": false}})
}
