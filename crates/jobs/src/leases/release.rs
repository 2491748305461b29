//! Handing a lease back: the server that called a host stops. The attempt does not count.

use std::sync::Arc;

use kernel::{JobId, Result};

use super::Token;
use crate::mirror::Standing;
use crate::{Jobs, TOPIC};

const RELEASE: &str = "UPDATE jobs SET state = 'ready', attempts = attempts - 1, lease = NULL, lease_until = NULL \
                       WHERE tenant_id = ?1 AND id = ?2 AND state = 'processing' AND epoch = ?3 AND lease = ?4";

impl Jobs {
    /// The job is ready again, at once.
    pub(crate) async fn release(self: &Arc<Self>, id: JobId, token: Token) -> Result<()> {
        let jobs = Arc::clone(self);
        let scope = Self::system(token.tenant);
        self.store
            .write(scope.clone(), move |tx| {
                let params = [token.tenant.into(), id.into(), token.epoch.into(), token.nonce.as_str().into()];
                if tx.exec(RELEASE, &params)? > 0 {
                    tx.notify(TOPIC, &token.kind);
                    jobs.mirror_in(tx, &scope, id, Standing::Pending)?;
                }
                Ok(())
            })
            .await
    }
}
