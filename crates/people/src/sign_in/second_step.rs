//! The second proof.

use access::people::UserStatus;
use kernel::{Error, Kind as ErrorKind, Result, Scope, UserId};
use store::Tx;

use super::{Proof, sql};
use crate::ceremonies::Purpose;
use crate::passkeys::Used;
use crate::passwords::Verdict;
use crate::sessions::{self, Method, NewSession};
use crate::tokens::Kind;
use crate::users::methods;
use crate::{People, Visit, errors, guard, invitations, totp};

impl People {
    /// Shows the second proof of a sign-in that owes one.
    ///
    /// Errors: 401 `second_step_failed`, 401 `second_step_over` (begin again), 403 `user_suspended`, 429 `too_many_attempts`.
    pub async fn second_step(&self, pending: &str, proof: Proof, visit: &Visit) -> Result<NewSession> {
        let hash = self.hasher.shown(Kind::Pending, pending).ok_or_else(errors::second_step_over)?;
        self.guard.attempt(visit, self.ambient.now())?;
        let owed = self.store.write(Scope::system("people"), move |tx| sql::try_once(tx, &hash)).await?;
        let (user, mut proven) = owed.ok_or_else(errors::second_step_over)?;
        let email = self.address(user).await?;
        self.count_attempt(&email, Some(user), visit).await?;
        // A passkey is both proofs at once: whoever has one signs in with it, and owes nothing.
        let check = self.check(user, proof, "").await?;
        proven.push(check.method());
        let (draft, session) = self.draft(user, proven, None, visit);
        let account = self.account(&email);
        let entered = self.store.write(Scope::person(user, visit.info()), move |tx| {
            let active = access::people::user(tx, user)?.is_some_and(|user| user.status == UserStatus::Active);
            if !active {
                return Err(errors::user_suspended());
            }
            check.apply(tx, user)?;
            let invitation = sql::settle(tx, &hash)?.ok_or_else(errors::second_step_over)?;
            guard::forgive(tx, account)?;
            invitations::admit_if_open(tx, invitation.as_deref(), user)?;
            sessions::sql::begin(tx, &draft)
        });
        self.noting_failure(visit, entered.await)?;
        Ok(session)
    }

    /// Where a person's mail goes. Error: 401 `second_step_over` for one who is gone.
    pub(crate) async fn address(&self, user: UserId) -> Result<String> {
        let found = self.store.read(Scope::system("people"), move |tx| access::people::user(tx, user)).await?;
        found.map(|user| user.email).ok_or_else(errors::second_step_over)
    }

    /// Counts a wrong proof against its network.
    pub(crate) fn noting_failure<T>(&self, visit: &Visit, outcome: Result<T>) -> Result<T> {
        if outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unauthenticated) {
            self.guard.failed(visit, self.ambient.now());
        }
        outcome
    }

    /// What is slow about a proof, done outside of the transaction that uses it up. `browser`: what tells the browser that shows it.
    pub(crate) async fn check(&self, user: UserId, proof: Proof, browser: &str) -> Result<Check> {
        Ok(match proof {
            Proof::Password(password) => {
                let read = self.store.read(Scope::system("people"), move |tx| methods::of(tx, user)).await?;
                let stored = read.password_hash;
                let fits = self.passwords.verify(password, stored.clone()).await? != Verdict::Wrong;
                Check::Password(stored.filter(|_| fits))
            }
            Proof::Totp(code) => Check::Totp(code),
            Proof::RecoveryCode(code) => Check::RecoveryCode(totp::recovery_hash(&self.hasher, user, &code)),
            Proof::Passkey(shown) => {
                let used = self.use_passkey(&shown.0, Purpose::PasskeyProof, browser).await;
                Check::Passkey(used?)
            }
        })
    }
}

/// A proof that is to be used up.
pub(crate) enum Check {
    /// The stored form that it was found to fit; none: it did not.
    Password(Option<String>),
    Totp(String),
    RecoveryCode([u8; 32]),
    Passkey(Used),
}

impl Check {
    pub(crate) fn method(&self) -> Method {
        match self {
            Self::Password(_) => Method::Password,
            Self::Totp(_) => Method::Totp,
            Self::RecoveryCode(_) => Method::RecoveryCode,
            Self::Passkey(_) => Method::Passkey,
        }
    }

    /// Uses the proof up. Errors: 401 `second_step_failed`, 401 `passkey_failed`.
    pub(crate) fn apply(&self, tx: &mut Tx<'_>, user: UserId) -> Result<()> {
        let holds = match self {
            Self::Password(fitting) => fitting.is_some() && methods::of(tx, user)?.password_hash == *fitting,
            Self::Totp(code) => totp::use_code(tx, user, code)?,
            Self::RecoveryCode(hash) => {
                let used = methods::use_recovery_code(tx, user, *hash)?;
                if used {
                    tx.audit("user.use_recovery_code", user)?;
                }
                used
            }
            Self::Passkey(used) => {
                used.apply(tx)?;
                used.user() == user
            }
        };
        if holds { Ok::<(), Error>(()) } else { Err(errors::second_step_failed()) }
    }
}
