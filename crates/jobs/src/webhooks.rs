//! The webhook that a job asks for itself: a destination of the delivery engine for each client and address, so that signing, retries, breakers
//! and the delivery log are those of all webhooks.

use dispatch::destinations::{self, DestinationUpdate, NewDestination};
use dispatch::http::{Auth, Content, HttpConfig, SecretEntry, SignatureForm};
use dispatch::{Policy, http};
use kernel::{ClientId, DestinationId, Error, FieldError, Kind as Failed, Result, TenantId, Timestamp};
use serde_json::Value;
use store::Tx;
use web::signature::WebhookSecret;

use crate::Jobs;
use crate::catalogue::Kind;

/// Most addresses of a client.
const MAX_PER_CLIENT: i64 = 100;
/// An address that was not used for so long goes.
const KEPT: std::time::Duration = std::time::Duration::from_hours(24 * 60);
/// How long a secret still signs after another took its place.
const OVERLAP: std::time::Duration = std::time::Duration::from_hours(24);
/// Most secrets at once.
const MAX_SECRETS: usize = 4;

/// An address that was judged, and how it is to be treated.
pub(crate) struct Address {
    pub(crate) url: String,
    config: Value,
    policy: Policy,
    /// As the caller gave it.
    given: Option<WebhookSecret>,
    /// Its own secret, if there is none yet.
    fresh: WebhookSecret,
}

/// 422: somebody must own the destination.
pub(crate) fn client_required() -> Error {
    let detail = "A webhook belongs to an API client: use a key of the client, or name it by clientId.";
    Error::invalid("client_required", detail).at("/webhookUrl", "belongs to no client")
}

impl Jobs {
    /// Judges an address. Errors: 422 `url_refused`, `invalid_webhook_secret`.
    pub(crate) async fn address(&self, kind: &Kind, url: String, secret: Option<&str>) -> Result<Address> {
        let given = secret.map(WebhookSecret::parse).transpose().map_err(|error| error.at("/webhookSecret", "is not a webhook secret"))?;
        let fresh = WebhookSecret::generate(&self.ambient);
        let config = config(&url, given.as_ref().unwrap_or(&fresh), self.ambient.now())?;
        let config = self.around.dispatch.channel(http::NAME)?.check(&config).await.map_err(explain)?;
        let (own, product) = (&kind.declared.webhook, &self.blueprint.webhooks);
        let usual = Policy::default();
        let schedule_ms = own.retry_schedule_ms.clone().or_else(|| product.retry_schedule_ms.clone()).unwrap_or(usual.schedule_ms);
        let policy = Policy { schedule_ms, timeout_ms: own.timeout_ms.unwrap_or(product.timeout_ms), ..Policy::default() };
        Ok(Address { url, config, policy, given, fresh })
    }

