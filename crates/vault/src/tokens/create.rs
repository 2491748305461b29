//! `oauth_tokens.create`: a grant that the host already has. And how a grant becomes a row, wherever it comes from.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use kernel::{Caller, Error, OauthTokenId, Permission, Result, Secret, TenantId, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::Tx;

use super::{MAX_PER_TENANT, OauthToken, Revocation, Row, Sealed, Status, get_row, sql};
use crate::apps::AppInput;
use crate::exchange::pointed;
use crate::holding::{api_base, keep_alive_at};
use crate::providers::{self, Provider, ProviderDefinition, Settings};
use crate::{TOPIC, Vault, report};

/// Longest token that is taken, in bytes.
const MAX_TOKEN: usize = 16 * 1024;
/// Largest metadata, as JSON.
const MAX_METADATA: usize = 16 * 1024;

/// Tokens that the host has.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOauthToken {
    /// The vendor: `salesforce`, …, `custom`.
    pub provider: String,
    /// Whose they are, by the host's own name for the person. Default: the tenant's.
    #[serde(default)]
    pub user_id: Option<String>,
    /// The access token.
    pub access_token: String,
    /// The refresh token. Without one a person has to connect again when the access token ends.
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// When the access token ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Or: in how many seconds.
    #[serde(default)]
    pub expires_in: Option<u64>,
    /// What was granted.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The account at the vendor, if the host knows it.
    #[serde(default)]
    pub account: Option<String>,
    /// What the vendor said beside the token: `{"instance_url": "https://acme.my.salesforce.com"}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// The app at the vendor that they belong to. Default: the operator's.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Its secret.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// In place of scheme, host and port of the vendor's addresses. Only with an app of one's own.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Where people sign in, where the vendor has several places: `test.salesforce.com`, `accounts.zoho.eu`.
    #[serde(default)]
    pub login_host: Option<String>,
    /// Microsoft's tenant. Default: `common`.
    #[serde(default)]
    pub directory: Option<String>,
    /// How the vendor does it, for `custom`. Only with an app of one's own.
    #[serde(default)]
    pub definition: Option<ProviderDefinition>,
}

impl std::fmt::Debug for NewOauthToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewOauthToken").field("provider", &self.provider).field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// A grant on its way into the table.
pub(crate) struct Adopted {
    pub(crate) tenant: TenantId,
    /// The row whose grant is replaced; none: that of the same account, or a new one.
    pub(crate) token: Option<OauthTokenId>,
    pub(crate) user_id: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) own_app: bool,
    pub(crate) settings: Settings,
    pub(crate) sealed: Sealed,
    pub(crate) scopes: Vec<String>,
    pub(crate) asked: Vec<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) base_url: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl Vault {
    /// Stores tokens that the host has.
    ///
    /// Errors: 403 `insufficient_scope`; 409 `too_many_oauth_tokens`; 422 `validation_failed`, `login_host_refused`, `url_…`.
    pub async fn create(self: &Arc<Self>, caller: &Caller, input: NewOauthToken) -> Result<OauthToken> {
        let scope = caller.allow(Permission::IntegrationsWrite)?;
        let built_in = providers::named(&input.provider)?;
        check(&input)?;
        let NewOauthToken { client_id, client_secret, base_url, login_host, directory, definition, .. } = input;
        let choice = self.choose(built_in, AppInput { client_id, client_secret, base_url, login_host, directory, definition }).await?;
        let provider = choice.settings.provider(built_in);
        let now = self.ambient.now();
        let in_time = |seconds: u64| now.plus(Duration::from_secs(seconds.min(315_360_000)));
        let root = Value::Object(input.metadata.clone());
        let account = provider.account.as_ref().and_then(|account| pointed(&root, &account.members, account.last_segments));
        let base_url = api_base(&provider, &choice.settings, &input.metadata)?;
        let adopted = Adopted {
            tenant: scope.tenant(),
            token: None,
            user_id: input.user_id,
            account: input.account.or(account),
            client_id: choice.app.as_ref().map(|app| app.client_id.clone()),
            own_app: choice.own_app,
            sealed: Sealed {
                access: Some(Secret::new(input.access_token)),
                refresh: input.refresh_token.map(Secret::new),
                client_secret: choice.app.filter(|_| choice.own_app).and_then(|app| app.client_secret),
                hidden: None,
            },
            settings: choice.settings,
            asked: input.scopes.clone(),
            scopes: input.scopes,
            metadata: input.metadata,
            base_url,
            expires_at: input.expires_at.or(input.expires_in.map(in_time)).or(provider.assumed_life_seconds.map(in_time)),
        };
        let vault = Arc::clone(self);
        self.store
            .answer(scope, move |tx| {
                let row = adopt(&vault, tx, &provider, adopted)?;
                let token = OauthToken::from(row);
                tx.audit_change("oauth_token.create", token.id, &(), &token)?;
                Ok(token)
            })
            .await
    }
}

