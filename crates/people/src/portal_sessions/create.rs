//! `POST /api/v1/portal-sessions`.

use std::sync::Arc;
use std::time::Duration;

use access::people::{Role, UserStatus};
use axum::extract::State;
use kernel::{Caller, Credential, Error, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::links::{self, NewLink, Purpose};
use crate::members::{add, may_hand};
use crate::tokens::{Kind, Minted};
use crate::{People, errors, paths, rules};

/// How long a link is good when nothing is said, and at most, in seconds.
const USUAL: u64 = 5 * 60;
const LONGEST: u64 = 60 * 60;

/// Who is signed in where, as what.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreatePortalSession {
    /// The tenant; may be named by `Tradewind-Tenant` instead.
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<TenantId>,
    /// The person's address. Somebody whom nobody knows gets an account, and becomes a member.
    pub email: String,
    /// What they are called, if they have no account yet.
    pub name: Option<String>,
    /// What they may do in this session.
    pub role: Role,
    /// Where they arrive: a path of the portal.
    pub next: Option<String>,
    /// How long the link is good. Default: 300, at most 3600.
    pub expires_in_seconds: Option<u64>,
}

/// A one-time link.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PortalSessionUrl {
    /// A GET of it signs the person into the portal. Good once.
    pub url: String,
    /// Until when.
    pub expires_at: Timestamp,
}

impl People {
    /// Makes a link that signs a person into the portal of one tenant, and into that one only, in this role: the session sees nothing else of
    /// the person's, and cannot change how they sign in.
    ///
    /// Errors: 403 `service_key_required`, 403 `user_suspended`, 404 (no such tenant), 422 `role_exceeds_own`, 422 `tenant_required`, 422
    /// `validation_failed`.
    pub async fn create_portal_session(&self, caller: &Caller, input: CreatePortalSession) -> Result<PortalSessionUrl> {
        if !matches!(caller.credential(), Credential::ServiceKey { .. } | Credential::System { .. }) {
            let text = "Only a service key may sign people in. Partners' people sign in themselves.";
            return Err(Error::forbidden("service_key_required", text));
        }
        let caller = caller.acting_for(input.tenant_id)?;
        let scope = caller.tenant_scope()?;
        may_hand(&caller, input.role)?;
        let (email, name) = (rules::email("/email", &input.email)?, rules::name("/name", input.name.as_deref().unwrap_or_default())?);
        let seconds = input.expires_in_seconds.unwrap_or(USUAL);
        if !(1..=LONGEST).contains(&seconds) {
            return Err(Error::field("/expiresInSeconds", format!("must be 1 to {LONGEST}")));
        }
        if input.next.is_some() && rules::next(input.next.as_deref()).is_none() {
            return Err(Error::field("/next", "must be a path that begins with a slash"));
        }
        let Minted { token, hash } = self.hasher.mint(Kind::Link, &self.ambient);
        let (tenant, role, good_for) = (scope.tenant(), input.role, Duration::from_secs(seconds));
        let answer = PortalSessionUrl { url: self.link(paths::HOST, token.reveal()), expires_at: self.ambient.now().plus(good_for) };
        self.store
            .answer(scope, move |tx| {
                let user = add::known_or_new(tx, &email, &name)?;
                if user.status == UserStatus::Suspended {
                    return Err(errors::user_suspended());
                }
                add::join(tx, tenant, &user, role)?;
                let (purpose, bound) = (Purpose::PortalSession, Some((tenant, role)));
                let link = NewLink { purpose, user: Some(user.id), email: None, bound, next: input.next, good_for };
                links::sql::insert(tx, &hash, &link)?;
                tx.audit_with("portal_session.create", user.id, &serde_json::json!({"email": email, "role": role}))?;
                Ok(answer)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<CreatePortalSession>,
) -> web::Result<web::Created<PortalSessionUrl>> {
    let body = people.create_portal_session(&caller, input).await?;
    Ok(web::Created { location: body.url.clone(), body })
}
