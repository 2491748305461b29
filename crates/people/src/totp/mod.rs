//! Codes of an authenticator (TOTP, RFC 6238: SHA-1, six digits, thirty seconds, one step either way) and the recovery codes for when it is lost.
//!
//! The secret is sealed. A code is good once: the step of the last one is kept, and neither it nor an earlier one is taken again. Until an
//! enrolment is confirmed by a code, it is not asked for.

mod begin;
mod confirm;
mod disable;
mod recovery;

use kernel::{Error, Result, Secret, UserId};
use serde::{Deserialize, Serialize};
use store::Tx;
use totp_rs::{Builder, Totp};

use crate::users::methods;

pub(crate) use begin::handle as begin;
pub(crate) use confirm::{ConfirmTotp, RecoveryCodes, handle as confirm};
pub(crate) use disable::handle as disable;
pub(crate) use recovery::{handle as renew_codes, hash as recovery_hash};

/// Bytes of a secret (RFC 4226 §4 R6 recommends 160 bits).
const SECRET_LEN: usize = 20;

/// What an authenticator is given.
#[derive(Clone, Debug)]
pub struct TotpEnrolment {
    /// In base32, for typing.
    pub secret: Secret<String>,
    /// `otpauth://totp/…`, for a QR code.
    pub uri: Secret<String>,
}

/// The same in JSON, this once.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnrolmentBody {
    /// In base32, for typing.
    secret: String,
    /// `otpauth://totp/…`, for a QR code.
    uri: String,
}

fn context(user: UserId) -> String {
    format!("sign_in_methods.totp:{user}")
}

/// A generator over a secret. Names with a colon would be read as two.
fn generator(secret: &[u8], issuer: &str, account: &str) -> Result<Totp> {
    let bytes: [u8; SECRET_LEN] = secret.try_into().map_err(|_| Error::internal("a TOTP secret of the wrong length"))?;
    let plain = |text: &str| text.replace(':', " ").trim().to_owned();
    let builder = Builder::new().with_secret(bytes.to_vec()).with_account_name(plain(account)).with_issuer(Some(plain(issuer)));
    builder.build().map_err(|error| Error::internal(error.to_string()))
}

/// Uses a code of the person's confirmed authenticator up; false: it is wrong, was used, or there is none.
pub(crate) fn use_code(tx: &mut Tx<'_>, user: UserId, code: &str) -> Result<bool> {
    let known = methods::of(tx, user)?;
    if known.totp_confirmed_at.is_none() {
        return Ok(false);
    }
    take(tx, user, known.totp.as_deref(), code)
}

/// The same of one that may not be confirmed yet.
fn take(tx: &mut Tx<'_>, user: UserId, sealed: Option<&[u8]>, code: &str) -> Result<bool> {
    let Some(sealed) = sealed else { return Ok(false) };
    let secret = Secret::new(tx.sealer().open(&context(user), sealed)?);
    let generator = generator(secret.reveal(), "", "")?;
    // People type what they read: `123 456`.
    let code: String = code.chars().filter(|c| !c.is_whitespace()).take(7).collect();
    let seconds = u64::try_from(tx.now().millis() / 1000).unwrap_or(0);
    match generator.check(&code, seconds) {
        Some(step) => methods::use_step(tx, user, step),
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_rfc_6238() {
        // Appendix B has eight digits; six are their end.
        let generator = generator(b"12345678901234567890", "Trade: wind", "ada@example.com").unwrap();
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")] {
            assert_eq!(generator.check(code, at), Some(at / 30), "{at}");
            assert_eq!(generator.check(code, at + 30), Some(at / 30), "a step late");
            assert_eq!(generator.check(code, at + 90), None, "three steps late");
        }
        for bad in ["", "28708", "2870822", "٢٨٧٠٨٢", "abcdef"] {
            assert_eq!(generator.check(bad, 59), None, "{bad}");
        }
        let uri = generator.to_url().unwrap();
        assert!(uri.starts_with("otpauth://totp/") && uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{uri}");
    }
}
