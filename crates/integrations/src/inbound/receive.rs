//! `integrations.receive`: `POST /in/integrations/{integrationId}`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use connectors::{Connector, Hint, InboundCall, Verified};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use kernel::{Error, IntegrationId, Result, Scope, Secret, TenantId, TenantScope};
use store::Tx;

use super::MAX_BODY;
use crate::Integrations;
use crate::integrations::{Credentials, Inbound, sql};

impl Integrations {
    /// Takes a vendor's call in; answers after the commit.
    ///
    /// Errors: 401 `call_not_verified`; 404 for an integration that is unknown or switched off; 413 `body_too_large`.
    pub(crate) async fn receive(self: &Arc<Self>, id: IntegrationId, parts: Parts, body: Bytes) -> Result<Response> {
        let read = move |tx: &mut Tx<'_>| {
            let Some(row) = sql::find(tx, id)?.filter(|row| row.enabled) else { return Ok(None) };
            let Some((credentials, inbound)) = sql::sealed(tx, row.tenant, id)? else { return Ok(None) };
            let mut secrets = vec![Inbound::open(tx.sealer(), id, &inbound)?];
            let credentials = credentials.map(|sealed| Credentials::open(tx.sealer(), id, &sealed)).transpose()?;
            secrets.extend(credentials.and_then(|credentials| credentials.webhook_secret()));
            Ok(Some((row, secrets)))
        };
        let found = self.parts.store.read(Scope::system("integrations"), read).await?;
        let (row, secrets) = found.ok_or_else(|| Error::not_found("integration"))?;
        let scope = TenantScope::system("integrations", row.tenant);
        let connector = self.known(&scope, &row.connector).await?.and_then(|known| known.connector);
        let connector = connector.ok_or_else(|| Error::not_found("integration"))?;
        let verified = self.verify(connector.as_ref(), &parts, &body, &secrets)?;
        // The address is the integration's own: whichever account the vendor names, it is this one's.
        self.keep(row.tenant, id, verified.hints.clone()).await?;
        Ok(answer(verified))
    }

    pub(super) fn verify(&self, connector: &dyn Connector, parts: &Parts, body: &[u8], secrets: &[Secret<String>]) -> Result<Verified> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = format!("{}{path}", self.parts.public_url);
        let now = self.parts.ambient.now();
        let call = InboundCall { method: &parts.method, url: &url, headers: &parts.headers, body, now, secrets };
        connector.webhook(call).ok_or_else(|| Error::unauthenticated("call_not_verified", "This call could not be verified."))
    }

    pub(super) async fn keep(self: &Arc<Self>, tenant: TenantId, id: IntegrationId, hints: Vec<Hint>) -> Result<()> {
        if hints.is_empty() {
            return Ok(());
        }
        let Some(sink) = self.hints.get().map(Arc::clone) else { return Ok(()) };
        let scope = TenantScope::system("integrations", tenant);
        self.parts.store.write(scope, move |tx| sink.hints(tx, tenant, id, &hints)).await
    }
}

pub(super) fn answer(verified: Verified) -> Response {
    match verified.answer {
        None => StatusCode::OK.into_response(),
        Some((media, body)) => {
            let media = HeaderValue::from_str(&media).unwrap_or(HeaderValue::from_static("text/plain; charset=utf-8"));
            let headers: [(HeaderName, HeaderValue); 1] = [(CONTENT_TYPE, media)];
            (StatusCode::OK, headers, body).into_response()
        }
    }
}

pub(super) async fn taken_apart(request: Request) -> Result<(Parts, Bytes)> {
    let (parts, body) = request.into_parts();
    let body = web::read_body(body, MAX_BODY).await?;
    Ok((parts, body))
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Path(id): web::Path<IntegrationId>,
    request: Request,
) -> web::Result<Response> {
    let (parts, body) = taken_apart(request).await?;
    Ok(integrations.receive(id, parts, body).await?)
}
