//! The whole HTTP surface of this feature.

use std::sync::Arc;

use kernel::Permission::{ClientsRead, ClientsWrite, KeysRead, KeysWrite};
use web::Access::{AnyCredential, Operator, Permission, Public};
use web::{Api, Endpoint};

use crate::clients::{Client, ClientInput, ClientWithSecret, RotateClientSecret, UpdateClient};
use crate::keys::{ClaimedKey, CreateKey, ImportKey, Key, KeyWithToken, RotateKey, UpdateKey};
use crate::leaks::{Feedback, LeakReport, ReportAnswer};
use crate::rate_limits::{ReplaceTier, TierLimits, TierMap};
use crate::scopes::ScopeList;
use crate::tenants::{CreateTenant, Tenant, UpdateTenant};
use crate::{Access, clients, keys, leaks, rate_limits, scopes, tenants};

const TENANTS: &str = "/api/v1/tenants";
const TENANT: &str = "/api/v1/tenants/{id}";
const CLIENTS: &str = "/api/v1/api-clients";
const CLIENT: &str = "/api/v1/api-clients/{id}";
const CLIENT_SECRET: &str = "/api/v1/api-clients/{id}/rotate-secret";
const CLIENT_KEYS: &str = "/api/v1/api-clients/{id}/api-keys";
const CLIENT_KEY: &str = "/api/v1/api-clients/{id}/api-keys/{keyId}";
const KEYS: &str = "/api/v1/api-keys";
const KEY: &str = "/api/v1/api-keys/{id}";
const KEY_ROTATE: &str = "/api/v1/api-keys/{id}/rotate";
const KEY_CLAIM: &str = "/api/v1/api-keys/{id}/claim";
const KEY_IMPORT: &str = "/api/v1/api-keys/import";
const KEY_LEAKED: &str = "/api/v1/api-keys/leaked";
const SECRET_SCANNING: &str = "/secret-scanning/github";
const SCOPES: &str = "/api/v1/scopes";
const TIERS: &str = "/api/v1/rate-limits";
const TIER: &str = "/api/v1/rate-limits/{tier}";

const TENANT_FILTER: &[(&str, &str)] = &[("status", "Only active or suspended ones"), ("search", "Part of the name or slug")];
const CLIENT_FILTER: &[(&str, &str)] = &[
    ("status", "Only active or suspended ones"),
    ("rateLimitTier", "Only those of this tier"),
    ("contactEmail", "Only those with this contact"),
    ("search", "Part of the name or e-mail address"),
];

