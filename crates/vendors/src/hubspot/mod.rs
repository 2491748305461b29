//! HubSpot: the CRM of one account (portal), and the app that is installed in it.
//!
//! Does: OAuth with thirty-minute tokens and refresh tokens that stay (both the `v1` and the dated paths, introspection, token
//! information, revocation that leaves access tokens alone), granular scopes; CRM objects under `/crm/v3/objects` and
//! `/crm/objects/{date}`: list, read by id or unique property, create, change, archive, merge, GDPR deletion, batches with partial errors
//! (207), search with all operators, its ceiling of 10,000 and its lag; associations (v3, v4); properties; owners; the app's webhook
//! settings and subscriptions, events in arrays with signatures v1 and v3; limits by ten seconds, by day and, for search, by second, with
//! their header fields.
//!
//! Does not: histories of values (`propertiesWithHistory` is ignored), pipelines' rules, lists, forms, marketing, engagements' own rules,
//! imports and exports, the webhook journal, custom object schemas (custom objects can be added by [`HubSpot::add_type`]), calculated
//! properties.

mod act;
mod associations;
mod auth;
mod batch;
mod events;
mod failure;
mod labels;
mod objects;
mod portal;
mod properties;
mod rows;
mod search;
mod subscriptions;
mod write;

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use kernel::Ambient;
use serde_json::{Value, json};

use crate::faults::{Fault, Kind};
use crate::oauth::{App, Grants, Pkce, Policy};
use crate::stand::{Answer, Call, Stand, Vendor};

use failure::Failure;
use portal::{Portal, Scene, Source};

pub use events::signature_v3;

/// Settings.
#[derive(Debug)]
pub struct Options {
    /// Clock and chance.
    pub ambient: Ambient,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// The app that may connect. Its secret signs webhooks.
    pub app: App,
    /// The account's number.
    pub portal_id: u64,
    /// The app's number.
    pub app_id: u64,
    /// How long an access token lives, in milliseconds.
    pub access_life_ms: i64,
    /// Calls in any ten seconds.
    pub calls_per_ten_seconds: usize,
    /// Calls a day.
    pub daily_calls: u64,
    /// Searches in any second.
    pub searches_per_second: usize,
}

impl Options {
    /// The machine's clock, no faults, the app `double-client` with the secret `double-secret`, HubSpot's limits.
    pub fn new() -> Self {
        let mut scopes = vec!["oauth".to_owned(), "crm.schemas.contacts.read".to_owned(), "crm.objects.owners.read".to_owned()];
        for object in ["contacts", "companies", "deals", "leads", "tickets", "custom"] {
            scopes.extend(["read", "write"].map(|right| format!("crm.objects.{object}.{right}")));
        }
        Self {
            ambient: Ambient::system(),
            faults: Vec::new(),
            app: App { client_id: "double-client".into(), client_secret: "double-secret".into(), redirect_uris: Vec::new(), scopes },
            portal_id: 62_515,
            app_id: 1_160_452,
            access_life_ms: 1_800_000,
            calls_per_ten_seconds: 110,
            daily_calls: 250_000,
            searches_per_second: 5,
        }
    }

    /// The same without limits on calls, for tests that are about something else.
    pub fn unlimited() -> Self {
        Self { calls_per_ten_seconds: usize::MAX, daily_calls: u64::MAX / 2, searches_per_second: usize::MAX, ..Self::new() }
    }

