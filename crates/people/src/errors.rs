//! Errors that more than one operation gives.

use std::time::Duration;

use kernel::{Error, Kind};

/// The one answer to every failed sign-in: unknown address, wrong password, no password at all.
pub(crate) fn sign_in_failed() -> Error {
    Error::unauthenticated(
        "sign_in_failed",
        "That e-mail address and password do not belong together. Check both, or ask for a link by mail.",
    )
}

/// The code, or whatever was shown as the second proof, is wrong.
pub(crate) fn second_step_failed() -> Error {
    Error::unauthenticated("second_step_failed", "That code is wrong, or was used already. Wait for the next one and try again.")
}

/// The first proof is too long ago, or the second was wrong too often.
pub(crate) fn second_step_over() -> Error {
    Error::unauthenticated("second_step_over", "This sign-in took too long or had too many wrong codes. Begin again.")
}

pub(crate) fn too_many_attempts(wait: Duration) -> Error {
    // In whole seconds, so that whoever comes back then is let in.
    let wait = Duration::from_secs(wait.as_secs() + 1);
    let text = "Too many attempts. Wait as long as Retry-After says, and try again.";
    Error::new(Kind::RateLimited, "too_many_attempts", text).retry_after(wait)
}

pub(crate) fn user_suspended() -> Error {
    Error::forbidden("user_suspended", "This account is suspended. Ask the operator of this service.")
}

/// Used, replaced, expired or never made: all the same.
pub(crate) fn link_over() -> Error {
    Error::new(Kind::NotFound, "link_over", "This link was used already or is too old. Ask for a new one.")
}

pub(crate) fn session_over() -> Error {
    Error::unauthenticated("session_over", "You are signed out. Sign in again.")
}

/// A call that changes something, with a session's cookie but without that session's token, or with another one.
pub(crate) fn csrf_token(is_shown: bool) -> Error {
    if is_shown {
        let text = "The header X-CSRF-Token is not the token of this session. Each sign-in and each proof of identity changes it: \
                    take the new one of GET /api/v1/me.";
        return Error::forbidden("csrf_token_wrong", text);
    }
    let text = "A call with a session's cookie that changes something needs the header X-CSRF-Token. GET /api/v1/me tells it.";
    Error::forbidden("csrf_token_missing", text)
}

/// An operation for signed-in people, called with another credential.
pub(crate) fn people_only() -> Error {
    Error::forbidden("people_only", "Only a signed-in person may do this, not a key.")
}

/// Of a session that a host began: it stands for the host's word, not for the person's.
pub(crate) fn not_in_host_session() -> Error {
    let text = "You came here by a link of another service, which may not change how you sign in. Sign in here to do that.";
    Error::forbidden("host_session", text)
}

pub(crate) fn mail_not_configured() -> Error {
    Error::conflict("mail_not_configured", "This server sends no e-mails. Ask its operator for a link.")
}

pub(crate) fn last_owner() -> Error {
    Error::conflict("last_owner", "A tenant keeps at least one owner. Make somebody else an owner first.")
}

pub(crate) fn already_member() -> Error {
    Error::conflict("already_member", "This person is a member already. Change the role instead.").at("/email", "is a member")
}

pub(crate) fn email_taken() -> Error {
    Error::conflict("email_taken", "Somebody has this e-mail address already.").at("/email", "is taken")
}

/// Nobody may grant what they lack.
pub(crate) fn role_exceeds_own() -> Error {
    let text = "This role may more than you may yourself. Ask somebody who has it.";
    Error::invalid("role_exceeds_own", text).at("/role", "may more than you may")
}

/// The one answer to every passkey that is not taken: unknown, removed, of somebody else, for another page, too late, forged.
pub(crate) fn passkey_failed() -> Error {
    Error::unauthenticated("passkey_failed", "This passkey was not accepted. Try again, or sign in another way.")
}

pub(crate) fn passkey_known() -> Error {
    Error::conflict("passkey_known", "This passkey is known already. Use another device, or remove the passkey first.")
}

/// Browsers have no passkeys at the public address.
pub(crate) fn passkeys_unavailable() -> Error {
    let text = "This server has no passkeys: browsers have them where TRADEWIND_PUBLIC_URL is https:// and a name, or http://localhost, and not an IP address.";
    Error::conflict("passkeys_unavailable", text)
}

/// Nobody takes away the last way by which they come in.
pub(crate) fn last_sign_in_method() -> Error {
    let text = "This is the only way by which you sign in. Add another first: a password, a passkey or a provider.";
    Error::conflict("last_sign_in_method", text)
}

/// The one answer to everything that is wrong with what another provider says.
pub(crate) fn external_failed() -> Error {
    Error::unauthenticated("external_failed", "Signing in with the other provider did not work. Begin again, or sign in another way.")
}

pub(crate) fn external_email_not_allowed() -> Error {
    let text = "The other provider shows no verified e-mail address with which one may sign in here.";
    Error::forbidden("external_email_not_allowed", text)
}

/// Newcomers are not welcome.
pub(crate) fn external_unknown() -> Error {
    let text = "Nobody here has the e-mail address that the other provider shows. Ask for an invitation.";
    Error::forbidden("external_unknown", text)
}

/// There is an account, and an address is not enough to tie it.
pub(crate) fn external_not_linked() -> Error {
    let text =
        "The account with this e-mail address is not connected to the other provider. Sign in as usual, and connect it under Security.";
    Error::forbidden("external_not_linked", text)
}

pub(crate) fn identity_taken() -> Error {
    let text = "This account of the other provider belongs to somebody else here, or yours is connected to another one there.";
    Error::conflict("identity_taken", text)
}
