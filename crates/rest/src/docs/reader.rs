//! Who reads the documentation with a credential.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;
use kernel::Result;
use web::Endpoint;

/// A credential's holder.
pub struct Reader {
    may_call: Box<dyn Fn(&Endpoint) -> bool + Send + Sync>,
    pub(super) own: Vec<Arc<Endpoint>>,
}

impl Reader {
    /// `may_call` says whether the holder may call an endpoint; `own` are endpoints that only its tenant has.
    pub fn new(may_call: impl Fn(&Endpoint) -> bool + Send + Sync + 'static, own: Vec<Arc<Endpoint>>) -> Self {
        Self { may_call: Box::new(may_call), own }
    }

    pub(super) fn may_call(&self, endpoint: &Endpoint) -> bool {
        (self.may_call)(endpoint)
    }
}

/// What becomes of looking at a request: nobody in particular, somebody, or a refusal.
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<Option<Reader>>> + Send + 'a>>;

/// Finds out who reads.
pub type Readers = Arc<dyn for<'a> Fn(&'a Parts) -> Reading<'a> + Send + Sync>;
