//! `GET /api/v1/authorized-apps`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Credential, Cursor, Page, PageRequest, Permission, Result, TenantId, UserId};
use serde::Deserialize;

use super::{AuthorizedApp, AuthorizedAppId, sql};
use crate::{Oauth, grants, scope};

/// Whose are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppFilter {
    /// For a person: those of everybody in the tenant, not only one's own.
    pub everyone: Option<bool>,
}

impl Oauth {
    /// The applications that a person allowed something in a tenant, newest first: what is remembered, and what is not but has a grant that
    /// lives. Those of everybody there for whoever may see API clients.
    ///
    /// Errors: 403 `insufficient_scope`, 422 `tenant_required`.
    pub async fn list_consents(self: &Arc<Self>, caller: &Caller, filter: &AppFilter, page: PageRequest) -> Result<Page<AuthorizedApp>> {
        let scope = caller.tenant_scope()?;
        let tenant = scope.tenant();
        let user = whose(caller, filter.everyone == Some(true), Permission::ClientsRead)?;
        let rows = self.store.read(scope, move |tx| {
            let rows = sql::list(tx, tenant, user, &page)?;
            let mut page =
                Page::from_rows(rows, &page, None, |stored| Cursor { key: stored.created_at.millis(), id: stored.id.to_string() });
            for stored in &mut page.data {
                // What is remembered may be less than what a token may that lives.
                let granted = grants::sql::live_scopes(tx, tenant, stored.user, stored.client)?;
                stored.scopes = scope::union(std::mem::take(&mut stored.scopes), granted);
            }
            Ok(page)
        });
        let page = rows.await?;
        let mut apps = Vec::with_capacity(page.data.len());
        for stored in page.data {
            // The client may be another tenant's, whose rows this scope does not see; one that is gone is no application any more.
            apps.extend(self.app(tenant, stored).await?);
        }
        Ok(Page { data: apps, pagination: page.pagination })
    }

    async fn app(self: &Arc<Self>, tenant: TenantId, stored: sql::Stored) -> Result<Option<AuthorizedApp>> {
        let Some(client) = self.client(stored.client).await? else { return Ok(None) };
        let app = &client.app;
        Ok(Some(AuthorizedApp {
            id: stored.id,
            client_id: app.id,
            client_name: app.name.clone(),
            website: app.website.clone(),
            logo_url: app.logo_url.clone(),
            publisher: app.tenant_name.clone(),
            tenant_id: tenant,
            user_id: stored.user,
            remembered: matches!(stored.id, AuthorizedAppId::Consent(_)),
            scopes: scope::lines(&self.blueprint, &stored.scopes),
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            last_used_at: stored.last_used_at,
        }))
    }
}

/// Whose consents a caller may handle: a person its own, whoever holds `permission` everybody's (none).
pub(super) fn whose(caller: &Caller, everyone: bool, permission: Permission) -> Result<Option<UserId>> {
    match caller.credential() {
        Credential::User { user, .. } if !everyone => Ok(Some(*user)),
        _ => caller.require(permission).map(|()| None),
    }
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<AppFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<AuthorizedApp>>> {
    Ok(web::Json(oauth.list_consents(&caller, &filter, page).await?))
}
