//! Operations of the native API that a product may serve under names of its own.

use serde_json::{Map, Value};

use kernel::Permission;

/// What an endpoint with the operation `manage` does.
#[derive(Clone, Debug)]
pub struct ManageCall {
    /// Which operation.
    pub managed: &'static Managed,
    /// The client that it acts for, made at first use; none: the caller's own.
    pub client: Option<ManagedClient>,
    /// The product's names of body members and ours, which may lead inside: `retry_delay`, `retryConfig.retryDelay`.
    pub body: Vec<(String, String)>,
    /// Members of our body that are always the same.
    pub fixed: Map<String, Value>,
    /// JSON Schema of the body in the product's names, beside our own rules.
    pub schema: Option<Value>,
    /// Query parameters.
    pub query: Vec<ManagedQuery>,
    /// Which sorts of credential may call it; empty: all.
    pub credentials: Vec<CredentialKind>,
}

/// The client that self-service acts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedClient {
    /// Its `externalId`: `portal`.
    pub external_id: String,
    /// Its name when it is made.
    pub name: String,
}

/// A query parameter under a name of the product's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedQuery {
    /// The product's name.
    pub name: String,
    /// Ours.
    pub native: String,
    /// Its value when it is absent.
    pub default: Option<String>,
    /// The values that it may have; empty: any that we take.
    pub allowed: Vec<String>,
}

/// A sort of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// An API key or an access token.
    Partner,
    /// A person in the portal.
    Session,
    /// A service key.
    ServiceKey,
}

/// Where an operation of the native API names the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientPlace {
    /// It does not.
    None,
    /// First in the path.
    Path,
    /// In the body, as `clientId`.
    Body,
    /// In the query, as `clientId`.
    Query,
}

/// An operation of the native API that may be served under names of the product's own.
#[derive(Debug)]
pub struct Managed {
    /// The id of the operation in the native API's OpenAPI document: `keys.create`.
    pub id: &'static str,
    /// The methods under which a product may serve it; the native one first.
    pub methods: &'static [&'static str],
    /// Where it names the client.
    pub client: ClientPlace,
    /// How many things its path names, the client aside.
    pub names: usize,
    /// Members of its body.
    pub body: &'static [&'static str],
    /// Its query parameters.
    pub query: &'static [&'static str],
    /// What it takes.
    pub permission: Permission,
}

impl Managed {
    /// The operation of this id.
    pub fn find(id: &str) -> Option<&'static Self> {
        MANAGED.iter().find(|managed| managed.id == id)
    }
}

const PAGE: &[&str] = &["limit", "cursor", "page"];
const USAGE: &[&str] = &["dateFrom", "dateTo", "period", "groupBy", "endpoint", "status"];
const DELIVERIES: &[&str] =
    &["status", "reason", "eventType", "eventId", "webhookId", "clientId", "from", "to", "code", "limit", "cursor", "page"];
const KEY: &[&str] = &[
    "name",
    "scopes",
    "environment",
    "expiresAt",
    "expiresInDays",
    "allowedIps",
    "allowedEndpoints",
    "rateLimitOverride",
    "monthlyQuota",
    "rotationFrequencyDays",
    "notes",
    "metadata",
];
const KEY_CHANGE: &[&str] = &[
    "name",
    "scopes",
    "expiresAt",
    "allowedIps",
    "allowedEndpoints",
    "rateLimitOverride",
    "monthlyQuota",
    "rotationFrequencyDays",
    "notes",
    "metadata",
    "enabled",
];
const WEBHOOK: &[&str] = &[
    "url",
    "events",
    "name",
    "description",
    "filter",
    "transform",
    "content",
    "channels",
    "auth",
    "signature",
    "caCertificate",
    "httpMethod",
    "customHeaders",
    "retryConfig",
    "rateLimitPerSecond",
    "ordered",
    "orderingKeyPath",
    "expiresAfterSeconds",
    "enabled",
    "destination",
];

