//! What another feature has worked out about a principal.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

/// A place on a principal for what another feature has worked out about it (its limits): kept for exactly as long as the principal, so that
/// nobody needs a second cache and its invalidation. A copy of a principal begins with an empty one.
#[derive(Default)]
pub struct Attached(ArcSwapOption<Arc<dyn Any + Send + Sync>>);

impl Attached {
    /// What is there, if it is a `T`.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let there = self.0.load();
        Arc::clone(there.as_deref()?).downcast().ok()
    }

    /// Puts `value` in place of what was there.
    pub fn set<T: Any + Send + Sync>(&self, value: Arc<T>) {
        let value: Arc<dyn Any + Send + Sync> = value;
        self.0.store(Some(Arc::new(value)));
    }
}

impl Clone for Attached {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attached")
    }
}
