//! From a code to a token that is stored.

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use kernel::{Error, OauthTokenId, Result, Secret, TenantScope};
use serde_json::Value;
use url::Url;
use web::outbound::OutboundRequest;

use super::fields::Fields;
use super::{Row, Sealed, sql};
use crate::apps;
use crate::exchange::{App, Exchange, Exchanged, Grant, Granted, TIMEOUT, pointed};
use crate::holding::api_base;
use crate::providers::{self, Endpoints, Provider, Settings, hosts};
use crate::tokens::{self, Adopted, adopt};
use crate::{PART, Vault};

/// Tries of an exchange that surely did not happen. A code whose answer was lost is spent: the person begins again.
const TRIES: u32 = 3;

/// What is known of a connection when its code is exchanged.
struct Known {
    provider: Provider,
    settings: Settings,
    endpoints: Endpoints,
    app: App,
    sealed: Sealed,
}

impl Vault {
    /// Exchanges the code and stores what came. Errors: what is told to the person.
    pub(super) async fn exchanged(self: &Arc<Self>, row: &Row, code: Secret<String>, fields: &Fields) -> Result<OauthTokenId> {
        let known = self.known(row, fields).await?;
        let grant = Grant::Code { code: &code, redirect_uri: &row.redirect_uri, verifier: known.sealed.verifier.as_ref() };
        let granted = self.traded(&known, &grant).await?;
        let Known { provider, settings, app, .. } = known;
        let mut metadata = granted.metadata.clone();
        for name in &provider.keep_from_callback {
            if let Some(value) = fields.get(name).filter(|value| value.len() <= 200) {
                metadata.insert(name.clone(), Value::String(value.to_owned()));
            }
        }
        let base_url = api_base(&provider, &settings, &metadata)?;
        let account = match granted.account.clone() {
            Some(account) => Some(account),
            None => self.asked_who(&provider, &settings, base_url.as_deref(), &granted.access).await,
        };
        let now = self.ambient.now();
        let life = granted.expires_in.or(provider.assumed_life_seconds);
        let Granted { access, refresh, scopes, hidden, .. } = granted;
        let mut sealed =
            tokens::Sealed { access: Some(access), refresh, client_secret: app.client_secret.filter(|_| row.own_app), hidden: None };
        sealed.hide(hidden);
        let adopted = Adopted {
            tenant: row.tenant,
            token: row.token,
            user_id: row.user_id.clone(),
            account,
            client_id: Some(row.client_id.clone()),
            own_app: row.own_app,
            settings,
            sealed,
            scopes: scopes.unwrap_or_else(|| row.asked.clone()),
            asked: row.asked.clone(),
            metadata,
            base_url,
            expires_at: life.map(|seconds| now.plus(Duration::from_secs(seconds))),
        };
        self.adopted(row, provider, adopted).await
    }

    async fn adopted(self: &Arc<Self>, row: &Row, provider: Provider, adopted: Adopted) -> Result<OauthTokenId> {
        let (vault, connection, started_by) = (Arc::clone(self), row.id, row.started_by.clone());
        self.store
            .write(TenantScope::system(PART, row.tenant), move |tx| {
                let token = adopt(&vault, tx, &provider, adopted)?;
                sql::end(tx, token.tenant, connection, Ok(token.id))?;
                let detail = serde_json::json!({
                    "connectionId": connection, "startedBy": started_by, "provider": token.provider, "userId": token.user_id,
                    "account": token.account, "scopes": token.scopes,
                });
                tx.audit_with("oauth_token.connect", token.id, &detail)?;
                Ok(token.id)
            })
            .await
    }

    async fn known(&self, row: &Row, fields: &Fields) -> Result<Known> {
        let built_in = providers::named(&row.provider)?;
        let (tenant, id, own, name, client_id) = (row.tenant, row.id, row.own_app, row.provider.clone(), row.client_id.clone());
        let (sealed, app) = self
            .store
            .read(TenantScope::system(PART, tenant), move |tx| {
                let sealed = sql::sealed(tx, tenant, id)?;
                let app = match own {
                    true => Some(App { client_id, client_secret: sealed.client_secret.clone() }),
                    false => apps::sql::get(tx, &name)?.filter(|app| app.client_id == client_id).map(|app| app.app()),
                };
                Ok((sealed, app))
            })
            .await?;
        let app = app.ok_or_else(|| Error::conflict("oauth_app_missing", "The operator's app at this vendor was changed. Begin again."))?;
        let provider = row.settings.provider(built_in);
        let settings = at_the_place_named(&provider, row.settings.clone(), fields)?;
        let endpoints = Endpoints::of(&provider, &settings)?;
        Ok(Known { provider, settings, endpoints, app, sealed })
    }

