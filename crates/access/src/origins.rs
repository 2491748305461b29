//! The origins that any client allows, in memory: what a preflight, which carries no credential, is answered by.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use kernel::{Result, Scope};
use tokio::sync::Notify;

use crate::{Access, clients};

/// A snapshot, and the word that it is old.
#[derive(Default)]
pub(crate) struct Origins {
    known: ArcSwap<HashSet<String>>,
    changed: Arc<Notify>,
}

impl Origins {
    /// Told when a client may have changed.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }
}

impl Access {
    pub(crate) async fn reload_origins(&self) -> Result<()> {
        let lists = self.store.read(Scope::system("access"), clients::sql::allowed_origins).await?;
        self.origins.known.store(Arc::new(lists.into_iter().flatten().collect()));
        Ok(())
    }
}

impl web::Origins for Access {
    /// Of active clients. Whose credential a call then carries decides what its answer says ([`crate::Principal::origin_allowed`]).
    fn is_known(&self, origin: &str) -> bool {
        self.origins.known.load().contains(origin)
    }
}
