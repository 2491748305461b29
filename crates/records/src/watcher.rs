//! Who is told of every change, inside its transaction: the synchronisation's outbox.

use std::sync::Arc;

use kernel::{RecordId, Result, TenantId};
use store::Tx;

use crate::{Records, Task};

/// Is told of every record that was made, changed or deleted, in the transaction of the change: what it writes commits or fails with it.
pub trait Watcher: Send + Sync {
    /// These records of one resource type are not what they were; `gone`: they are not there any more. `origin`: who changed them, where that was a feature that says so
    /// ([`Records::of_origin`]), so that it does not hear its own echo.
    ///
    /// Errors: whatever must keep the change from happening.
    fn changed(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        resource: &str,
        records: &[RecordId],
        gone: bool,
        origin: Option<&str>,
    ) -> Result<()>;
}

impl Records {
    /// Names who is told of changes. Only the first counts: it is set once, at start.
    pub fn set_watcher(&self, watcher: Arc<dyn Watcher>) {
        let _ = self.around.watcher.set(watcher);
    }

    /// The same records; what is changed through this handle says that `origin` changed it.
    #[must_use]
    pub fn of_origin(&self, origin: impl Into<Arc<str>>) -> Self {
        Self { origin: Some(origin.into()), ..self.clone() }
    }
}

impl Task {
    /// Tells the watcher, if there is one.
    pub(crate) fn tell(&self, tx: &mut Tx<'_>, ids: &[RecordId], gone: bool) -> Result<()> {
        match self.around.watcher.get() {
            Some(watcher) if !ids.is_empty() => {
                watcher.changed(tx, self.tenant, self.resource_type.name(), ids, gone, self.origin.as_deref())
            }
            _ => Ok(()),
        }
    }
}
