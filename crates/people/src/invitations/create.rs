//! `POST /api/v1/invitations`.

use std::sync::Arc;
use std::time::Duration;

use access::people::Role;
use axum::extract::State;
use kernel::{Caller, Error, Permission, Result, TenantScope};
use serde::{Deserialize, Serialize};

use super::{Invitation, InvitationStatus, sql};
use crate::mails::{self, Occasion};
use crate::members::may_hand;
use crate::tokens::{Kind, Minted};
use crate::users::sql as users;
use crate::{People, errors, paths, rules};

/// How long an invitation can be accepted.
pub(super) const GOOD_FOR: Duration = Duration::from_hours(7 * 24);
/// Most invitations of a tenant that wait.
const MOST_OPEN: u64 = 200;

/// Who is invited.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateInvitation {
    /// Their address.
    pub email: String,
    /// What they will be able to do.
    pub role: Role,
    /// What they are called.
    pub name: Option<String>,
    /// Whether the link goes by mail. Default: yes, if this server sends mail. Otherwise hand `url` over yourself.
    pub send: Option<bool>,
}

/// An invitation with its link, this once.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitationWithUrl {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// The link, if it did not go by mail: whoever opens it becomes the member.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
}

impl People {
    /// Invites somebody into the caller's tenant. One who was invited already is invited anew: the link before is over.
    ///
    /// Errors: 403 `insufficient_scope`, 403 `reauthentication_required` (a person who invites an owner), 409 `already_member`, 409
    /// `mail_not_configured` (with `send`), 422 `role_exceeds_own`, 422 `too_many_invitations`, 422 `tenant_required`, 422 `validation_failed`,
    /// 503 `mail_failed` (the invitation stands; send it again).
    pub async fn create_invitation(&self, caller: &Caller, input: CreateInvitation) -> Result<InvitationWithUrl> {
        let scope = caller.allow(Permission::MembersWrite)?;
        may_hand(caller, input.role)?;
        if input.role == Role::Owner {
            caller.require_fresh(self.ambient.now())?;
        }
        let email = rules::email("/email", &input.email)?;
        let name = input.name.as_deref().map(|name| rules::name("/name", name)).transpose()?.filter(|name| !name.is_empty());
        let send = input.send.unwrap_or(self.can_mail());
        if send && !self.can_mail() {
            return Err(errors::mail_not_configured());
        }
        let Minted { token, hash } = self.hasher.mint(Kind::Invitation, &self.ambient);
        let (now, tenant) = (self.ambient.now(), scope.tenant());
        let invitation = Invitation {
            id: self.ambient.id(),
            tenant_id: tenant,
            email,
            name,
            role: input.role,
            status: InvitationStatus::Pending,
            invited_by: caller.actor().to_string(),
            sent_at: None,
            created_at: now,
            expires_at: now.plus(GOOD_FOR),
            accepted_at: None,
        };
        let url = self.link(paths::INVITATION, token.reveal());
        let stored = self.store.answer(scope.clone(), move |tx| {
            access::tenants::held_slug(tx, tenant)?;
            if let Some(known) = access::people::user_by_email(tx, &invitation.email)?
                && users::member(tx, tenant, known.id)?.is_some()
            {
                return Err(errors::already_member());
            }
            if sql::open(tx, tenant, &invitation.email)? >= MOST_OPEN {
                return Err(Error::invalid("too_many_invitations", "So many people are invited already. Take some invitations back."));
            }
            sql::replace(tx, tenant, &invitation.email)?;
            sql::insert(tx, &invitation, &hash)?;
            tx.audit_change("invitation.create", invitation.id, &(), &invitation)?;
            Ok(InvitationWithUrl { invitation, url: Some(url).filter(|_| !send) })
        });
        let mut made = stored.await?;
        // A repeated request gets the first answer, and sends nothing.
        let is_repeated = caller.request().and_then(|request| request.slot.as_ref()).is_some_and(kernel::RequestSlot::is_replayed);
        if send && !is_repeated {
            self.send_invitation(&scope, &made.invitation, token.reveal()).await?;
            made.invitation.sent_at = Some(self.ambient.now());
        }
        Ok(made)
    }

    /// Sends the link by mail.
    pub(super) async fn send_invitation(&self, scope: &TenantScope, invitation: &Invitation, token: &str) -> Result<()> {
        let (tenant, email) = (invitation.tenant_id, invitation.email.clone());
        let read = self.store.read(scope.clone(), move |tx| {
            Ok((access::tenants::name(tx, tenant)?, access::people::user_by_email(tx, &email)?.and_then(|user| user.language)))
        });
        let (tenant_name, language) = read.await?;
        let url = self.link(paths::INVITATION, token);
        let occasion = Occasion::Invitation { tenant: tenant_name };
        let language = language.as_deref().unwrap_or(&self.config.language);
        self.mail(mails::write(&self.config.product, &invitation.email, language, &occasion, &url, None)).await?;
        let id = invitation.id;
        self.store.write(scope.clone(), move |tx| sql::sent(tx, tenant, id)).await
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<CreateInvitation>,
) -> web::Result<web::Created<InvitationWithUrl>> {
    let made = people.create_invitation(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/invitations/{}", made.invitation.id), body: made })
}
