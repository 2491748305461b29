//! Pipedrive: one company's account.
//!
//! Does: OAuth with Basic client authentication, hour-long access tokens, refresh tokens that die after 60 idle days, API tokens; persons,
//! organizations and deals on v2 (lists by cursor with `updated_since`, one, create, change, delete, search), leads on v1, merges on v1,
//! field definitions with the account's own forty-digit codes, webhooks v2 with Basic authentication, `users/me`; the budget of tokens a
//! day with its costs and the burst of two seconds.
//!
//! Does not: activities, products, pipelines' and stages' own rules, files, notes, filters, followers, visibility; no upsert, no bulk
//! write and no external id, because Pipedrive has none.

mod account;
mod act;
mod auth;
mod entities;
mod failure;
mod fields;
mod hooks;
mod leads;
mod list;
mod search;

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use kernel::Ambient;
use serde_json::{Value, json};

use crate::faults::{Fault, Kind};
use crate::oauth::{App, Grants, Pkce, Policy};
use crate::stand::{Answer, Call, Stand, Vendor};

use account::Account;
use failure::Failure;

/// The API token of the account's user.
pub const API_TOKEN: &str = "double-api-token";

/// Settings.
#[derive(Debug)]
pub struct Options {
    /// Clock and chance.
    pub ambient: Ambient,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// The app that may connect.
    pub app: App,
    /// How long an access token lives, in milliseconds.
    pub access_life_ms: i64,
    /// Tokens a day.
    pub daily_tokens: u64,
    /// Calls in any two seconds.
    pub burst: usize,
}

impl Options {
    /// The machine's clock, no faults, the app `double-client` with the secret `double-secret`, the budget of one seat.
    pub fn new() -> Self {
        let scopes =
            ["base", "contacts:full", "deals:full", "leads:full", "search:read", "users:read", "admin"].map(str::to_owned).to_vec();
        Self {
            ambient: Ambient::system(),
            faults: Vec::new(),
            app: App { client_id: "double-client".into(), client_secret: "double-secret".into(), redirect_uris: Vec::new(), scopes },
            access_life_ms: 3_599_000,
            daily_tokens: 30_000,
            burst: 20,
        }
    }

    /// The same without limits on calls, for tests that are about something else.
    pub fn unlimited() -> Self {
        Self { daily_tokens: u64::MAX / 2, burst: usize::MAX, ..Self::new() }
    }

    fn policy(&self) -> Policy {
        Policy {
            access_life_ms: Some(self.access_life_ms),
            refresh_idle_ms: Some(60 * 86_400_000),
            rotates: false,
            pkce: Pkce::Optional,
            refreshes: None,
            max_grants: None,
            access_prefix: "v1u:".into(),
            refresh_prefix: "1234567:8901234:".into(),
            needs_offline: false,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// An account.
pub struct Pipedrive {
    stand: Stand,
    account: Mutex<Account>,
}

impl Pipedrive {
    /// A new account, empty.
    pub fn new(options: Options) -> Self {
        let account = Account::new(&options);
        Self { stand: Stand::new(options.ambient, options.faults), account: Mutex::new(account) }
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().expect("no holder of this lock panics")
    }

    fn route(&self, call: &Call) -> Result<Answer, Failure> {
        let (_, path) = call.route();
        match path.as_slice() {
            ["oauth", rest @ ..] => auth::answer(self, call, rest),
            ["api", version @ ("v1" | "v2"), rest @ ..] | [version @ ("v1" | "v2"), rest @ ..] => self.counted(call, version, rest),
            _ => Err(Failure::not_found("Unknown method .")),
        }
    }

    /// A call that needs a token and costs some of the budget.
    fn counted(&self, call: &Call, version: &str, rest: &[&str]) -> Result<Answer, Failure> {
        let now = self.stand.now();
        let mut account = self.account();
        let user = account.authorized(call, now)?;
        let burst = account.burst.take(now);
        let cost = account::cost(call.method.as_str(), version, rest);
        let answer = burst
            .map_err(|_| Failure::limit())
            .and_then(|()| if account.day.take(now, cost) { Ok(()) } else { Err(Failure::limit()) })
            .and_then(|()| account.answer(self, call, user, version, rest))
            .unwrap_or_else(Answer::from);
        account.pending.drain(..).for_each(|message| self.stand.outbox.post(message));
        Ok(answer
            .with("x-ratelimit-limit", &account.burst.max().to_string())
            .with("x-ratelimit-remaining", &account.burst.remaining().to_string())
            .with("x-ratelimit-reset", "2")
            .with("x-daily-requests-left", &account.day.remaining().to_string()))
    }
}

impl Vendor for Pipedrive {
    fn name(&self) -> &'static str {
        "pipedrive"
    }

    fn stand(&self) -> &Stand {
        &self.stand
    }

    fn with_grants(&self, work: &mut dyn FnMut(&mut Grants)) {
        work(&mut self.account().grants);
    }

    fn answer(&self, call: &Call) -> Answer {
        self.route(call).unwrap_or_else(Answer::from)
    }

    fn refuse(&self, call: &Call, kind: &Kind) -> Answer {
        match kind {
            Kind::Unauthorized => {
                self.account().grants.expire(call.authorization("Bearer").unwrap_or_default());
                Failure::unauthorized().into()
            }
            // What Pipedrive says to callers who go on after 429.
            Kind::Forbidden => Answer::raw(
                403,
                "text/html; charset=utf-8",
                "<html><body><h1>Access denied: error 1015, you are being rate limited</h1></body></html>",
            ),
            Kind::ScopeRemoved => Failure::scope().into(),
            Kind::RateLimit(retry) => Answer::from(Failure::limit()).retry(*retry, self.stand.now()),
            Kind::ServerError(status) => Failure::new(*status, "Server error").into(),
            _ => Answer::json(200, &json!({"success": false, "error": "Something went wrong", "data": null})),
        }
    }

    fn own_act(&self, act: &str, arguments: &Value) -> Result<Value, String> {
        act::act(self, act, arguments)
    }
}

impl fmt::Debug for Pipedrive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pipedrive")
    }
}
