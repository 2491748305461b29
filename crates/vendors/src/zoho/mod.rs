//! Zoho CRM, version 8: one organisation in one data centre.
//!
//! Does: OAuth with an hour's tokens, `Zoho-oauthtoken`, `accounts-server` and `location` in the callback, refresh tokens only with
//! `access_type=offline`, at most twenty of a user (one more ends the oldest), at most ten refreshes in ten minutes, errors inside status
//! 200; Leads, Contacts, Accounts, Deals: list by page and by page token, `If-Modified-Since`, one, create, change, upsert with
//! duplicate checks, delete, the feed of deleted rows, their number, search by criteria, COQL; results row by row (200, 201, 202, 207); modules and
//! fields; users, organisation; notifications that end unless they are renewed; credits.
//!
//! Does not: layouts, validation rules, blueprints, sub-forms, related lists, bulk read and write, tags, conversion by API, files. What a
//! layout would demand is the required fields only. An unknown field is left out in silence, as at Zoho.

mod act;
mod auth;
mod coql;
mod failure;
mod lists;
mod modules;
mod org;
mod records;
mod search;
mod watch;
mod write;

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use kernel::Ambient;
use serde_json::Value;

use crate::faults::{Fault, Kind};
use crate::oauth::{App, Grants, Pkce, Policy};
use crate::stand::{Answer, Call, Stand, Vendor};

use failure::Failure;
use org::Org;

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
    /// Credits a day.
    pub daily_credits: u64,
    /// The data centre, as `location` in the callback says it.
    pub location: String,
    /// Whoever signs in has his data in another data centre: the address of its double, where he is sent on to.
    pub elsewhere: Option<String>,
    /// How long a notification lives at most, in milliseconds.
    pub watch_life_ms: i64,
}

impl Options {
    /// The machine's clock, no faults, the app `double-client` with the secret `double-secret`, a free edition's credits.
    pub fn new() -> Self {
        let scopes = [
            "ZohoCRM.modules.ALL",
            "ZohoCRM.settings.ALL",
            "ZohoCRM.users.ALL",
            "ZohoCRM.org.ALL",
            "ZohoCRM.notifications.ALL",
            "ZohoCRM.coql.READ",
        ];
        Self {
            ambient: Ambient::system(),
            faults: Vec::new(),
            app: App {
                client_id: "double-client".into(),
                client_secret: "double-secret".into(),
                redirect_uris: Vec::new(),
                scopes: scopes.map(str::to_owned).to_vec(),
            },
            access_life_ms: 3_600_000,
            daily_credits: 5000,
            location: "us".into(),
            elsewhere: None,
            watch_life_ms: 86_400_000,
        }
    }

    /// The same without limits on calls, for tests that are about something else.
    pub fn unlimited() -> Self {
        Self { daily_credits: u64::MAX / 2, ..Self::new() }
    }

    fn policy(&self) -> Policy {
        Policy {
            access_life_ms: Some(self.access_life_ms),
            refresh_idle_ms: None,
            rotates: false,
            pkce: Pkce::Optional,
            refreshes: Some((10, 600_000)),
            max_grants: Some(20),
            access_prefix: "1000.".into(),
            refresh_prefix: "1000.".into(),
            needs_offline: true,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// An organisation.
pub struct Zoho {
    stand: Stand,
    org: Mutex<Org>,
}

impl Zoho {
    /// A new organisation, empty.
    pub fn new(options: Options) -> Self {
        let org = Org::new(&options);
        Self { stand: Stand::new(options.ambient, options.faults), org: Mutex::new(org) }
    }

    fn org(&self) -> MutexGuard<'_, Org> {
        self.org.lock().expect("no holder of this lock panics")
    }

    fn route(&self, call: &Call) -> Result<Answer, Failure> {
        let (_, path) = call.route();
        match path.as_slice() {
            ["oauth", rest @ ..] => auth::answer(self, call, rest),
            ["crm", "v8", rest @ ..] => self.counted(call, rest),
            _ => Err(Failure::no_url()),
        }
    }

    /// A call that needs a token and costs credits.
    fn counted(&self, call: &Call, rest: &[&str]) -> Result<Answer, Failure> {
        let now = self.stand.now();
        let mut org = self.org();
        let token = call.authorization("Zoho-oauthtoken").unwrap_or_default();
        let user = org.grants.check(token, now).ok_or_else(Failure::token)?.user;
        let cost = org::cost(call, rest);
        let taken = org.day.take(now, cost);
        let answer = if taken { org.answer(self, call, user, rest) } else { Err(Failure::limit()) };
        org.pending.drain(..).for_each(|message| self.stand.outbox.post(message));
        Ok(answer.unwrap_or_else(Answer::from).with("x-api-credits-remaining", &org.day.remaining().to_string()))
    }
}

impl Vendor for Zoho {
    fn name(&self) -> &'static str {
        "zoho"
    }

    fn stand(&self) -> &Stand {
        &self.stand
    }

    fn with_grants(&self, work: &mut dyn FnMut(&mut Grants)) {
        work(&mut self.org().grants);
    }

    fn answer(&self, call: &Call) -> Answer {
        self.route(call).unwrap_or_else(Answer::from)
    }

    fn refuse(&self, call: &Call, kind: &Kind) -> Answer {
        match kind {
            Kind::Unauthorized => {
                self.org().grants.expire(call.authorization("Zoho-oauthtoken").unwrap_or_default());
                Failure::token().into()
            }
            Kind::Forbidden => Failure::new(403, "NO_PERMISSION", "permission denied").into(),
            Kind::ScopeRemoved => Failure::scope().into(),
            Kind::RateLimit(retry) => Answer::from(Failure::limit()).retry(*retry, self.stand.now()),
            Kind::ServerError(status) => Failure::new(*status, "INTERNAL_ERROR", "Internal Server Error").into(),
            _ => Failure::new(200, "INTERNAL_ERROR", "Internal Server Error").into(),
        }
    }

    fn own_act(&self, act: &str, arguments: &Value) -> Result<Value, String> {
        act::act(self, act, arguments)
    }
}

impl fmt::Debug for Zoho {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Zoho")
    }
}
