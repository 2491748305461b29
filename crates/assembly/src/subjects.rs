//! Clients and keys belong to `access`, beside `usage`.

use kernel::{ClientId, IdRef, KeyId, Result, TenantId};
use store::Tx;
use usage::{KeySubject, Subjects};

/// Who is who, as `access` knows it.
pub(crate) struct AccessSubjects;

impl Subjects for AccessSubjects {
    fn client(&self, tx: &mut Tx<'_>, tenant: TenantId, reference: &IdRef<ClientId>) -> Result<ClientId> {
        access::clients::resolve(tx, tenant, reference)
    }

    fn key(&self, tx: &mut Tx<'_>, tenant: TenantId, key: KeyId) -> Result<KeySubject> {
        access::keys::line(tx, tenant, key).map(|(client, line)| KeySubject { client, line })
    }
}
