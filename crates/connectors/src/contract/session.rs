//! An account at a vendor, as a connector sees it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode};
use kernel::Ambient;
use serde_json::{Map, Value};

use super::Fault;

/// A request to a vendor, before its credential is added.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Where to.
    pub target: Target,
    /// The query's members, not yet encoded.
    pub query: Vec<(String, String)>,
    /// Headers of the connector's own.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// What it costs of the account's budget, in the vendor's units. At least 1.
    pub cost: u32,
    /// Doing it twice does no harm, so that a lost answer may be asked for again.
    pub repeatable: bool,
}

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Under the account's base (`instance_url`, `api_domain`, or the integration's `baseUrl`): `/crm/v8/Leads`.
    Path(String),
    /// An address that the vendor gave (`nextRecordsUrl` in full). Refused unless its origin is the base's.
    Url(String),
}

/// A body.
#[derive(Clone, Debug)]
pub enum Body {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// Anything else, with its content type.
    Bytes(String, Bytes),
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; at most 32 MiB.
    pub body: Bytes,
    /// Which credential was used, for [`Carrier::renew`].
    pub generation: u64,
}

/// How a renewal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// There is a newer credential: try again.
    Renewed,
    /// There is none: the answer stands.
    Refused,
}

/// What carries calls: adds the account's credential, waits for its budget, keeps the log. Implemented by `integrations`.
pub trait Carrier: Send + Sync + 'static {
    /// Sends a call. Adds base address and credential; takes `cost` from the budget first.
    ///
    /// Errors: [`Fault::Exhausted`] when the budget has nothing for long; [`Fault::Unavailable`] when nothing was sent; [`Fault::Lost`] when
    /// the answer was lost; [`Fault::Unauthorized`] when there is no credential; [`Fault::Refused`] for an address that may not be called
    /// (`address_refused`) and for an answer that is too long (`answer_too_large`). Any status is a reply, a redirect too.
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Fault>>;

    /// The vendor does not take the credential of `generation` (any more).
    fn renew(&self, generation: u64) -> BoxFuture<'_, Result<Renewal, Fault>>;

    /// What the vendor said about the account's budget (`remaining` of `limit` in a window that ends at `resets`), as the connector reads it
    /// from headers and refusals.
    fn told(&self, budget: BudgetNews);

    /// Waits. A simulation moves its clock in place of it.
    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// What a vendor said about a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetNews {
    /// Which of the vendor's budgets: `burst`, `daily`.
    pub window: &'static str,
    /// How much it is in all, where said.
    pub limit: Option<u64>,
    /// What is left, where said.
    pub remaining: Option<u64>,
    /// When it is full again, where said.
    pub resets: Option<kernel::Timestamp>,
}

/// An account at a vendor. Cheap to clone.
#[derive(Clone)]
pub struct Session {
    /// What carries calls.
    pub carrier: Arc<dyn Carrier>,
    /// The integration's configuration: API version, data centre, whatever the connector declares.
    pub config: Arc<Map<String, Value>>,
    /// Time and chance.
    pub ambient: Ambient,
}
