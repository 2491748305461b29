//! `DELETE /api/v1/invitations/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, InvitationId, Permission, Result};

use super::{InvitationStatus, sql};
use crate::People;

impl People {
    /// Takes an invitation back: its link opens nothing any more.
    ///
    /// Errors: 403 `insufficient_scope`, 404, 409 `invitation_over` (it was accepted), 422 `tenant_required`.
    pub async fn revoke_invitation(&self, caller: &Caller, id: InvitationId) -> Result<()> {
        let scope = caller.allow(Permission::MembersWrite)?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                let before = sql::get(tx, tenant, id)?;
                if sql::revoke(tx, tenant, id)? {
                    return tx.audit_change("invitation.revoke", id, &before, &());
                }
                // To take back twice changes nothing.
                if before.status == InvitationStatus::Accepted { Err(over()) } else { Ok(()) }
            })
            .await
    }
}

/// What was accepted, or taken back, is neither any more.
pub(super) fn over() -> Error {
    Error::conflict("invitation_over", "This invitation was accepted or taken back. Look at the members, or invite again.")
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<InvitationId>,
) -> web::Result<web::NoContent> {
    people.revoke_invitation(&caller, id).await?;
    Ok(web::NoContent)
}