/// Every one of them.
#[rustfmt::skip]
pub static MANAGED: &[Managed] = &[
    one("keys.create", &["POST"], ClientPlace::Body, 0, KEY, &[], Permission::KeysWrite),
    one("keys.list", &["GET"], ClientPlace::Path, 0, &[], PAGE, Permission::KeysRead),
    one("keys.get", &["GET"], ClientPlace::None, 1, &[], &[], Permission::KeysRead),
    one("keys.update", &["PATCH", "PUT"], ClientPlace::None, 1, KEY_CHANGE, &[], Permission::KeysWrite),
    one("keys.rotate", &["POST"], ClientPlace::None, 1, &["gracePeriodSeconds"], &[], Permission::KeysWrite),
    one("keys.revoke", &["DELETE", "POST"], ClientPlace::None, 1, &[], &[], Permission::KeysWrite),
    one("keys.revoke_of_client", &["DELETE", "POST"], ClientPlace::Path, 1, &[], &[], Permission::KeysWrite),
    one("keys.usage", &["GET"], ClientPlace::None, 1, &[], USAGE, Permission::UsageRead),
    one("clients.usage", &["GET"], ClientPlace::Path, 0, &[], USAGE, Permission::UsageRead),
    one("usage.get", &["GET"], ClientPlace::Query, 0, &[], USAGE, Permission::UsageRead),
    one("request_logs.list", &["GET"], ClientPlace::Query, 0, &[], &["apiKeyId", "endpoint", "method", "status", "errorCode", "environment", "ip", "from", "to", "limit", "cursor", "page"], Permission::UsageRead),
    one("webhooks.create", &["POST"], ClientPlace::Path, 0, WEBHOOK, &[], Permission::WebhooksWrite),
    one("webhooks.list", &["GET"], ClientPlace::Path, 0, &[], PAGE, Permission::WebhooksRead),
    one("clients.webhooks.get", &["GET"], ClientPlace::Path, 1, &[], &[], Permission::WebhooksRead),
    one("clients.webhooks.replace", &["PUT"], ClientPlace::Path, 1, WEBHOOK, &[], Permission::WebhooksWrite),
    one("clients.webhooks.update", &["PATCH", "PUT"], ClientPlace::Path, 1, WEBHOOK, &[], Permission::WebhooksWrite),
    one("clients.webhooks.delete", &["DELETE"], ClientPlace::Path, 1, &[], &[], Permission::WebhooksWrite),
    one("clients.webhooks.test", &["POST"], ClientPlace::Path, 1, &[], &[], Permission::WebhooksWrite),
    one("clients.webhooks.rotate_secret", &["POST"], ClientPlace::Path, 1, &["overlapSeconds"], &[], Permission::WebhooksWrite),
    one("clients.webhooks.enable", &["POST"], ClientPlace::Path, 1, &[], &[], Permission::WebhooksWrite),
    one("clients.webhooks.disable", &["POST"], ClientPlace::Path, 1, &[], &[], Permission::WebhooksWrite),
    one("clients.webhooks.pause", &["POST"], ClientPlace::Path, 1, &[], &[], Permission::WebhooksWrite),
    one("clients.webhooks.resume", &["POST"], ClientPlace::Path, 1, &[], &[], Permission::WebhooksWrite),
    one("clients.webhooks.stats", &["GET"], ClientPlace::Path, 1, &[], &["from", "to"], Permission::WebhooksRead),
    one("clients.webhooks.deliveries", &["GET"], ClientPlace::Path, 1, &[], DELIVERIES, Permission::WebhooksRead),
    one("deliveries.list", &["GET"], ClientPlace::Query, 0, &[], DELIVERIES, Permission::WebhooksRead),
    one("deliveries.get", &["GET"], ClientPlace::None, 1, &[], &[], Permission::WebhooksRead),
    one("deliveries.attempts", &["GET"], ClientPlace::None, 1, &[], &[], Permission::WebhooksRead),
    one("deliveries.retry", &["POST"], ClientPlace::None, 1, &[], &[], Permission::WebhooksWrite),
    one("clients.get", &["GET"], ClientPlace::Path, 0, &[], &[], Permission::ClientsRead),
    one("clients.update", &["PATCH", "PUT"], ClientPlace::Path, 0, &["name", "description", "redirectUris", "website", "logoUrl", "contactEmail", "metadata", "allowedOrigins"], &[], Permission::ClientsWrite),
];

const fn one(
    id: &'static str,
    methods: &'static [&'static str],
    client: ClientPlace,
    names: usize,
    body: &'static [&'static str],
    query: &'static [&'static str],
    permission: Permission,
) -> Managed {
    Managed { id, methods, client, names, body, query, permission }
}
