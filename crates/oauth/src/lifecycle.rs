//! What goes with tenants and clients. What a client was granted by other tenants is not theirs to remove in this transaction: it opens nothing
//! for want of a client, and goes right after ([`crate::Oauth::end_orphans`]).

use kernel::{Result, TenantId, UserId};
use store::{Lifecycle, Subject, Tx};

use crate::{Oauth, clients, codes, consents, device, grants};

/// The feature's part, which needs nothing of a running one: `access` is made before it.
struct Gone;

impl Lifecycle for Gone {
    /// What somebody allowed in a tenant ends with their place there. Their tokens are refused already, for want of a membership.
    fn member_left(&self, tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Result<()> {
        codes::sql::forget(tx, tenant, user, None)?;
        device::sql::take_back(tx, tenant, user, None)?;
        grants::sql::end_all(tx, tenant, user, "member_left")?;
        consents::sql::forget(tx, tenant, user)
    }

    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        let client = match subject {
            Subject::Tenant => None,
            Subject::Client(client) => Some(*client),
            Subject::Event(_) => return Ok(()),
        };
        codes::sql::purge(tx, tenant, client)?;
        grants::sql::purge(tx, tenant, client)?;
        consents::sql::purge(tx, tenant, client)?;
        clients::sql::purge(tx, tenant, client)
    }
}

impl Oauth {
    /// What the binary puts among the lifecycles of `access`.
    pub fn lifecycle() -> std::sync::Arc<dyn Lifecycle> {
        std::sync::Arc::new(Gone)
    }
}