fn check(input: &NewOauthToken) -> Result<()> {
    let is_token = |text: &str| (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    let rule = "must be a token: visible ASCII, at most 16 KiB";
    if !is_token(&input.access_token) {
        return Err(Error::field("/accessToken", rule));
    }
    if input.refresh_token.as_deref().is_some_and(|token| !is_token(token)) {
        return Err(Error::field("/refreshToken", rule));
    }
    user_id(input.user_id.as_deref())?;
    scopes(&input.scopes)?;
    if input.expires_at.is_some() && input.expires_in.is_some() {
        return Err(Error::field("/expiresIn", "send expiresAt or expiresIn, not both"));
    }
    if input.account.as_ref().is_some_and(|account| account.is_empty() || account.len() > 200) {
        return Err(Error::field("/account", "must have 1 to 200 characters"));
    }
    if Value::Object(input.metadata.clone()).to_string().len() > MAX_METADATA {
        return Err(Error::field("/metadata", "is larger than 16 KiB"));
    }
    Ok(())
}

/// The host's name for a person. Error: 422.
pub(crate) fn user_id(given: Option<&str>) -> Result<()> {
    given.map_or(Ok(()), |text| kernel::text::line("/userId", text, 1, 200))
}

/// Scopes that are asked for. Error: 422.
pub(crate) fn scopes(given: &[String]) -> Result<()> {
    let fits = |scope: &String| (1..=300).contains(&scope.len()) && scope.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if given.len() > 200 {
        return Err(Error::field("/scopes", "are at most 200"));
    }
    match given.iter().position(|scope| !fits(scope)) {
        Some(n) => Err(Error::field(format!("/scopes/{n}"), "must be a scope: 1 to 300 visible characters without a blank")),
        None => Ok(()),
    }
}

/// Stores a grant: in place of the one of the same account (so that refresh tokens do not pile up at the vendor), or as a new row.
///
/// Errors: 404; 409 `oauth_other_account`, `too_many_oauth_tokens`.
pub(crate) fn adopt(vault: &Vault, tx: &mut Tx<'_>, provider: &Provider, grant: Adopted) -> Result<Row> {
    let present = match grant.token {
        Some(id) => Some(get_row(tx, grant.tenant, id)?),
        None => {
            let all = sql::of_user(tx, grant.tenant, &provider.id, grant.user_id.as_deref())?;
            all.into_iter().find(|row| row.account == grant.account && row.client_id == grant.client_id)
        }
    };
    let row = match present {
        Some(row) => replace(tx, provider, row, grant)?,
        None => insert(tx, provider, grant)?,
    };
    tx.notify(TOPIC, row.id);
    report::tell(vault, tx, &row, events::OAUTH_TOKEN_CONNECTED)?;
    Ok(row)
}

fn insert(tx: &mut Tx<'_>, provider: &Provider, grant: Adopted) -> Result<Row> {
    let all = sql::Wanted { provider: None, user_id: None, status: None };
    if sql::count(tx, grant.tenant, &all)? >= MAX_PER_TENANT {
        return Err(Error::conflict("too_many_oauth_tokens", format!("A tenant has at most {MAX_PER_TENANT} connections to vendors.")));
    }
    let (now, is_renewable) = (tx.now(), grant.sealed.refresh.is_some());
    let row = Row {
        id: tx.ambient().id(),
        tenant: grant.tenant,
        provider: provider.id.clone(),
        user_id: grant.user_id,
        account: grant.account,
        status: Status::Active,
        reason: None,
        client_id: grant.client_id,
        own_app: grant.own_app,
        settings: grant.settings,
        is_renewable,
        scopes: grant.scopes,
        asked: grant.asked,
        metadata: grant.metadata,
        base_url: grant.base_url,
        generation: 1,
        expires_at: grant.expires_at,
        refreshed_at: now,
        due_at: keep_alive_at(provider, is_renewable, now),
        claim_epoch: 0,
        claim_until: Timestamp::from_millis(0),
        failures: 0,
        minted: vec![now.millis()],
        revocation: None,
        last_used_at: None,
        created_at: now,
        updated_at: now,
    };
    sql::insert(tx, &row, &grant.sealed)?;
    Ok(row)
}

fn replace(tx: &mut Tx<'_>, provider: &Provider, before: Row, grant: Adopted) -> Result<Row> {
    if let (Some(held), Some(given)) = (&before.account, &grant.account)
        && held != given
    {
        let detail = "Another account was connected than before. What is built on this connection would find other records: connect it as a new one.";
        return Err(Error::conflict("oauth_other_account", detail));
    }
    let (mut sealed, old, now) = (grant.sealed, sql::sealed(tx, before.tenant, before.id)?, tx.now());
    let same_app = before.client_id == grant.client_id;
    // Vendors that give a refresh token the first time only mean that the first one goes on.
    if sealed.refresh.is_none() && same_app && before.status != Status::ReauthRequired {
        sealed.refresh = old.refresh.clone();
    }
    let is_renewable = sealed.refresh.is_some();
    let row = Row {
        user_id: grant.user_id.or_else(|| before.user_id.clone()),
        account: grant.account.or_else(|| before.account.clone()),
        status: Status::Active,
        reason: None,
        client_id: grant.client_id,
        own_app: grant.own_app,
        settings: grant.settings,
        is_renewable,
        scopes: grant.scopes,
        asked: grant.asked,
        metadata: grant.metadata,
        base_url: grant.base_url,
        generation: before.generation + 1,
        expires_at: grant.expires_at,
        refreshed_at: now,
        due_at: keep_alive_at(provider, is_renewable, now),
        claim_until: Timestamp::from_millis(0),
        failures: 0,
        // Counted for each refresh token, and this is another one.
        minted: vec![now.millis()],
        updated_at: now,
        ..before.clone()
    };
    sql::update(tx, &row, &sealed, before.generation)?;
    let was = |secret: &Option<Secret<String>>| secret.as_ref().map(|secret| secret.reveal().clone());
    if provider.revokes_replaced && old.refresh.is_some() && was(&old.refresh) != was(&sealed.refresh) {
        retire(tx, before, &old)?;
    }
    Ok(row)
}

/// A grant that was replaced, as a row that waits for its end at the vendor.
fn retire(tx: &mut Tx<'_>, before: Row, sealed: &Sealed) -> Result<()> {
    let now = tx.now();
    let row = Row {
        id: tx.ambient().id(),
        status: Status::Revoked,
        reason: Some("replaced".to_owned()),
        revocation: Some(Revocation::Pending),
        due_at: Some(now),
        failures: 0,
        created_at: now,
        updated_at: now,
        ..before
    };
    sql::insert(tx, &row, sealed)
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<NewOauthToken>,
) -> web::Result<web::Created<OauthToken>> {
    let body = vault.create(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/oauth-tokens/{}", body.id), body })
}
