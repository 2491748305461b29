//! The pages, one file each: what its template is given, what shows it, what takes its form.
//!
//! A handler begins with who must be there ([`crate::view::Person`], [`crate::view::Account`], [`crate::view::Operator`]) or nobody
//! ([`crate::view::Shared`]), takes its form ([`crate::view::Form`]), calls one operation and answers with a page, or leads on.

pub(crate) mod admin;
pub(crate) mod apps;
pub(crate) mod ask_email;
mod choose;
pub(crate) mod confirm;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod external;
pub(crate) mod fault;
pub(crate) mod home;
pub(crate) mod host;
pub(crate) mod identities;
pub(crate) mod invitation;
pub(crate) mod link;
pub(crate) mod passkeys;
pub(crate) mod password;
pub(crate) mod preferences;
pub(crate) mod recovery_codes;
pub(crate) mod reset;
pub(crate) mod second_step;
pub(crate) mod security;
pub(crate) mod sessions;
pub(crate) mod set_up;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod styleguide;
pub(crate) mod totp;

use serde::Deserialize;

/// The queries of the pages that are reached by a link, or lead somewhere afterwards.
#[derive(Default, Deserialize)]
pub(crate) struct Asked {
    /// The token of a link.
    pub(crate) token: Option<String>,
    /// Where to go on afterwards.
    pub(crate) next: Option<String>,
    /// An address to begin with.
    pub(crate) email: Option<String>,
    /// What has just been done.
    pub(crate) done: Option<String>,
}

impl Asked {
    /// Where to go on: a path of ours, or home.
    pub(crate) fn next(&self) -> &str {
        self.next.as_deref().and_then(crate::answer::own_path).unwrap_or(crate::answer::HOME)
    }
}
