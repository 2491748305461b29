//! Invitations into a tenant: a link, by mail or handed over, that is good once.
//!
//! Who accepts proves to be at home at the address: by the link itself, if it came by mail; somebody who has an account signs in to it. The
//! role is what the inviter may hand out at the time of inviting; a revoked or replaced link opens nothing.

mod accept;
mod create;
mod list;
mod resend;
mod revoke;
mod sql;

use access::people::Role;
use kernel::{InvitationId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Tx;

use crate::links::{Link, Purpose};

pub use accept::Accept;
pub use create::{CreateInvitation, InvitationWithUrl};

pub(crate) use accept::{admit, admit_if_open};
pub(crate) use create::handle as create;
pub(crate) use list::{handle as list, handle_one as get};
pub(crate) use resend::handle as resend;
pub(crate) use revoke::handle as revoke;
pub(crate) use sql::forget as forget_of;

/// What became of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStatus {
    /// It can be accepted.
    Pending,
    /// It was.
    Accepted,
    /// It was taken back.
    Revoked,
    /// Nobody accepted it in time.
    Expired,
}

/// An invitation, without its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// `inv_…`
    pub id: InvitationId,
    /// Into which tenant.
    pub tenant_id: TenantId,
    /// Whom.
    pub email: String,
    /// What the inviter calls them.
    pub name: Option<String>,
    /// As what.
    pub role: Role,
    /// What became of it.
    pub status: InvitationStatus,
    /// Who invited: a person, a key or the system.
    pub invited_by: String,
    /// When it was last sent by mail; none: it was handed over.
    pub sent_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
}

/// What a page shows of an invitation that can be accepted.
pub(crate) fn look(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Link>> {
    let Some(found) = sql::pending(tx, hash)? else { return Ok(None) };
    let tenant = access::tenants::name(tx, found.tenant_id)?;
    let needs_account = access::people::user_by_email(tx, &found.email)?.is_none();
    Ok(Some(Link {
        purpose: Purpose::Invitation,
        email: Some(found.email),
        tenant_name: Some(tenant),
        role: Some(found.role),
        next: None,
        needs_account,
        expires_at: found.expires_at,
    }))
}