    fn policy(&self) -> Policy {
        Policy {
            access_life_ms: Some(self.access_life_ms),
            refresh_idle_ms: None,
            rotates: false,
            pkce: Pkce::Optional,
            refreshes: None,
            max_grants: None,
            access_prefix: "CJ".into(),
            refresh_prefix: "na1-".into(),
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
pub struct HubSpot {
    stand: Stand,
    portal: Mutex<Portal>,
}

impl HubSpot {
    /// A new account, empty.
    pub fn new(options: Options) -> Self {
        let portal = Portal::new(&options);
        Self { stand: Stand::new(options.ambient, options.faults), portal: Mutex::new(portal) }
    }

    fn portal(&self) -> MutexGuard<'_, Portal> {
        self.portal.lock().expect("no holder of this lock panics")
    }

    fn route(&self, call: &Call) -> Result<Answer, Failure> {
        let (method, path) = call.route();
        match (method, path.as_slice()) {
            (_, ["oauth", rest @ ..]) => auth::answer(self, call, rest),
            (_, ["webhooks", _, app, rest @ ..]) => {
                let mut portal = self.portal();
                let is_app = portal.app_id.to_string() == *app;
                let known =
                    portal.authorized(call, self.stand.now()).is_ok() || call.param("hapikey") == Some(subscriptions::DEVELOPER_KEY);
                if !known || !is_app {
                    return Err(Failure::unauthorized());
                }
                subscriptions::answer(&mut portal, self.stand.now(), call, rest)
            }
            _ => self.counted(call, |portal, scene| portal.route(scene, &path)),
        }
    }

    /// A call that needs a token and counts against the limits.
    fn counted(&self, call: &Call, work: impl FnOnce(&mut Portal, &Scene<'_>) -> Result<Answer, Failure>) -> Result<Answer, Failure> {
        let now = self.stand.now();
        let mut portal = self.portal();
        let user = portal.authorized(call, now)?;
        let is_search = call.segments.last().is_some_and(|last| last == "search");
        if is_search {
            portal.searches.take(now).map_err(|_| Failure::limit("SECONDLY", "secondly"))?;
        }
        let counted = portal.calls.take(now).map_err(|_| Failure::limit("TEN_SECONDLY_ROLLING", "ten_secondly_rolling"));
        let answer = counted
            .and_then(|()| if portal.day.take(now, 1) { Ok(()) } else { Err(Failure::limit("DAILY", "daily")) })
            .and_then(|()| {
                let source = Source::app(portal.app_id);
                let scene = Scene { stand: &self.stand, call, at: now, user, source };
                work(&mut portal, &scene)
            })
            .unwrap_or_else(Answer::from);
        portal.pending.drain(..).for_each(|message| self.stand.outbox.post(message));
        Ok(if is_search { answer } else { limits(&portal, answer) })
    }
}

/// The header fields of the limits. Search has none.
fn limits(portal: &Portal, answer: Answer) -> Answer {
    answer
        .with("x-hubspot-ratelimit-max", &portal.calls.max().to_string())
        .with("x-hubspot-ratelimit-remaining", &portal.calls.remaining().to_string())
        .with("x-hubspot-ratelimit-interval-milliseconds", &portal.calls.span_ms().to_string())
        .with("x-hubspot-ratelimit-daily", &portal.day.max().to_string())
        .with("x-hubspot-ratelimit-daily-remaining", &portal.day.remaining().to_string())
}

impl Vendor for HubSpot {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    fn stand(&self) -> &Stand {
        &self.stand
    }

    fn with_grants(&self, work: &mut dyn FnMut(&mut Grants)) {
        work(&mut self.portal().grants);
    }

    fn answer(&self, call: &Call) -> Answer {
        self.route(call).unwrap_or_else(Answer::from)
    }

    fn refuse(&self, call: &Call, kind: &Kind) -> Answer {
        match kind {
            Kind::Unauthorized => {
                self.portal().grants.expire(call.authorization("Bearer").unwrap_or_default());
                Failure::expired().into()
            }
            Kind::Forbidden => Failure { status: 403, ..Failure::limit("DAILY", "daily") }.into(),
            Kind::ScopeRemoved => Failure::scopes("crm.objects.contacts.read").into(),
            Kind::RateLimit(retry) => {
                Answer::from(Failure::limit("TEN_SECONDLY_ROLLING", "ten_secondly_rolling")).retry(*retry, self.stand.now())
            }
            Kind::ServerError(status) => Failure::new(*status, "SERVER_ERROR", "internal error").into(),
            _ => Answer::json(200, &json!({"status": "error", "message": "internal error", "category": "SERVER_ERROR"})),
        }
    }

    fn own_act(&self, act: &str, arguments: &Value) -> Result<Value, String> {
        act::act(self, act, arguments)
    }
}

impl fmt::Debug for HubSpot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HubSpot")
    }
}
