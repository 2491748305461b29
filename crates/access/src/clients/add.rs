//! A new client in a transaction of somebody else's: dynamic registration stores more with it.

use std::sync::Arc;

use kernel::{Caller, Result, TenantId};
use store::Tx;

use super::fields::Fields;
use super::{ClientInput, ClientWithSecret};
use crate::Access;

/// A client whose fields were found right.
pub struct CheckedClient(Fields);

impl Access {
    /// Checks what `caller` wants a client to be. Errors: those of [`Access::create_client`] but for conflicts.
    pub fn check_client(&self, caller: &Caller, input: ClientInput) -> Result<CheckedClient> {
        let fields = Fields::of(input, None, &self.blueprint)?;
        fields.check(caller, None, &self.blueprint)?;
        Ok(CheckedClient(fields))
    }

    /// Makes it, in a transaction of `tenant`. Errors: 409 `external_id_taken`; those of the store.
    pub fn add_client(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        caller: &Caller,
        tenant: TenantId,
        client: CheckedClient,
    ) -> Result<ClientWithSecret> {
        self.insert_client(tx, caller, tenant, client.0)
    }
}
