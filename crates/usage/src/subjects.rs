//! Who is who among clients and keys. They belong to `access`, beside this crate; the binary wires the two.

use kernel::{ClientId, IdRef, KeyId, Result, TenantId};
use store::Tx;

/// A key and those that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySubject {
    /// Its client.
    pub client: ClientId,
    /// The key, and every key of its line: those that it was rotated from, and those it was rotated to.
    pub line: Vec<KeyId>,
}

/// Finds clients and keys of a tenant. Runs on the state.
pub trait Subjects: Send + Sync {
    /// The client that a path names. Error: 404.
    fn client(&self, tx: &mut Tx<'_>, tenant: TenantId, reference: &IdRef<ClientId>) -> Result<ClientId>;

    /// The key that a path names. Error: 404.
    fn key(&self, tx: &mut Tx<'_>, tenant: TenantId, key: KeyId) -> Result<KeySubject>;
}
