//! Salesforce: the REST API of an org.
//!
//! Does: the web server flow with PKCE and rotating refresh tokens, revocation, introspection, identity; versions 60 to 67 of the REST
//! API; `sobjects` (create, read, update, delete, upsert by external id, describe, deleted and updated feeds), collections, `composite`
//! and `composite/batch`, SOQL with locators (`src/soql` says which part), Bulk 2.0 ingest and query jobs, `limits` and the daily
//! allowance, outbound messages (SOAP, with acknowledgement). Text is compared as Salesforce does, times have whole seconds.
//!
//! Does not: SOAP login and the SOAP API, Pub/Sub and change data capture (gRPC), SOSL, Apex, metadata, sharing and field-level
//! security, validation rules other than types, lengths, required and unique fields, GROUP BY and subqueries. Merges and conversions
//! have no REST call at Salesforce either: here they are acts of a person ([`Salesforce::merge`], [`Salesforce::convert_lead`]).

mod act;
mod auth;
mod bulk;
mod collections;
mod composite;
mod describe;
mod failure;
mod feeds;
mod ids;
mod org;
mod outbound;
mod query;
mod records;
mod schema;
mod sobjects;
mod write;

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use kernel::Ambient;
use serde_json::{Value, json};

use crate::faults::{Fault, Kind};
use crate::oauth::{App, Grants, Pkce, Policy};
use crate::stand::{Answer, Call, Stand, Vendor, text};

use failure::Failure;
use org::Org;

pub use outbound::OutboundMessage;
pub use schema::{Field, Object};

/// The versions of the API that are served.
const VERSIONS: std::ops::RangeInclusive<u32> = 60..=67;
/// Longest address of a call. What stands in the body of a composite call is not part of one.
const ADDRESS: usize = 16_384;

/// Settings.
#[derive(Debug)]
pub struct Options {
    /// Clock and chance.
    pub ambient: Ambient,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// The app that may connect.
    pub app: App,
    /// How long an access token lives, in milliseconds: the org's session policy. Tokens do not say it.
    pub access_life_ms: i64,
    /// Whether refresh tokens rotate, as they do for partners' apps.
    pub rotates: bool,
    /// Calls a day.
    pub daily_calls: u64,
    /// Whether a second row with the same e-mail is refused as `DUPLICATES_DETECTED`.
    pub refuses_duplicates: bool,
}

impl Options {
    /// The machine's clock, no faults, the app `double-client` with the secret `double-secret`.
    pub fn new() -> Self {
        let scopes = ["api", "refresh_token", "offline_access", "id", "openid"].map(str::to_owned).to_vec();
        Self {
            ambient: Ambient::system(),
            faults: Vec::new(),
            app: App { client_id: "double-client".into(), client_secret: "double-secret".into(), redirect_uris: Vec::new(), scopes },
            access_life_ms: 7_200_000,
            rotates: true,
            daily_calls: 15_000,
            refuses_duplicates: false,
        }
    }

    fn policy(&self) -> Policy {
        Policy {
            access_life_ms: Some(self.access_life_ms),
            refresh_idle_ms: Some(30 * 86_400_000),
            rotates: self.rotates,
            pkce: Pkce::Required,
            refreshes: None,
            max_grants: None,
            access_prefix: "00D5g0000000001!".into(),
            refresh_prefix: "5Aep861".into(),
            needs_offline: false,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// An org.
pub struct Salesforce {
    stand: Stand,
    org: Mutex<Org>,
}

impl Salesforce {
    /// A new org, empty.
    pub fn new(options: Options) -> Self {
        let org = Org::new(&options);
        Self { stand: Stand::new(options.ambient, options.faults), org: Mutex::new(org) }
    }

    fn org(&self) -> MutexGuard<'_, Org> {
        self.org.lock().expect("no holder of this lock panics")
    }

    fn route(&self, call: &Call) -> Result<Answer, Failure> {
        if call.target.len() > ADDRESS {
            return Err(Failure::new(414, "URI_TOO_LONG", "URI Too Long"));
        }
        let (method, path) = call.route();
        match (method, path.as_slice()) {
            (_, ["services", "oauth2", rest @ ..]) => auth::answer(self, call, rest),
            ("GET", ["services", "data"]) => Ok(Answer::json(200, &versions())),
            (_, ["services", "data", version, rest @ ..]) => {
                known_version(version).ok_or_else(|| Failure::not_found("The requested resource does not exist"))?;
                self.counted(call, |org, user| org.data(self, call, user, version, rest))
            }
            ("GET", ["id", _, user]) => self.counted(call, |org, _| auth::identity(org, call, user)),
            _ => Err(Failure::not_found("The requested resource does not exist")),
        }
    }

    /// A call that needs a session and counts against the day.
    fn counted(&self, call: &Call, work: impl FnOnce(&mut Org, u64) -> Result<Answer, Failure>) -> Result<Answer, Failure> {
        let now = self.stand.now();
        let mut org = self.org();
        let token = call.authorization("Bearer").or_else(|| call.authorization("OAuth")).unwrap_or_default();
        let user = org.grants.check(token, now).ok_or_else(Failure::session)?.user;
        if !org.day.take(now, 1) {
            return Err(Failure::limit());
        }
        let answer = work(&mut org, user);
        org.pending.drain(..).for_each(|message| self.stand.outbox.post(message));
        let usage = format!("api-usage={}/{}", org.day.used(), org.day.max());
        let answer = answer.unwrap_or_else(Answer::from).with("sforce-limit-info", &usage);
        // Where a server adds none of its own, it is by this org's clock that callers learn how late it is.
        Ok(answer.with("date", &text::http_date(now)))
    }
}

impl Vendor for Salesforce {
    fn name(&self) -> &'static str {
        "salesforce"
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
                self.org().grants.expire(call.authorization("Bearer").unwrap_or_default());
                Failure::session().into()
            }
            Kind::Forbidden => Failure::limit().into(),
            Kind::ScopeRemoved => Failure::new(403, "INSUFFICIENT_ACCESS", "The user has no access to this resource").into(),
            Kind::RateLimit(retry) => {
                let failure = Failure::new(429, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.");
                Answer::from(failure).retry(*retry, self.stand.now())
            }
            Kind::ServerError(status) => Failure::new(*status, "UNKNOWN_EXCEPTION", "An unexpected error occurred.").into(),
            _ => Failure::new(500, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record").into(),
        }
    }

    fn own_act(&self, act: &str, arguments: &Value) -> Result<Value, String> {
        act::act(self, act, arguments)
    }
}

impl fmt::Debug for Salesforce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salesforce")
    }
}

fn known_version(text: &str) -> Option<u32> {
    let number = text.strip_prefix('v')?.strip_suffix(".0")?.parse().ok()?;
    VERSIONS.contains(&number).then_some(number)
}

fn versions() -> Value {
    VERSIONS
        .map(|number| {
            json!({"label": format!("Version {number}"), "url": format!("/services/data/v{number}.0"),
        "version": format!("{number}.0")})
        })
        .collect()
}
