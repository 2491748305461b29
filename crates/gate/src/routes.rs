//! The routes that the gate itself serves.

use std::sync::Arc;

use kernel::Permission::{ClientsRead, KeysRead};
use web::Access::{AnyCredential, Permission};
use web::{Api, Endpoint};

use crate::Gate;
use crate::quota_uses::{self, QuotaUses};
use crate::verify::{self, Verified, VerifyKey};
use crate::whoami::{self, WhoAmI};

const VERIFY: &str = "/api/v1/api-keys/verify";
const CLIENT_QUOTA: &str = "/api/v1/api-clients/{id}/quota";
const KEY_QUOTA: &str = "/api/v1/api-keys/{id}/quota";
const WHOAMI: &str = "/api/v1/whoami";
/// Largest body of a verification, in bytes.
const MAX_BODY: usize = 64 * 1024;

#[rustfmt::skip]
pub(crate) fn routes(gate: &Arc<Gate>) -> Api {
    let s = || Arc::clone(gate);
    Api::new()
        .route(Endpoint::post(VERIFY, "keys.verify").tag("API keys").summary("Verify a key and count the use, for hosts that keep their own gateway")
            .needs(AnyCredential).idempotent(false).body_limit(MAX_BODY).body::<VerifyKey>().answers::<Verified>(200), verify::handle, s())
        .route(Endpoint::get(WHOAMI, "keys.whoami").tag("API keys").summary("Which credential this is, and how its limits stand")
            .needs(AnyCredential).answers::<WhoAmI>(200), whoami::handle, s())
        .route(Endpoint::get(CLIENT_QUOTA, "clients.quota").tag("API clients").summary("What a client has used of its monthly quota, and when it refills")
            .needs(Permission(ClientsRead)).answers::<QuotaUses>(200), quota_uses::of_client, s())
        .route(Endpoint::get(KEY_QUOTA, "keys.quota").tag("API keys").summary("What was used of the monthly quotas that bind a key, and when they refill")
            .needs(Permission(KeysRead)).answers::<QuotaUses>(200), quota_uses::of_key, s())
}
