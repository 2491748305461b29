//! `oauth_tokens.uses`: who used a token, hour by hour.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, OauthTokenId, Page, PageRequest, Permission, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::{get_row, sql};
use crate::Vault;

/// Uses of a token within an hour by one and the same.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OauthTokenUse {
    /// When the hour began.
    pub hour: Timestamp,
    /// Who: a person, a key, or a part of this server (`system:syncs`).
    pub used_by: String,
    /// How often it was handed out.
    pub uses: u64,
}

impl Vault {
    /// A part of a token's uses, the newest first. Kept for 90 days. Errors: 403 `insufficient_scope`, 404.
    pub async fn uses(&self, caller: &Caller, id: OauthTokenId, page: PageRequest) -> Result<Page<OauthTokenUse>> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                get_row(tx, tenant, id)?;
                let before = page.cursor.as_ref().map_or((i64::MAX, ""), |cursor| (cursor.key, cursor.id.as_str()));
                let rows = sql::uses(tx, tenant, id, before, page.limit + 1, page.offset())?;
                let found = rows.into_iter().map(|(hour, used_by, uses)| OauthTokenUse { hour, used_by, uses }).collect();
                Ok(Page::from_rows(found, &page, None, |row: &OauthTokenUse| Cursor { key: row.hour.millis(), id: row.used_by.clone() }))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<OauthTokenId>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<OauthTokenUse>>> {
    Ok(web::Json(vault.uses(&caller, id, page).await?))
}
