//! `POST /api/v1/invitations/{id}/resend`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, InvitationId, Permission, Result};

use super::create::GOOD_FOR;
use super::revoke::over;
use super::{InvitationStatus, InvitationWithUrl, sql};
use crate::members::may_hand;
use crate::tokens::{Kind, Minted};
use crate::{People, paths};

impl People {
    /// Gives an invitation another link, good for seven days from now, and sends it, if this server sends mail; the link before is over.
    ///
    /// Errors: 403 `insufficient_scope`, 404, 409 `invitation_over`, 422 `role_exceeds_own`, 422 `tenant_required`, 503 `mail_failed`.
    pub async fn resend_invitation(&self, caller: &Caller, id: InvitationId) -> Result<InvitationWithUrl> {
        let scope = caller.allow(Permission::MembersWrite)?;
        let (tenant, asking) = (scope.tenant(), caller.clone());
        let Minted { token, hash } = self.hasher.mint(Kind::Invitation, &self.ambient);
        let (url, send) = (self.link(paths::INVITATION, token.reveal()), self.can_mail());
        let renewed = self.store.write(scope.clone(), move |tx| {
            let before = sql::get(tx, tenant, id)?;
            if matches!(before.status, InvitationStatus::Accepted | InvitationStatus::Revoked) {
                return Err(over());
            }
            may_hand(&asking, before.role)?;
            let expires_at = tx.now().plus(GOOD_FOR);
            sql::renew(tx, tenant, id, &hash, expires_at)?;
            let invitation = sql::get(tx, tenant, id)?;
            tx.audit_change("invitation.resend", id, &before, &invitation)?;
            Ok(InvitationWithUrl { invitation, url: Some(url).filter(|_| !send) })
        });
        let mut made = renewed.await?;
        if send {
            self.send_invitation(&scope, &made.invitation, token.reveal()).await?;
            made.invitation.sent_at = Some(self.ambient.now());
        }
        Ok(made)
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<InvitationId>,
    _: Option<web::Json<web::Nothing>>,
) -> web::Result<web::Json<InvitationWithUrl>> {
    Ok(web::Json(people.resend_invitation(&caller, id).await?))
}
