//! `oauth_connections.callback`: the person comes back from the vendor. The reasons for each step are in the module's documentation.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use kernel::{Error, Kind, Result, Scope, Secret, TenantScope};

use super::fields::Fields;
use super::page::{Ending, redirect};
use super::{ConnectionStatus, Row, browser, return_to, sql};
use crate::{PART, Vault};

/// Why a callback is nobody's: the row stays as it is, since it may be a stranger who calls.
enum Stranger {
    /// It cannot be read, or its state is unknown, used or too old.
    Unknown,
    /// It is another browser than the one that began.
    OtherBrowser,
}

impl Stranger {
    fn page(&self) -> Response {
        let (status, text) = match self {
            Self::Unknown => (
                StatusCode::BAD_REQUEST,
                "This answer belongs to no connection that is open: it was used already, or ten minutes are over. Begin again.",
            ),
            Self::OtherBrowser => (StatusCode::FORBIDDEN, "The connection was begun in another browser. Begin again in this one."),
        };
        Ending { status, title: "Not connected", text: text.to_owned() }.page()
    }
}

impl Vault {
    async fn called_back(self: &Arc<Self>, query: &str, headers: &HeaderMap) -> Result<Response> {
        let Some(fields) = Fields::read(query) else { return Ok(Stranger::Unknown.page()) };
        let row = match self.claimed(&fields, headers).await? {
            Ok(row) => row,
            Err(stranger) => return Ok(stranger.page()),
        };
        let outcome = match self.judged(&row, &fields) {
            Err(error) => Err(error),
            Ok(code) => {
                // A browser that goes away must not cost the tokens that the vendor has made.
                let (vault, row) = (Arc::clone(self), row.clone());
                let exchange = self.tasks.spawn(async move { vault.exchanged(&row, code, &fields).await });
                exchange.await.map_err(Error::internal)?
            }
        };
        match outcome {
            Ok(token) => Ok(connected(&row, &token.to_string())),
            Err(error) if error.kind() == Kind::Internal => {
                self.fail(&row, "internal", error.detail()).await?;
                Err(error)
            }
            Err(error) => {
                self.fail(&row, error.code(), error.detail()).await?;
                Ok(failed(&row, &error))
            }
        }
    }

    /// The row that is meant, with its state used up.
    async fn claimed(&self, fields: &Fields, headers: &HeaderMap) -> Result<std::result::Result<Row, Stranger>> {
        let Some(state) = fields.state() else { return Ok(Err(Stranger::Unknown)) };
        let hash = blake3::hash(state.as_bytes()).as_bytes().to_vec();
        // Whose it is follows from the row, so this is the system's reading.
        let found = self.store.read(Scope::system(PART), move |tx| sql::by_state(tx, &hash)).await?;
        let Some(row) = found.filter(|row| row.status == ConnectionStatus::Pending) else { return Ok(Err(Stranger::Unknown)) };
        if !browser::is_same(headers, self.is_https(), row.browser_hash.as_deref()) {
            return Ok(Err(Stranger::OtherBrowser));
        }
        let (tenant, id, now) = (row.tenant, row.id, self.ambient.now());
        let taken = self.store.write(TenantScope::system(PART, tenant), move |tx| sql::take(tx, tenant, id, now)).await?;
        Ok(if taken { Ok(row) } else { Err(Stranger::Unknown) })
    }

    /// The code, if the vendor sends one and it is the vendor who does. Errors: what is told to the person.
    fn judged(&self, row: &Row, fields: &Fields) -> Result<Secret<String>> {
        let built_in = crate::providers::named(&row.provider)?;
        if let Some(code) = fields.error() {
            return Err(match code.as_str() {
                "access_denied" => Error::forbidden("access_denied", "It was not allowed at the vendor."),
                _ => Error::conflict("oauth_vendor_refused", format!("The vendor refused: {code}.")),
            });
        }
        if let (Some(said), Some(issuer)) = (fields.get("iss"), row.settings.provider(built_in).issuer)
            && said != issuer
        {
            return Err(Error::conflict("oauth_vendor_refused", "The answer comes from another vendor than was asked."));
        }
        let code = fields.get("code").ok_or_else(|| Error::conflict("oauth_vendor_refused", "The vendor sent no code."))?;
        Ok(Secret::new(code.to_owned()))
    }

    async fn fail(&self, row: &Row, code: &'static str, detail: &str) -> Result<()> {
        tracing::info!(connection = %row.id, provider = row.provider, code, "a vendor was not connected");
        let (tenant, id, text) = (row.tenant, row.id, format!("{code}: {detail}"));
        self.store
            .write(TenantScope::system(PART, tenant), move |tx| {
                sql::end(tx, tenant, id, Err(&text))?;
                tx.audit_with("oauth_connection.fail", id, &serde_json::json!({"code": code}))
            })
            .await
    }
}

fn connected(row: &Row, token: &str) -> Response {
    let id = row.id.to_string();
    let outcome = [("status", "connected"), ("connectionId", id.as_str()), ("oauthTokenId", token)];
    let address = row.return_to.as_deref().and_then(|address| return_to::with_outcome(address, &outcome));
    let text = "The connection is made. You may close this window.".to_owned();
    address.map_or_else(|| Ending { status: StatusCode::OK, title: "Connected", text }.page(), |address| redirect(&address))
}

fn failed(row: &Row, error: &Error) -> Response {
    let id = row.id.to_string();
    let outcome = [("status", "failed"), ("connectionId", id.as_str()), ("error", error.code())];
    let address = row.return_to.as_deref().and_then(|address| return_to::with_outcome(address, &outcome));
    let ending = Ending { status: web::status(error.kind()), title: "Not connected", text: error.detail().to_owned() };
    address.map_or_else(|| ending.page(), |address| redirect(&address))
}

pub(crate) async fn handle(State(vault): State<Arc<Vault>>, uri: Uri, headers: HeaderMap) -> web::Result<Response> {
    Ok(vault.called_back(uri.query().unwrap_or_default(), &headers).await?)
}