    async fn traded(&self, known: &Known, grant: &Grant<'_>) -> Result<Granted> {
        let exchange = Exchange { client: &self.outbound, provider: &known.provider, endpoints: &known.endpoints, app: &known.app };
        let unavailable =
            |text: String| Error::unavailable("oauth_vendor_unavailable", format!("The vendor could not be asked: {text}. Begin again."));
        let mut tries = 1;
        loop {
            match exchange.show(grant).await? {
                Exchanged::Granted(granted) => return Ok(*granted),
                Exchanged::Unavailable(_) if tries < TRIES => {
                    tokio::time::sleep(Duration::from_millis(200) * tries).await;
                    tries += 1;
                }
                Exchanged::Unavailable(text) | Exchanged::Lost(text) => return Err(unavailable(text)),
                Exchanged::Slow(refusal) => return Err(unavailable(refusal.text())),
                Exchanged::Dead(refusal) | Exchanged::Refused(refusal) => {
                    return Err(Error::conflict("oauth_vendor_refused", format!("The vendor refused the code: {}", refusal.text())));
                }
            }
        }
    }

    /// Who the account is, where only a call tells. Not knowing is no failure.
    async fn asked_who(&self, provider: &Provider, settings: &Settings, base: Option<&str>, token: &Secret<String>) -> Option<String> {
        let identity = provider.identity.as_ref()?;
        let url = match (&identity.url, &identity.path) {
            (Some(url), _) => Endpoints::elsewhere(settings, url)?,
            (None, Some(path)) => Url::parse(&format!("{}{path}", base?)).ok()?,
            (None, None) => return None,
        };
        let mut headers = HeaderMap::new();
        let mut authorization = http::HeaderValue::from_str(&format!("{} {}", provider.scheme, token.reveal())).ok()?;
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        let request = OutboundRequest {
            method: Method::GET,
            uri: web::outbound::to_uri(&url).ok()?,
            headers,
            body: bytes::Bytes::new(),
            timeout: TIMEOUT,
            response_cap: 256 * 1024,
            repeatable: true,
        };
        let reply = self.outbound.send(request).await.ok().filter(|reply| reply.status.is_success() && !reply.truncated)?;
        pointed(&serde_json::from_slice(&reply.body).ok()?, &identity.members, 0)
    }
}

/// Vendors with several data centres say in the callback at which of them the code is good: one of the list, or, where the vendor's addresses
/// are replaced, that place.
fn at_the_place_named(provider: &Provider, settings: Settings, fields: &Fields) -> Result<Settings> {
    let Some(said) = provider.callback_host.as_deref().and_then(|name| fields.get(name)) else { return Ok(settings) };
    if let Some(base) = &settings.base_url {
        let same = Url::parse(said).ok().zip(Url::parse(base).ok()).is_some_and(|(said, base)| said.origin() == base.origin());
        return if same { Ok(settings) } else { Err(elsewhere()) };
    }
    let hosts = provider.login_hosts.clone().unwrap_or_default();
    let host = hosts::login_host(&hosts, Some(said)).map_err(|_| elsewhere())?;
    Ok(Settings { login_host: Some(host), ..settings })
}

fn elsewhere() -> Error {
    Error::conflict("oauth_vendor_refused", "The answer names a place that is none of the vendor's.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(said: &str, base: Option<&str>) -> std::result::Result<Option<String>, &'static str> {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("accounts-server", said).finish();
        let settings = Settings { base_url: base.map(str::to_owned), ..Settings::default() };
        at_the_place_named(providers::find("zoho").unwrap(), settings, &Fields::read(&query).unwrap())
            .map(|settings| settings.login_host)
            .map_err(|error| error.code())
    }

    #[test]
    fn codes_are_exchanged_at_zohos_data_centres_and_nowhere_else() {
        for (said, host) in [
            ("https://accounts.zoho.eu", "accounts.zoho.eu"),
            ("https://accounts.zoho.com.au/", "accounts.zoho.com.au"),
            ("https://accounts.zohocloud.ca", "accounts.zohocloud.ca"),
        ] {
            assert_eq!(place(said, None), Ok(Some(host.to_owned())));
        }
        for bad in [
            "https://accounts.zoho.evil.example",
            "http://accounts.zoho.eu",
            "https://accounts.zoho.eu.evil.example",
            "https://accounts.zoho.eu@evil.example",
            "https://accounts.zoho.eu:444",
            "https://evil.example/accounts.zoho.eu",
            "//accounts.zoho.eu",
        ] {
            assert_eq!(place(bad, None), Err("oauth_vendor_refused"), "{bad}");
        }
        assert_eq!(place("http://127.0.0.1:9", Some("http://127.0.0.1:9")), Ok(None));
        assert_eq!(place("https://accounts.zoho.eu", Some("http://127.0.0.1:9")), Err("oauth_vendor_refused"));
    }
}