    /// Deletes addresses that nobody has used for long; answers how many.
    pub(crate) fn forget_addresses(tx: &mut Tx<'_>) -> Result<u64> {
        let before = tx.now().minus(KEPT);
        let sql = "SELECT tenant_id, client_id, address, destination_id FROM job_webhooks WHERE used_at < ?1 ORDER BY used_at LIMIT 100";
        let old = tx.query(sql, &[before.into()], |row| {
            Ok((row.get::<TenantId>(0)?, row.get::<ClientId>(1)?, row.get::<String>(2)?, row.get::<DestinationId>(3)?))
        })?;
        for (tenant, client, address, destination) in &old {
            let sql = "DELETE FROM job_webhooks WHERE tenant_id = ?1 AND client_id = ?2 AND address = ?3";
            tx.exec(sql, &[(*tenant).into(), (*client).into(), address.into()])?;
            match destinations::delete(tx, *tenant, *destination) {
                Err(error) if error.kind() != Failed::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(old.len() as u64)
    }
}

fn config(url: &str, secret: &WebhookSecret, now: Timestamp) -> Result<Value> {
    let entry = SecretEntry { secret: secret.text().reveal().clone(), expires_at: None, created_at: Some(now) };
    let config = HttpConfig {
        url: url.to_owned(),
        method: "POST".to_owned(),
        headers: std::collections::BTreeMap::new(),
        secrets: vec![entry],
        auth: Auth::None,
        signature: SignatureForm::V1,
        ca_certificate: None,
        transform: None,
        content: Content::Full,
        destination: None,
    };
    serde_json::to_value(config).map_err(Error::internal)
}

/// The channel's faults where they stand in a job.
fn explain(error: Error) -> Error {
    if error.kind() != Failed::Invalid {
        return error;
    }
    let fields =
        error.fields().iter().map(|field| FieldError { pointer: "/webhookUrl".to_owned(), detail: field.detail.clone() }).collect();
    let code = if error.code().starts_with("url_") { "url_refused" } else { error.code() };
    Error::invalid(code, error.detail().to_owned()).with_fields(fields)
}

/// The destination for an address, made where there is none; with it the secret, where it was made by us just now.
pub(crate) fn destination(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    client: ClientId,
    address: &Address,
) -> Result<(DestinationId, Option<String>)> {
    let now = tx.now();
    let policy = serde_json::to_string(&address.policy).map_err(Error::internal)?;
    let key = blake3::hash(format!("{}\n{policy}", address.url).as_bytes()).to_hex().to_string();
    let params = [tenant.into(), client.into(), key.as_str().into(), now.into()];
    let sql = "UPDATE job_webhooks SET used_at = ?4 WHERE tenant_id = ?1 AND client_id = ?2 AND address = ?3 RETURNING destination_id";
    let known = tx.query_opt(sql, &params, |row| row.get::<DestinationId>(0))?;
    if let Some(id) = known {
        match (&address.given, destinations::get(tx, tenant, id)) {
            (Some(given), Ok(present)) => sign_with(tx, tenant, id, &present.config, given)?,
            (_, Err(error)) if error.kind() != Failed::NotFound => return Err(error),
            (None, Ok(_)) => {}
            // Its client was made anew under the same id, or somebody deleted it.
            (_, Err(_)) => return make(tx, tenant, client, address, &key),
        }
        return Ok((id, None));
    }
    let count = "SELECT COUNT(*) FROM job_webhooks WHERE tenant_id = ?1 AND client_id = ?2";
    if tx.query_one(count, &params[..2], |row| row.get::<i64>(0))? >= MAX_PER_CLIENT {
        let detail =
            format!("Jobs of a client tell their end at {MAX_PER_CLIENT} addresses at most. Use one address; the body names the job.");
        return Err(Error::conflict("too_many_job_webhooks", detail).at("/webhookUrl", "is one more"));
    }
    make(tx, tenant, client, address, &key)
}

fn make(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId, address: &Address, key: &str) -> Result<(DestinationId, Option<String>)> {
    let id: DestinationId = tx.ambient().id();
    let (config, policy) = (address.config.clone(), address.policy.clone());
    destinations::create(tx, NewDestination { id, tenant, client, channel: http::NAME.to_owned(), config, policy })?;
    let now = tx.now();
    tx.exec(
        "INSERT INTO job_webhooks (tenant_id, client_id, address, destination_id, used_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant_id, client_id, address) DO UPDATE SET destination_id = excluded.destination_id, used_at = excluded.used_at",
        &[tenant.into(), client.into(), key.into(), id.into(), now.into()],
    )?;
    tx.audit_with("job_webhook.create", id, &serde_json::json!({ "url": address.url }))?;
    let shown = address.given.is_none().then(|| address.fresh.text().reveal().clone());
    Ok((id, shown))
}

/// The caller's own secret signs from now on; the others for a while yet.
fn sign_with(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId, present: &Value, given: &WebhookSecret) -> Result<()> {
    let (now, text) = (tx.now(), given.text().reveal());
    let mut config = HttpConfig::read(present)?;
    if config.secrets.first().is_some_and(|first| first.secret == *text) {
        return Ok(());
    }
    let until = now.plus(OVERLAP);
    let newest = SecretEntry { secret: text.clone(), expires_at: None, created_at: Some(now) };
    let others = config.secrets.into_iter().filter(|entry| entry.secret != *text);
    let others = others.map(|entry| SecretEntry { expires_at: Some(entry.expires_at.map_or(until, |at| at.min(until))), ..entry });
    let valid = others.filter(|entry| entry.expires_at.is_some_and(|at| at > now));
    config.secrets = std::iter::once(newest).chain(valid).take(MAX_SECRETS).collect();
    let config = serde_json::to_value(config).map_err(Error::internal)?;
    destinations::update(tx, tenant, id, DestinationUpdate { config: Some(config), policy: None })?;
    tx.audit("job_webhook.replace_secret", id)
}
