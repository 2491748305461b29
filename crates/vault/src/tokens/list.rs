//! `oauth_tokens.list`: the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result};
use serde::Deserialize;

use super::sql::{self, Wanted};
use super::{OauthToken, Status};
use crate::Vault;
use crate::providers;

/// Later than every id of a token.
const LAST: &str = "otk_~";

/// What a list shows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OauthTokenFilter {
    /// Only this vendor's.
    pub provider: Option<String>,
    /// Only this person's.
    pub user_id: Option<String>,
    /// Only those that are so; disconnected ones are shown only when they are asked for.
    pub status: Option<String>,
}

impl Vault {
    /// A part of the tenant's tokens. Errors: 403 `insufficient_scope`, 422 `validation_failed`.
    pub async fn list(&self, caller: &Caller, filter: OauthTokenFilter, page: PageRequest) -> Result<Page<OauthToken>> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        let tenant = scope.tenant();
        if let Some(provider) = &filter.provider {
            providers::named(provider)?;
        }
        let status = filter.status.as_deref().map(str::parse::<Status>).transpose()?;
        self.store
            .read(scope, move |tx| {
                let wanted = Wanted { provider: filter.provider.as_deref(), user_id: filter.user_id.as_deref(), status };
                let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
                let rows = sql::list(tx, tenant, &wanted, before, page.limit + 1, page.offset())?;
                let total = sql::count(tx, tenant, &wanted)?;
                let found: Vec<OauthToken> = rows.into_iter().map(OauthToken::from).collect();
                Ok(Page::from_rows(found, &page, Some(total), |row| Cursor { key: row.created_at.millis(), id: row.id.to_string() }))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<OauthTokenFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<OauthToken>>> {
    Ok(web::Json(vault.list(&caller, filter, page).await?))
}
