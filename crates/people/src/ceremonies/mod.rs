//! What is begun in one request and ended in another, by somebody who was elsewhere in between: at an authenticator, or at another OpenID
//! provider. The token is what comes back: the challenge that a passkey signs, the `state` that a provider repeats.
//!
//! A token is good once, even for an answer that fails; for [`GOOD_FOR`]; for what it was begun for; and in the browser that began it, which
//! is told by its session, or by a cookie of somebody who has none.

mod sql;

use std::time::Duration;

use kernel::{Result, Scope, Secret, UserId};
use store::Tx;

use crate::People;
use crate::tokens::{Kind, Minted};

pub(crate) use sql::{drop_all, expire};

/// How long somebody may be elsewhere.
pub(crate) const GOOD_FOR: Duration = Duration::from_mins(5);

/// What for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A new passkey.
    AddPasskey,
    /// Signing in with one.
    PasskeySignIn,
    /// A fresh proof by one.
    PasskeyProof,
    /// Signing in with another provider.
    ExternalSignIn,
    /// Tying one's account to another provider's.
    ExternalLink,
    /// A fresh proof by one.
    ExternalProof,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::AddPasskey => "add_passkey",
            Self::PasskeySignIn => "passkey_sign_in",
            Self::PasskeyProof => "passkey_proof",
            Self::ExternalSignIn => "external_sign_in",
            Self::ExternalLink => "external_link",
            Self::ExternalProof => "external_proof",
        }
    }

    fn read(text: &str) -> Option<Self> {
        const ALL: [Purpose; 6] = [
            Purpose::AddPasskey,
            Purpose::PasskeySignIn,
            Purpose::PasskeyProof,
            Purpose::ExternalSignIn,
            Purpose::ExternalLink,
            Purpose::ExternalProof,
        ];
        ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// A ceremony to be begun.
#[derive(Debug)]
pub(crate) struct Beginning<'a> {
    pub(crate) purpose: Purpose,
    /// What tells the browser from others: the id of its session, or the value of a cookie.
    pub(crate) browser: &'a str,
    /// Who is signed in there.
    pub(crate) user: Option<UserId>,
    /// The address of the only account that may be signed in to.
    pub(crate) email: Option<&'a str>,
    /// Where the person goes on afterwards: a path of ours.
    pub(crate) next: Option<String>,
}

/// A ceremony that was begun, and now is over.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) purpose: Purpose,
    pub(crate) user: Option<UserId>,
    pub(crate) account: Option<[u8; 32]>,
    pub(crate) next: Option<String>,
}

impl People {
    /// Begins one, in a scope of whoever does; its token.
    pub(crate) async fn begin_ceremony(&self, scope: Scope, beginning: Beginning<'_>) -> Result<Secret<String>> {
        let Minted { token, hash } = self.hasher.mint(Kind::Ceremony, &self.ambient);
        let stored = sql::Stored {
            purpose: beginning.purpose.as_str(),
            browser: self.hasher.hash(Kind::Browser, beginning.browser),
            user: beginning.user,
            account: beginning.email.map(|email| self.account(email)),
            next: beginning.next,
        };
        self.store.write(scope, move |tx: &mut Tx<'_>| sql::insert(tx, &hash, &stored)).await?;
        Ok(token)
    }

    /// Ends the one with this token, whatever comes of it. None: there is none that this browser began, or it is over.
    pub(crate) async fn end_ceremony(&self, token: &str, browser: &str) -> Result<Option<Begun>> {
        let Some(hash) = self.hasher.shown(Kind::Ceremony, token) else { return Ok(None) };
        let taken = self.store.write(Scope::system("people"), move |tx| sql::take(tx, &hash)).await?;
        let browser = self.hasher.hash(Kind::Browser, browser);
        Ok(taken.filter(|(of, _)| *of == browser).map(|(_, begun)| begun))
    }
}
