//! Links that open something once. What a page shows before anything is redeemed comes from [`People::peek_link`]: programs that look at mail
//! follow links too, so a GET changes nothing (but for a host's link, which leads through no mail).

mod send;
pub(crate) mod sql;

use std::time::Duration;

use access::people::Role;
use kernel::{Result, Scope, TenantId, Timestamp, UserId};

use crate::tokens::Kind;
use crate::{People, errors, invitations, users};

pub(crate) use send::reset_link;

/// What a link is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// The first account of the installation.
    SetUp,
    /// Signing in.
    #[default]
    MagicLink,
    /// A new password.
    PasswordReset,
    /// Signing in by a host's word.
    PortalSession,
    /// Becoming a member of a tenant.
    Invitation,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::MagicLink => "magic_link",
            Self::PasswordReset => "password_reset",
            Self::PortalSession => "portal_session",
            Self::Invitation => "invitation",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::SetUp, Self::MagicLink, Self::PasswordReset, Self::PortalSession].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// What is known of a link that is still good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is for.
    pub purpose: Purpose,
    /// The address that it was made for.
    pub email: Option<String>,
    /// The tenant, of an invitation or a host's link.
    pub tenant_name: Option<String>,
    /// The role in it.
    pub role: Option<Role>,
    /// Where the person wanted to go: a path of ours.
    pub next: Option<String>,
    /// Whether nobody has that address yet: who accepts chooses a name and a password.
    pub needs_account: bool,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// A link to be made.
#[derive(Debug, Default)]
pub(crate) struct NewLink {
    pub(crate) purpose: Purpose,
    pub(crate) user: Option<UserId>,
    /// Where it is sent; none: it is handed over in another way, and shows nothing about an address.
    pub(crate) email: Option<String>,
    pub(crate) bound: Option<(TenantId, Role)>,
    pub(crate) next: Option<String>,
    pub(crate) good_for: Duration,
}

impl People {
    /// What a link is for, without using it up. Errors: 404 `link_over`; those of the store.
    pub async fn peek_link(&self, token: &str) -> Result<Link> {
        let link = self.hasher.shown(Kind::Link, token).ok_or_else(errors::link_over)?;
        let invitation = self.hasher.hash(Kind::Invitation, token);
        let found = self.store.read(Scope::system("people"), move |tx| match sql::look(tx, &link)? {
            // Somebody got an account in another way meanwhile.
            Some(found) if found.purpose == Purpose::SetUp && users::sql::is_anybody(tx)? => Ok(None),
            Some(found) => Ok(Some(found)),
            None => invitations::look(tx, &invitation),
        });
        found.await?.ok_or_else(errors::link_over)
    }
}
