//! `oauth_connections.reopen`: somebody opens a reconnect link ([`crate::tokens::link`]).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use kernel::{Result, TenantScope};

use super::page::{Ending, redirect};
use crate::tokens::{self, read_link};
use crate::{PART, Vault};

impl Vault {
    /// Sends the browser to the vendor. Whatever is wrong with a link, it is the same to a stranger.
    async fn reopen(self: &Arc<Self>, link: &str, headers: &HeaderMap) -> Result<Option<Response>> {
        let Some((tenant, id)) = read_link(self.store.sealer(), link, self.ambient.now()) else { return Ok(None) };
        let scope = TenantScope::system(PART, tenant);
        let found = self
            .store
            .read(&scope, move |tx| match tokens::get_row(tx, tenant, id) {
                Ok(row) => Ok(Some((row, tokens::sql::sealed(tx, tenant, id)?))),
                Err(error) if error.kind() == kernel::Kind::NotFound => Ok(None),
                Err(error) => Err(error),
            })
            .await?;
        let Some((row, sealed)) = found else { return Ok(None) };
        let (mark, cookie) = self.browser_mark(headers);
        let start = super::Start { browser: Some(mark), ..self.again(&row, &sealed).await? };
        let connection = self.begin(scope, start).await?;
        let mut response = redirect(&connection.authorize_url.unwrap_or_default());
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(Some(response))
    }
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Path(link): web::Path<String>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let text = "This link is too old, or what it was for is not there any more. Ask for a new one.".to_owned();
    let gone = Ending { status: StatusCode::NOT_FOUND, title: "Not connected", text };
    Ok(vault.reopen(&link, &headers).await?.unwrap_or_else(|| gone.page()))
}
