//! What features do when tenants and clients come and go, in the same transaction.

use kernel::{ClientId, EventId, Result, TenantId, UserId};

use crate::Tx;

/// What is to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A whole tenant.
    Tenant,
    /// One client and what belongs to it.
    Client(ClientId),
    /// One event.
    Event(EventId),
}

/// A feature's part in the life of tenants and clients. The binary wires them in an explicit list.
pub trait Lifecycle: Send + Sync {
    /// A tenant was made.
    fn tenant_created(&self, tx: &mut Tx<'_>, tenant: TenantId, name: &str) -> Result<()> {
        let _ = (tx, tenant, name);
        Ok(())
    }

    /// A client was made.
    fn client_created(&self, tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<()> {
        let _ = (tx, tenant, client);
        Ok(())
    }

    /// A person is no longer a member of a tenant, or may not act as one: they left, were removed, suspended or deleted.
    fn member_left(&self, tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Result<()> {
        let _ = (tx, tenant, user);
        Ok(())
    }

    /// Everything of `subject` goes.
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        let _ = (tx, tenant, subject);
        Ok(())
    }
}
