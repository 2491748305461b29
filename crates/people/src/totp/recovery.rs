//! Recovery codes: `POST /api/v1/me/recovery-codes`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Ambient, Caller, Error, Result, Secret, UserId};

use super::RecoveryCodes;
use crate::People;
use crate::tokens::{Hasher, Kind};
use crate::users::methods;

/// Codes of one person, and characters of one: 50 random bits.
const CODES: usize = 10;
const LENGTH: usize = 10;
/// Crockford's base32: nothing that is read as something else.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The stored form of what somebody typed. A code of one person is nothing of another's.
pub(crate) fn hash(hasher: &Hasher, user: UserId, typed: &str) -> [u8; 32] {
    let plain: String = typed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .take(LENGTH + 1)
        .collect();
    hasher.hash(Kind::RecoveryCode, &format!("{user}:{plain}"))
}

/// New codes, with their stored forms.
pub(super) fn mint(hasher: &Hasher, ambient: &Ambient, user: UserId) -> (Vec<Secret<String>>, Vec<[u8; 32]>) {
    let one = || {
        let letters: Vec<char> = ambient.bytes::<LENGTH>().iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
        let (first, second) = letters.split_at(LENGTH / 2);
        format!("{}-{}", first.iter().collect::<String>(), second.iter().collect::<String>())
    };
    let codes: Vec<String> = (0..CODES).map(|_| one()).collect();
    let hashes = codes.iter().map(|code| hash(hasher, user, code)).collect();
    (codes.into_iter().map(Secret::new).collect(), hashes)
}

impl People {
    /// Ten new recovery codes, this once; those before are worth nothing any more.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 403 `reauthentication_required`, 404 if there is no authenticator.
    pub async fn new_recovery_codes(&self, caller: &Caller) -> Result<Vec<Secret<String>>> {
        let (user, scope) = self.own_security(caller, true).await?;
        let (codes, hashes) = mint(&self.hasher, &self.ambient, user);
        self.store
            .write(scope, move |tx| {
                if methods::of(tx, user)?.totp_confirmed_at.is_none() {
                    return Err(Error::not_found("authenticator"));
                }
                methods::set_recovery_codes(tx, user, &hashes)?;
                tx.audit("user.renew_recovery_codes", user)
            })
            .await?;
        Ok(codes)
    }
}

pub(crate) async fn handle(State(people): State<Arc<People>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<RecoveryCodes>> {
    let codes = people.new_recovery_codes(&caller).await?;
    Ok(web::Json(RecoveryCodes { recovery_codes: codes.iter().map(|code| code.reveal().clone()).collect() }))
}
