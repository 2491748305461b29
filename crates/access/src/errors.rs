//! Errors that more than one operation gives.

use kernel::{Error, Result};

/// The one answer to every bad credential: unknown, mistyped, wrong, disabled, revoked and expired look the same.
pub(crate) fn invalid_credential() -> Error {
    Error::unauthenticated("invalid_credential", "Invalid API key or access token")
}

/// The credential is good, its client is not.
pub(crate) fn client_suspended() -> Error {
    Error::forbidden("client_suspended", "This API client is suspended. Ask the operator of this service.")
}

/// What the operator switched off is not the partner's to switch on.
pub(crate) fn switched_off_by_operator(thing: &str) -> Error {
    let text = format!("The operator switched this {thing} off, and only the operator can switch it on again. Ask them.");
    Error::forbidden("switched_off_by_operator", text)
}

/// The credential is good, its tenant is not.
pub(crate) fn tenant_suspended() -> Error {
    Error::forbidden("tenant_suspended", "This tenant is suspended. Ask the operator of this service.")
}

/// 409 for an external id in use.
pub(crate) fn external_id_taken(thing: &str) -> Error {
    Error::conflict("external_id_taken", format!("Another {thing} has this externalId.")).at("/externalId", "is taken")
}

/// A unique constraint that two writers broke at the same time: what is taken is found by asking again.
pub(crate) fn taken_meanwhile<T>(outcome: Result<T>) -> Result<T> {
    outcome.map_err(|error| if store::is_unique_violation(&error) { made_meanwhile().caused_by(error) } else { error })
}

/// 409 `already_exists`.
pub(crate) fn made_meanwhile() -> Error {
    Error::conflict("already_exists", "Something with the same external id or slug was made at the same moment.")
}
