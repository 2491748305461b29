//! `POST /mcp`: the endpoints that a credential may use, as tools for agents (Model Context Protocol, streamable HTTP).
//!
//! * `tools`: each endpoint of the OpenAPI document becomes a tool. Its parameters and its body are the members of the tool's input schema.
//! * `call`: the arguments of a tool become a request, which goes through the same router as any other, with the caller's own credential:
//!   the gate authenticates it, limits it, checks its scope, replays it and logs it under the called endpoint. No rule is written twice.
//! * `answer`: what comes back becomes the tool's result, bounded in size; an error keeps the code of its problem.
//! * `entrance`: what arrives at `/mcp`. A call of a tool is counted once, under the called endpoint; every other message (the list of the
//!   tools, the handshake) is counted under `/mcp`.
//!
//! No session is kept: every message stands alone, so any node answers it, and `GET` and `DELETE` are 405, as the protocol allows.
//!
//! No tables, no events. Invariants: nothing is called that the caller could not call without this; an answer is never larger than
//! [`MAX_ANSWER`] characters of text; a page of another origin than the server's own and those of the client is refused before anything runs.

mod answer;
mod call;
mod entrance;
mod inside;
mod server;
mod tools;

use std::sync::{Arc, OnceLock};

use access::Access;
use axum::Router;
use axum::routing::post;
use futures_util::future::BoxFuture;
use gate::Gate;
use kernel::{Caller, Result};
use serde_json::Value;
use web::{Api, Endpoint};

pub use answer::MAX_ANSWER;
pub use inside::Inside;
use tools::Catalogue;

/// The largest message in bytes.
const MAX_MESSAGE: usize = 1024 * 1024;

/// Endpoints that only some callers have: those that a tenant declared for itself.
pub type Own = Arc<dyn Fn(Caller) -> BoxFuture<'static, Result<Vec<Arc<Endpoint>>>> + Send + Sync>;

/// The endpoints of everybody, and the OpenAPI document that describes them.
pub type Offered = Box<dyn Fn() -> (Vec<Arc<Endpoint>>, Value) + Send + Sync>;

/// What is told to agents, and how the rest of the server is reached.
pub struct Options {
    /// The product's name.
    pub title: String,
    /// What the product is, for the agent.
    pub description: String,
    /// The program's version.
    pub version: String,
    /// The server's address from outside: pages of its origin may call.
    pub public_url: String,
    /// The router that tools are called through.
    pub inside: Inside,
    /// Who knows credentials.
    pub access: Arc<Access>,
    /// What guards messages that call no tool.
    pub gate: Arc<Gate>,
    /// Endpoints of the caller's tenant.
    pub own: Own,
}

/// The server of the protocol.
pub struct Mcp {
    options: Options,
    /// The origin of the public address.
    origin: String,
    offered: OnceLock<Offered>,
    /// Made when an agent first asks, so that a server that none asks does not hold it.
    catalogue: OnceLock<Catalogue>,
    /// `POST /mcp` behind the gate, for what calls no tool.
    guarded: OnceLock<Router>,
}

impl Mcp {
    /// A server without tools: [`Mcp::offer`] gives it some.
    pub fn new(options: Options) -> Arc<Self> {
        let origin = url::Url::parse(&options.public_url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let server = Arc::new(Self { options, origin, offered: OnceLock::new(), catalogue: OnceLock::new(), guarded: OnceLock::new() });
        let endpoint = Arc::new(entrance::endpoint());
        let route = post(entrance::guarded).with_state(Arc::downgrade(&server));
        let guarded = server.options.gate.guard(Arc::clone(&endpoint), route);
        let _ = server.guarded.set(Router::new().route(entrance::PATH, guarded));
        server
    }

    /// Offers tools. Once; a second call changes nothing.
    pub fn offer(&self, offered: Offered) {
        let _ = self.offered.set(offered);
    }

    /// `POST /mcp`.
    pub fn routes(self: &Arc<Self>) -> Api {
        Api::new().route(entrance::endpoint().guarded_within(), entrance::enter, Arc::clone(self))
    }

    fn catalogue(&self) -> Option<&Catalogue> {
        let offered = self.offered.get()?;
        Some(self.catalogue.get_or_init(|| {
            let (endpoints, document) = offered();
            Catalogue::new(&endpoints, &document)
        }))
    }
}
