//! The documentation, made of what runs: the OpenAPI and AsyncAPI documents, a Postman collection, `llms.txt`, and pages for people that need
//! no network. All but the AsyncAPI document come of one list of operations ([`reference::Reference`]).
//!
//! Asked for with a credential, they have what that credential may call and nothing else, its tenant's own endpoints included.

mod asyncapi;
mod codes;
mod document;
mod llms;
mod pages;
mod payloads;
mod postman;
mod reader;
mod reference;
mod rendered;
mod routes;
mod samples;
mod used;
mod webhooks;
mod words;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use blueprint::Blueprint;
use serde_json::Value;
use web::Endpoint;

pub use asyncapi::asyncapi;
pub use document::openapi;
pub use reader::{Reader, Readers, Reading};

use rendered::Rendered;

/// What the documents say about this server.
#[derive(Clone, Debug)]
pub struct DocsConfig {
    /// Its address from outside, such as `https://api.example.com`.
    pub public_url: String,
    /// The program's version.
    pub version: String,
    /// The public OAuth client by which readers sign in to try requests. None: they name one.
    pub client: Option<String>,
}

/// How many readers' documents are kept: keys with the same rights share one.
const KEPT: usize = 16;

/// The documentation of one set of routes.
pub struct Docs {
    blueprint: Arc<Blueprint>,
    endpoints: Vec<Arc<Endpoint>>,
    config: DocsConfig,
    readers: Option<Readers>,
    /// The record routes of single types, for the journey of the Postman collection.
    typed: Vec<Arc<Endpoint>>,
    /// Made when somebody first asks, so that a server that nobody asks does not hold it.
    whole: OnceLock<Arc<Rendered>>,
    /// By which of the endpoints they have, the latest last.
    personal: Mutex<Vec<(Vec<bool>, Arc<Rendered>)>>,
    /// One reader at a time whose tenant has endpoints of its own: what they see is made anew for each.
    turn: Arc<tokio::sync::Semaphore>,
}

impl Docs {
    /// Documents `endpoints`, those of every feature. Without `readers` everybody gets the whole.
    pub fn new(blueprint: Arc<Blueprint>, endpoints: Vec<Arc<Endpoint>>, config: DocsConfig, readers: Option<Readers>) -> Arc<Self> {
        let typed = postman::typed(&blueprint);
        Arc::new(Self {
            blueprint,
            endpoints,
            config,
            readers,
            typed,
            whole: OnceLock::new(),
            personal: Mutex::default(),
            turn: Arc::new(tokio::sync::Semaphore::new(1)),
        })
    }

    /// The whole OpenAPI document.
    pub fn openapi(&self) -> Value {
        openapi(&self.blueprint, &self.endpoints, &self.config)
    }

    /// The whole Postman collection.
    pub fn postman(&self) -> Value {
        self.whole().postman(self)
    }

    fn whole(&self) -> Arc<Rendered> {
        Arc::clone(self.whole.get_or_init(|| Arc::new(Rendered::new(self.openapi(), self.typed.clone(), false))))
    }

    /// What this reader is shown.
    fn for_reader(&self, reader: &Reader) -> Arc<Rendered> {
        let may: Vec<bool> = self.endpoints.iter().chain(&self.typed).map(|endpoint| reader.may_call(endpoint)).collect();
        if reader.own.is_empty()
            && let Some(known) = self.kept(&may)
        {
            return known;
        }
        let seen = self.endpoints.iter().zip(&may).filter(|(_, may)| **may).map(|(endpoint, _)| endpoint);
        let endpoints: Vec<Arc<Endpoint>> = seen.chain(&reader.own).cloned().collect();
        let mut document = openapi(&self.blueprint, &endpoints, &self.config);
        used::prune(&mut document);
        let typed = self.typed.iter().zip(&may[self.endpoints.len()..]).filter(|(_, may)| **may).map(|(endpoint, _)| Arc::clone(endpoint));
        let made = Arc::new(Rendered::new(document, typed.collect(), true));
        if reader.own.is_empty() {
            self.keep(may, &made);
        }
        made
    }

    /// Makes something of what a reader is shown, on a thread where that may take its time.
    async fn make<T: Send + 'static>(
        self: &Arc<Self>,
        reader: Option<Reader>,
        make: impl FnOnce(&Self, &Rendered) -> T + Send + 'static,
    ) -> kernel::Result<T> {
        let turn = match &reader {
            Some(reader) if !reader.own.is_empty() => Some(Arc::clone(&self.turn).acquire_owned().await.map_err(kernel::Error::internal)?),
            _ => None,
        };
        let docs = Arc::clone(self);
        let work = move || {
            let rendered = reader.map_or_else(|| docs.whole(), |reader| docs.for_reader(&reader));
            let made = make(&docs, &rendered);
            drop(turn);
            made
        };
        tokio::task::spawn_blocking(work).await.map_err(kernel::Error::internal)
    }

    fn kept(&self, may: &[bool]) -> Option<Arc<Rendered>> {
        let kept = self.personal.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == may).map(|(_, made)| Arc::clone(made))
    }

    fn keep(&self, may: Vec<bool>, made: &Arc<Rendered>) {
        let mut kept = self.personal.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((may, Arc::clone(made)));
    }
}

/// A group's name in addresses: `API clients` to `api-clients`.
fn slug(tag: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    tag.chars().map(plain).collect()
}