#[rustfmt::skip]
pub(crate) fn routes(access: &Arc<Access>) -> Api {
    let (read_c, write_c, read_k, write_k) = (Permission(ClientsRead), Permission(ClientsWrite), Permission(KeysRead), Permission(KeysWrite));
    let s = || Arc::clone(access);
    Api::new()
        .route(tenant(Endpoint::post(TENANTS, "tenants.create"), "Make a tenant").body::<CreateTenant>().answers::<Tenant>(201), tenants::create, s())
        .route(tenant(Endpoint::get(TENANTS, "tenants.list"), "List tenants").query(TENANT_FILTER).paged().answers_page::<Tenant>(), tenants::list, s())
        .route(tenant(Endpoint::get(TENANT, "tenants.get"), "Read a tenant").answers::<Tenant>(200), tenants::get, s())
        .route(tenant(Endpoint::patch(TENANT, "tenants.update"), "Change a tenant").body::<UpdateTenant>().answers::<Tenant>(200), tenants::update, s())
        .route(tenant(Endpoint::delete(TENANT, "tenants.delete"), "Remove a tenant and all of it").answers_nothing(), tenants::delete, s())

        .route(client(Endpoint::post(CLIENTS, "clients.create"), "Make an API client", &write_c).body::<ClientInput>().answers::<ClientWithSecret>(201), clients::create, s())
        .route(client(Endpoint::get(CLIENTS, "clients.list"), "List API clients", &read_c).query(CLIENT_FILTER).paged().answers_page::<Client>(), clients::list, s())
        .route(client(Endpoint::get(CLIENT, "clients.get"), "Read an API client", &read_c).answers::<Client>(200), clients::get, s())
        .route(client(Endpoint::put(CLIENT, "clients.replace"), "Replace an API client", &write_c).body::<ClientInput>().answers::<Client>(200), clients::replace, s())
        .route(client(Endpoint::patch(CLIENT, "clients.update"), "Change an API client", &write_c).body::<UpdateClient>().answers::<Client>(200), clients::update, s())
        .route(client(Endpoint::delete(CLIENT, "clients.delete"), "Remove an API client with its keys", &write_c).answers_nothing(), clients::delete, s())
        .route(client(Endpoint::post(CLIENT_SECRET, "clients.rotate_secret"), "Give it a new secret", &write_c).body::<RotateClientSecret>().body_may_be_absent().answers::<ClientWithSecret>(200), clients::rotate_secret, s())

        .route(key(Endpoint::get(CLIENT_KEYS, "keys.list"), "List a client's keys", &read_k).paged().answers_page::<Key>(), keys::list, s())
        .route(key(Endpoint::delete(CLIENT_KEY, "keys.revoke_of_client"), "Revoke a client's key", &write_k).answers_nothing(), keys::revoke_of_client, s())
        .route(key(Endpoint::post(KEYS, "keys.create"), "Make a key", &write_k).body::<CreateKey>().answers::<KeyWithToken>(201), keys::create, s())
        .route(key(Endpoint::get(KEY, "keys.get"), "Read a key", &read_k).answers::<Key>(200), keys::get, s())
        .route(key(Endpoint::patch(KEY, "keys.update"), "Change a key", &write_k).body::<UpdateKey>().answers::<Key>(200), keys::update, s())
        .route(key(Endpoint::delete(KEY, "keys.revoke"), "Revoke a key", &write_k).answers_nothing(), keys::revoke, s())
        .route(key(Endpoint::post(KEY_ROTATE, "keys.rotate"), "Replace a key by a new one", &write_k).body::<RotateKey>().answers::<KeyWithToken>(201), keys::rotate, s())

        .route(key(Endpoint::post(KEY_CLAIM, "keys.claim"), "Fetch the secrets of a key that was made after a leak", &write_k).answers::<ClaimedKey>(200), keys::claim, s())
        .route(key(Endpoint::post(KEY_IMPORT, "keys.import"), "Take a key of another system over, by its hash", &Operator).body::<ImportKey>().answers::<Key>(201), keys::import, s())
        .route(key(Endpoint::post(KEY_LEAKED, "keys.report_leaks"), "Report leaked keys", &Operator).body::<LeakReport>().answers::<ReportAnswer>(200), leaks::report, s())
        .route(key(Endpoint::post(SECRET_SCANNING, "keys.secret_scanning"), "Where GitHub's secret scanning reports leaked keys, signed", &Public).idempotent(false).fails(&[400, 401, 404, 413]).answers::<Vec<Feedback>>(200), leaks::github, s())

        .route(Endpoint::get(SCOPES, "scopes.list").tag("Scopes").summary("List the scopes").needs(AnyCredential).answers::<ScopeList>(200), scopes::list_scopes, s())
        .route(Endpoint::get(TIERS, "rate_limits.list").tag("Rate limits").summary("List the tiers").needs(AnyCredential).answers::<TierMap>(200), rate_limits::list, s())
        .route(Endpoint::put(TIER, "rate_limits.replace").tag("Rate limits").summary("Set a tier's limits").needs(Operator).body::<ReplaceTier>().answers::<TierLimits>(200), rate_limits::replace, s())
}

fn tenant(endpoint: Endpoint, summary: &str) -> Endpoint {
    endpoint.tag("Tenants").summary(summary).needs(Operator)
}

fn client(endpoint: Endpoint, summary: &str, access: &web::Access) -> Endpoint {
    endpoint.tag("API clients").summary(summary).needs(access.clone())
}

fn key(endpoint: Endpoint, summary: &str, access: &web::Access) -> Endpoint {
    endpoint.tag("API keys").summary(summary).needs(access.clone())
}
