//! `integrations.receive_of_provider`: `POST /in/providers/{provider}`, where a vendor calls an app for all of its accounts (HubSpot).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use connectors::Hint;
use http::request::Parts;
use kernel::{Error, Result, Scope};

use super::receive::{answer, taken_apart};
use crate::Integrations;
use crate::integrations::sql;

impl Integrations {
    /// Takes a call to the operator's app in and hands its hints to the integrations of the accounts that it names; accounts that nobody has
    /// connected are passed over.
    ///
    /// Errors: 401 `call_not_verified`; 404; 413 `body_too_large`.
    pub(crate) async fn receive_of_provider(self: &Arc<Self>, provider: &str, parts: Parts, body: Bytes) -> Result<Response> {
        let missing = || Error::not_found("provider");
        let connector = self.built_in(provider).and_then(|known| known.connector).ok_or_else(missing)?;
        let secrets: Vec<_> = self.parts.vault.app_secret(provider).await?.into_iter().collect();
        if secrets.is_empty() {
            return Err(missing());
        }
        let mut verified = self.verify(connector.as_ref(), &parts, &body, &secrets)?;
        let mut by_account: BTreeMap<String, Vec<Hint>> = BTreeMap::new();
        for hint in std::mem::take(&mut verified.hints) {
            if let Some(account) = hint.account.clone() {
                by_account.entry(account).or_default().push(hint);
            }
        }
        for (account, hints) in by_account {
            let slug = provider.to_owned();
            let scope = Scope::system("integrations");
            for (tenant, id) in self.parts.store.read(scope, move |tx| sql::of_account(tx, &slug, &account)).await? {
                self.keep(tenant, id, hints.clone()).await?;
            }
        }
        Ok(answer(verified))
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Path(provider): web::Path<String>,
    request: Request,
) -> web::Result<Response> {
    let (parts, body) = taken_apart(request).await?;
    Ok(integrations.receive_of_provider(&provider, parts, body).await?)
}
