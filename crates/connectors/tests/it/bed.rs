//! Carriers for tests: one over a connection to a running double, one that asks a double without a connection, for simulations.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use connectors::{Body, BudgetNews, Call, Carrier, Fault, Renewal, Reply, Session, Target};
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue};
use kernel::chance::SeededEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Timestamp};
use serde_json::{Map, Value};
use vendors::stand::{self, Double, Ending, Vendor};
use web::outbound::{Client, ClientConfig, OutboundError, OutboundFault, OutboundRequest, UrlPolicy, to_uri};

/// As [`connectors::Reply`] says.
const CAP: usize = 32 << 20;

/// A clock that the test moves, and the ambient with it. It starts at a full second.
pub(crate) fn clock() -> (Arc<ManualClock>, Ambient) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_800_000_000_000)));
    (clock.clone(), Ambient::new(clock, Arc::new(SeededEntropy::new(7))))
}

/// The guarded client, which may reach loopback.
pub(crate) fn client() -> Client {
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    Client::new(ClientConfig::new(policy)).unwrap()
}

/// What both carriers keep, for tests to look at.
pub(crate) struct Notes {
    /// The authorization header that is sent; none: no credential is.
    pub(crate) credential: Mutex<Option<String>>,
    /// Its number.
    pub(crate) generation: AtomicU64,
    /// What was said about budgets, in order.
    pub(crate) told: Mutex<Vec<BudgetNews>>,
    /// The pauses that were asked for.
    pub(crate) pauses: Mutex<Vec<Duration>>,
    /// How much was taken from the budget in all.
    pub(crate) cost: AtomicU64,
    /// Method and path of every call, in order.
    pub(crate) calls: Mutex<Vec<String>>,
    /// Whether a renewal is refused.
    pub(crate) refuses_renewal: AtomicBool,
    /// How often it was asked to renew.
    pub(crate) renewals: AtomicU64,
}

impl Notes {
    fn new(credential: Option<String>) -> Self {
        Self {
            credential: Mutex::new(credential),
            generation: AtomicU64::new(1),
            told: Mutex::default(),
            pauses: Mutex::default(),
            cost: AtomicU64::new(0),
            calls: Mutex::default(),
            refuses_renewal: AtomicBool::new(false),
            renewals: AtomicU64::new(0),
        }
    }

    fn note(&self, call: &Call) {
        self.cost.fetch_add(u64::from(call.cost), Ordering::SeqCst);
        let target = match &call.target {
            Target::Path(text) | Target::Url(text) => text,
        };
        self.calls.lock().unwrap().push(format!("{} {target}", call.method));
    }

    /// How many calls have this part in method and path.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| call.contains(part)).count()
    }

    fn renewed(&self, generation: u64, mint: impl FnOnce() -> Option<String>) -> Renewal {
        self.renewals.fetch_add(1, Ordering::SeqCst);
        if self.refuses_renewal.load(Ordering::SeqCst) {
            return Renewal::Refused;
        }
        if generation == self.generation.load(Ordering::SeqCst) {
            *self.credential.lock().unwrap() = mint();
            self.generation.fetch_add(1, Ordering::SeqCst);
        }
        Renewal::Renewed
    }
}

/// A call as it goes over the wire: path and query, headers, body.
fn wire(call: &Call, base: &str, notes: &Notes) -> Result<(String, HeaderMap, Bytes), Fault> {
    let refused = |message: String| Fault::Refused { code: "address_refused".to_owned(), message, field: None };
    let whole = match &call.target {
        Target::Path(path) if path.starts_with('/') => format!("{base}{path}"),
        Target::Path(path) => return Err(refused(format!("`{path}` does not begin with a slash"))),
        Target::Url(url) => url.clone(),
    };
    let mut url = url::Url::parse(&whole).map_err(|error| refused(error.to_string()))?;
    if url.origin() != url::Url::parse(base).unwrap().origin() {
        return Err(refused("it belongs to another host than the account's".to_owned()));
    }
    if !call.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&call.query);
    }
    let mut headers = call.headers.clone();
    if let Some(credential) = notes.credential.lock().unwrap().as_deref() {
        headers.insert(AUTHORIZATION, HeaderValue::from_str(credential).unwrap());
    }
    let (media, body) = match &call.body {
        Body::Empty => return Ok((url.to_string(), headers, Bytes::new())),
        Body::Json(json) => ("application/json".to_owned(), Bytes::from(json.to_string())),
        Body::Form(pairs) => {
            let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            ("application/x-www-form-urlencoded".to_owned(), Bytes::from(form))
        }
        Body::Bytes(media, bytes) => (media.clone(), bytes.clone()),
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(&media).unwrap());
    Ok((url.to_string(), headers, body))
}

/// Carries over a connection to a server on loopback.
pub(crate) struct TcpCarrier {
    pub(crate) notes: Notes,
    client: Client,
    base: String,
    mint: Box<dyn Fn() -> Option<String> + Send + Sync>,
}

