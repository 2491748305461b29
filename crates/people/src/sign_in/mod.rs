//! Signing in. Every way ends in `People::enter`: either in a session, or in the question for a second proof.
//!
//! What a stranger can learn: nothing. An address that nobody has costs the same work and gets the same answer as a wrong password; a link
//! "was sent" whether there is anybody to send it to or not. Only who has shown the right password is told that the account is suspended.

mod link;
mod passkey;
mod password;
mod reauthenticate;
mod reset;
mod second_step;
mod set_up;
mod sql;

use access::people::{User, UserStatus};
use kernel::{Result, Scope, Secret, Timestamp, UserId};
use store::Tx;

use crate::sessions::{self, Method, NewSession};
use crate::tokens::{Kind, Minted};
use crate::users::methods::{self, Methods};
use crate::{People, Visit, errors, guard, invitations};

pub use crate::invitations::Accept;
pub use passkey::PasskeyProof;
pub use set_up::{SetUp, set_up_link};

pub(crate) use passkey::{PasskeySignIn, PasskeySignInOptions, SignedInSession, handle as passkey, handle_options as passkey_options};

pub(crate) use sql::{drop_all as drop_pending, expire};

/// How long the second proof may take.
const SECOND_STEP_WITHIN: std::time::Duration = std::time::Duration::from_mins(10);

/// What came of a first proof.
#[derive(Debug)]
pub enum Outcome {
    /// The person is signed in.
    SignedIn(NewSession),
    /// A second proof is owed.
    SecondStep(Pending),
}

/// Somebody who owes a second proof.
#[derive(Debug)]
pub struct Pending {
    /// What the second step repeats.
    pub token: Secret<String>,
    /// What may be shown.
    pub methods: Vec<SecondFactor>,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A second proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// A code of an authenticator.
    Totp,
    /// One of the codes kept for when it is lost.
    RecoveryCode,
}

/// A proof of who somebody is.
#[derive(Debug)]
pub enum Proof {
    /// The password.
    Password(Secret<String>),
    /// A code of the authenticator.
    Totp(String),
    /// One of the codes kept for when it is lost.
    RecoveryCode(String),
    /// A passkey: the browser's answer to [`People::passkey_proof_options`].
    Passkey(PasskeyProof),
}

impl People {
    /// How failed attempts of an address are counted.
    pub(crate) fn account(&self, email: &str) -> [u8; 32] {
        self.hasher.hash(Kind::Account, email)
    }

    /// Counts an attempt on an account before it is judged. Error: 429 `too_many_attempts`.
    pub(crate) async fn count_attempt(&self, email: &str, user: Option<UserId>, visit: &Visit) -> Result<()> {
        let (account, visit) = (self.account(email), visit.clone());
        let wait = self.store.write(Scope::system("people"), move |tx| guard::count(tx, account, user, &visit)).await?;
        wait.map_or(Ok(()), |wait| Err(errors::too_many_attempts(wait)))
    }

    /// What an entry needs that is made outside of the transaction.
    pub(crate) fn entry(&self, user: &User, first: Method, visit: &Visit) -> Entry {
        let Minted { token, hash } = self.hasher.mint(Kind::Pending, &self.ambient);
        let (draft, session) = self.draft(user.id, vec![first], None, visit);
        Entry { account: self.account(&user.email), draft, session, pending: (token, hash), first, invitation: None }
    }
}

/// A person who has given a first proof, at the door.
pub(crate) struct Entry {
    account: [u8; 32],
    draft: sessions::Draft,
    session: NewSession,
    pending: (Secret<String>, [u8; 32]),
    first: Method,
    invitation: Option<[u8; 32]>,
}

impl Entry {
    /// The same of somebody who accepts an invitation with it: once everything that is owed was shown. `invitation`: the hash of its token.
    pub(crate) fn accepting(self, invitation: Option<[u8; 32]>) -> Self {
        Self { invitation, ..self }
    }

    /// The same of a proof that was shown earlier, elsewhere.
    pub(crate) fn proven(mut self, at: Timestamp) -> Self {
        self.draft.proven_at = at;
        self
    }

    /// Begins a session, or keeps in mind that a second proof is owed. `user` and `methods`: as they are now, in this transaction.
    pub(crate) fn enter(self, tx: &mut Tx<'_>, user: &User, methods: &Methods) -> Result<Outcome> {
        if user.status == UserStatus::Suspended {
            return Err(errors::user_suspended());
        }
        if methods.totp_confirmed_at.is_none() {
            guard::forgive(tx, self.account)?;
            if let Some(invitation) = self.invitation {
                invitations::admit(tx, &invitation, user)?;
            }
            sessions::sql::begin(tx, &self.draft)?;
            return Ok(Outcome::SignedIn(self.session));
        }
        let expires_at = tx.now().plus(SECOND_STEP_WITHIN);
        let (token, hash) = self.pending;
        sql::owe(tx, &hash, user.id, &[self.first], self.invitation, expires_at)?;
        let mut open = vec![SecondFactor::Totp];
        if methods::recovery_codes_left(tx, user.id)? > 0 {
            open.push(SecondFactor::RecoveryCode);
        }
        Ok(Outcome::SecondStep(Pending { token, methods: open, expires_at }))
    }
}
