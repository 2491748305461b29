//! The way from a tool to the endpoint behind it.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::Router;

/// The router that is served now. The binary puts it here when it has been built; a server that reads its blueprint again puts the next one.
#[derive(Clone, Default)]
pub struct Inside(Arc<ArcSwapOption<Router>>);

impl Inside {
    /// Calls go to this one from now on.
    pub fn set(&self, router: Router) {
        self.0.store(Some(Arc::new(router)));
    }

    /// The present one, if there is one yet.
    pub(crate) fn router(&self) -> Option<Router> {
        self.0.load_full().map(|router| Router::clone(&router))
    }
}
