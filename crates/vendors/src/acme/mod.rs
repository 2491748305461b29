//! Acme: a CRM that does not exist, for the guide to writing a connector (`docs/connectors.md`) and for its tests.
//!
//! Does: keys of an account, contacts with a unique e-mail address (list by token with `updated_since`, one, create, change, upsert by
//! address, remove, look-up), which fields there are, what was removed or merged, webhooks with an HMAC, a limit on calls and one of the day,
//! errors with code and field, some of them inside of a 200.
//!
//! Does not: anything else; nobody can check what it should do.

mod contacts;
mod hooks;

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use kernel::Ambient;
use serde_json::{Value, json};

use crate::faults::{Fault, Kind};
use crate::limits::{Day, Window};
use crate::oauth::{App, Grants, Pkce, Policy};
use crate::outbox::Message;
use crate::stand::{Answer, Call, Stand, Vendor};
use crate::tables::{Change, How, Table};

use hooks::Hook;

/// The key of the account. Tokens that [`Vendor::issue`] gives are keys too.
pub const API_KEY: &str = "acme-api-key";
/// Who works by the API, and who at the site.
const CONNECTED: u64 = 1;
const PERSON: u64 = 2;

/// Settings.
#[derive(Debug)]
pub struct Options {
    /// Clock and chance.
    pub ambient: Ambient,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// Calls in any ten seconds.
    pub burst: usize,
    /// Calls a day.
    pub daily: u64,
}

impl Options {
    /// The machine's clock, no faults, 100 calls in ten seconds.
    pub fn new() -> Self {
        Self { ambient: Ambient::system(), faults: Vec::new(), burst: 100, daily: 10_000 }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// What the account keeps.
struct State {
    grants: Grants,
    contacts: Table<Value>,
    hooks: Vec<Hook>,
    next_hook: u64,
    burst: Window,
    day: Day,
    pending: Vec<Message>,
}

/// An account.
pub struct Acme {
    stand: Stand,
    state: Mutex<State>,
}

/// A refusal in Acme's form.
fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"error": {"code": code, "message": message}}))
}