impl TcpCarrier {
    /// To a double; `scheme` stands before its tokens (`Bearer`). Pauses are noted and not kept.
    pub(crate) fn to<V: Vendor>(double: &Arc<Double<V>>, scheme: &'static str) -> Arc<Self> {
        let minting = Arc::clone(double);
        let mint = move || Some(format!("{scheme} {}", minting.issue().access_token));
        Arc::new(Self { notes: Notes::new(mint()), client: client(), base: double.url(), mint: Box::new(mint) })
    }

    /// To any server, with one credential for ever.
    pub(crate) fn plain(base: &str, credential: Option<&str>) -> Arc<Self> {
        let credential = credential.map(str::to_owned);
        let mint = {
            let credential = credential.clone();
            move || credential.clone()
        };
        Arc::new(Self { notes: Notes::new(credential), client: client(), base: base.to_owned(), mint: Box::new(mint) })
    }
}

impl Carrier for TcpCarrier {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Fault>> {
        Box::pin(async move {
            self.notes.note(&call);
            let generation = self.notes.generation.load(Ordering::SeqCst);
            let (url, headers, body) = wire(&call, &self.base, &self.notes)?;
            let uri = to_uri(&url::Url::parse(&url).unwrap()).unwrap();
            let timeout = Duration::from_secs(20);
            let request = OutboundRequest {
                method: call.method.clone(),
                uri,
                headers,
                body,
                timeout,
                response_cap: CAP,
                repeatable: call.repeatable,
            };
            let answer = self.client.send(request).await.map_err(lost)?;
            if answer.truncated {
                let message = "the answer is longer than 32 MiB".to_owned();
                return Err(Fault::Refused { code: "answer_too_large".to_owned(), message, field: None });
            }
            Ok(Reply { status: answer.status, headers: answer.headers, body: answer.body, generation })
        })
    }

    fn renew(&self, generation: u64) -> BoxFuture<'_, Result<Renewal, Fault>> {
        Box::pin(async move { Ok(self.notes.renewed(generation, &self.mint)) })
    }

    fn told(&self, budget: BudgetNews) {
        self.notes.told.lock().unwrap().push(budget);
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.notes.pauses.lock().unwrap().push(time);
        Box::pin(async {})
    }
}

fn lost(error: OutboundError) -> Fault {
    match error.kind {
        OutboundFault::Timeout | OutboundFault::Protocol => Fault::Lost { message: error.text },
        _ => Fault::Unavailable { message: error.text },
    }
}

/// Asks a double without a connection: every step at once, by the test's clock, which a pause moves.
pub(crate) struct StandCarrier<V: Vendor> {
    pub(crate) notes: Notes,
    vendor: Arc<V>,
    clock: Arc<ManualClock>,
    scheme: &'static str,
}

impl<V: Vendor> StandCarrier<V> {
    pub(crate) fn to(vendor: &Arc<V>, clock: &Arc<ManualClock>, scheme: &'static str) -> Arc<Self> {
        let credential = format!("{scheme} {}", vendor.issue().access_token);
        Arc::new(Self { notes: Notes::new(Some(credential)), vendor: Arc::clone(vendor), clock: Arc::clone(clock), scheme })
    }
}

impl<V: Vendor> Carrier for StandCarrier<V> {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Fault>> {
        let generation = self.notes.generation.load(Ordering::SeqCst);
        self.notes.note(&call);
        let sent = wire(&call, "http://double.invalid", &self.notes).and_then(|(url, mut headers, body)| {
            headers.insert(HOST, HeaderValue::from_static("double.invalid"));
            let target = url.strip_prefix("http://double.invalid").expect("the base is in front");
            let mut asked = stand::Call::new(call.method.clone(), target);
            (asked.headers, asked.body) = (headers, body);
            let answer = stand::handle(&*self.vendor, asked);
            match answer.ending {
                Ending::Whole => Ok(Reply { status: answer.status, headers: answer.headers, body: answer.body, generation }),
                Ending::Half | Ending::Never => Err(Fault::Lost { message: "the connection ended".to_owned() }),
            }
        });
        Box::pin(async move { sent })
    }

    fn renew(&self, generation: u64) -> BoxFuture<'_, Result<Renewal, Fault>> {
        let renewal = self.notes.renewed(generation, || Some(format!("{} {}", self.scheme, self.vendor.issue().access_token)));
        Box::pin(async move { Ok(renewal) })
    }

    fn told(&self, budget: BudgetNews) {
        self.notes.told.lock().unwrap().push(budget);
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.notes.pauses.lock().unwrap().push(time);
        self.clock.advance(time);
        Box::pin(async {})
    }
}

/// A session over a carrier. `config` is a JSON object.
pub(crate) fn session(carrier: Arc<dyn Carrier>, config: Value, ambient: &Ambient) -> Session {
    let config: Map<String, Value> = if let Value::Object(config) = config { config } else { Map::new() };
    Session { carrier, config: Arc::new(config), ambient: ambient.clone() }
}