impl Acme {
    /// A new account, empty.
    pub fn new(options: Options) -> Self {
        let app =
            App { client_id: "double-client".into(), client_secret: "double-secret".into(), redirect_uris: Vec::new(), scopes: Vec::new() };
        let policy = Policy {
            access_life_ms: None,
            refresh_idle_ms: None,
            rotates: false,
            pkce: Pkce::Optional,
            refreshes: None,
            max_grants: None,
            access_prefix: "acme_".into(),
            refresh_prefix: "acme_r_".into(),
            needs_offline: false,
        };
        let state = State {
            grants: Grants::new(policy, app, CONNECTED),
            contacts: contacts::table(),
            hooks: Vec::new(),
            next_hook: 1,
            burst: Window::new(options.burst, 10_000),
            day: Day::new(options.daily),
            pending: Vec::new(),
        };
        Self { stand: Stand::new(options.ambient, options.faults), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    fn change(&self, by: u64) -> Change {
        Change { at: self.stand.now(), by, lag_ms: self.stand.faults.index_lag_ms() }
    }

    fn person<T>(&self, work: impl FnOnce(&mut State, Change) -> Result<T, Answer>) -> Result<T, String> {
        let mut state = self.state();
        let outcome = work(&mut state, self.change(PERSON));
        state.pending.drain(..).for_each(|message| self.stand.outbox.post(message));
        outcome.map_err(|answer| answer.value()["error"]["message"].as_str().unwrap_or("refused").to_owned())
    }

    /// A person makes a contact; its id. Errors: as the API would say.
    pub fn add(&self, fields: &Value) -> Result<String, String> {
        self.person(|state, change| state.create(fields, change)).map(contacts::id)
    }

    /// A person changes a contact. Errors: as the API would say.
    pub fn edit(&self, id: &str, fields: &Value) -> Result<(), String> {
        self.person(|state, change| state.update(id, fields, change).map(drop))
    }

    /// A person removes a contact. Errors: as the API would say.
    pub fn remove(&self, id: &str) -> Result<(), String> {
        self.person(|state, change| state.remove(id, How::Bin, change))
    }

    /// A person merges the second contact into the first. Errors: as the API would say.
    pub fn merge(&self, kept: &str, gone: &str) -> Result<(), String> {
        let into = contacts::number(kept);
        self.person(|state, change| state.remove(gone, How::Merged(into), change))
    }

    /// Many contacts at once, a second apart. No webhooks.
    pub fn seed(&self, count: usize) {
        let now = self.stand.now();
        let mut state = self.state();
        for n in 0..count {
            let at = now - i64::try_from(count - n).unwrap_or(0) * 1000;
            let fields = [("email", json!(format!("person{n}@example.com"))), ("firstName", json!(format!("First{n}")))];
            state.contacts.insert(fields, Change { at, by: PERSON, lag_ms: 0 });
        }
    }

    /// Every contact that is there.
    pub fn rows(&self) -> Vec<Value> {
        self.state().contacts.iter().map(contacts::shown).collect()
    }
}

impl Vendor for Acme {
    fn name(&self) -> &'static str {
        "acme"
    }

    fn stand(&self) -> &Stand {
        &self.stand
    }

    fn with_grants(&self, work: &mut dyn FnMut(&mut Grants)) {
        work(&mut self.state().grants);
    }

    fn answer(&self, call: &Call) -> Answer {
        let now = self.stand.now();
        let mut state = self.state();
        let key = call.authorization("Bearer").unwrap_or_default();
        if key != API_KEY && state.grants.check(key, now).is_none() {
            return refusal(401, "unknown_key", "this key is not known");
        }
        let answer = match state.burst.take(now) {
            Err(_) => refusal(429, "slow_down", "too many calls"),
            Ok(()) if !state.day.take(now, 1) => refusal(403, "daily_limit", "the calls of this day are used up"),
            Ok(()) => match call.route() {
                ("GET", path) if path == ["v1", "me"] => Answer::json(200, &json!({"name": "Ada Acme", "company": "Acme"})),
                (_, path) if path.starts_with(&["v1", "contacts"]) => contacts::answer(&mut state, call, self.change(CONNECTED)),
                (_, path) if path.starts_with(&["v1", "hooks"]) => hooks::answer(&mut state, call),
                _ => refusal(404, "no_such_path", "there is nothing here"),
            },
        };
        state.pending.drain(..).for_each(|message| self.stand.outbox.post(message));
        answer.with("x-limit", &state.burst.max().to_string()).with("x-left", &state.burst.remaining().to_string()).with("x-reset", "10")
    }

    fn refuse(&self, call: &Call, kind: &Kind) -> Answer {
        match kind {
            Kind::Unauthorized => {
                self.state().grants.expire(call.authorization("Bearer").unwrap_or_default());
                refusal(401, "unknown_key", "this key is not known")
            }
            Kind::Forbidden => refusal(403, "daily_limit", "the calls of this day are used up"),
            Kind::ScopeRemoved => refusal(403, "not_yours", "this key may not do that"),
            Kind::RateLimit(retry) => refusal(429, "slow_down", "too many calls").retry(*retry, self.stand.now()),
            Kind::ServerError(status) => refusal(*status, "broken", "something broke"),
            _ => refusal(200, "broken", "something broke, and the status does not say so"),
        }
    }

    fn own_act(&self, act: &str, arguments: &Value) -> Result<Value, String> {
        let text = |name: &str| arguments[name].as_str().ok_or_else(|| format!("`{name}` is missing"));
        match act {
            "add" => self.add(&arguments["fields"]).map(Value::from),
            "edit" => self.edit(text("id")?, &arguments["fields"]).map(|()| json!({})),
            "delete" => self.remove(text("id")?).map(|()| json!({})),
            "merge" => self.merge(text("master")?, text("loser")?).map(|()| json!({})),
            "rows" => Ok(self.rows().into()),
            _ => Err(format!("acme has no act `{act}`")),
        }
    }
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acme")
    }
}
