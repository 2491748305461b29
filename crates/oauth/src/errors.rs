//! Errors as the protocol spells them (RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 8707 §2, RFC 9126 §2.3).
//!
//! They are [`kernel::Error`]s whose code is the protocol's; [`form`] shows them as `{"error", "error_description"}`.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use http::{HeaderValue, StatusCode};
use kernel::{Error, Kind, RequestId};
use serde_json::{Value, json};
use web::{ErrorForm, RenderError};

macro_rules! protocol {
    ($( $(#[$doc:meta])* $name:ident = $kind:ident $code:literal ),+ $(,)?) => {
        $( $(#[$doc])* pub(crate) fn $name(detail: impl Into<Cow<'static, str>>) -> Error { Error::new(Kind::$kind, $code, detail) } )+

        /// Every code of the protocol that is said here.
        const CODES: &[&str] = &[ $( $code ),+ ];
    };
}

protocol! {
    /// Something is missing, twice, or malformed.
    invalid_request = Malformed "invalid_request",
    /// The client is unknown, or did not prove that it is the one.
    invalid_client = Unauthenticated "invalid_client",
    /// The code, refresh token or assertion is not good, or not this client's.
    invalid_grant = Malformed "invalid_grant",
    /// The client may not do this.
    unauthorized_client = Malformed "unauthorized_client",
    /// There is no such way to tokens here.
    unsupported_grant_type = Malformed "unsupported_grant_type",
    /// There is no such way to codes here.
    unsupported_response_type = Malformed "unsupported_response_type",
    /// A scope that does not exist, or that the client may not have.
    invalid_scope = Malformed "invalid_scope",
    /// A resource that is not served here (RFC 8707).
    invalid_target = Malformed "invalid_target",
    /// The person, or we for them, said no.
    access_denied = Malformed "access_denied",
    /// Nobody is signed in, and the client asked not to ask (OpenID Connect Core §3.1.2.6).
    login_required = Malformed "login_required",
    /// Somebody would have to choose, and the client asked not to ask.
    account_selection_required = Malformed "account_selection_required",
    /// Somebody would have to consent, and the client asked not to ask.
    consent_required = Malformed "consent_required",
    /// A request object by value is not read.
    request_not_supported = Malformed "request_not_supported",
    /// A `request_uri` that is none of ours, or is over (RFC 9101 §5.2.2).
    invalid_request_uri = Malformed "invalid_request_uri",
}

/// Codes that others of this crate say, and that are shown as they are.
const ALSO: &[&str] = &[
    "authorization_pending",
    "slow_down",
    "expired_token",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "invalid_redirect_uri",
    "invalid_client_metadata",
    "invalid_software_statement",
    "unapproved_software_statement",
    "invalid_token",
    "insufficient_scope",
    "unsupported_token_type",
];

/// The name of an error in the protocol's answers.
pub(crate) fn name(error: &Error) -> &'static str {
    let code = error.code();
    if CODES.contains(&code) || ALSO.contains(&code) {
        return code;
    }
    match error.kind() {
        Kind::Internal | Kind::BadGateway | Kind::GatewayTimeout => "server_error",
        Kind::Unavailable | Kind::RateLimited => "temporarily_unavailable",
        _ => "invalid_request",
    }
}

/// The text for developers, in the characters that RFC 6749 §5.2 allows.
pub(crate) fn description(error: &Error) -> String {
    let mut text = error.detail().to_owned();
    for field in error.fields() {
        text.push_str(&format!(" {}: {}", field.pointer, field.detail));
    }
    text.chars().map(|c| if matches!(c, ' '..='!' | '#'..='[' | ']'..='~') { c } else { '\'' }).collect()
}

/// The protocol's form of errors.
pub(crate) fn form() -> ErrorForm {
    static FORM: OnceLock<ErrorForm> = OnceLock::new();
    FORM.get_or_init(|| Arc::new(Form)).clone()
}

struct Form;

impl RenderError for Form {
    fn render(&self, error: &Error, _: RequestId) -> (StatusCode, &'static str, Vec<u8>) {
        let body = json!({"error": name(error), "error_description": description(error)});
        (web::status(error.kind()), "application/json", body.to_string().into_bytes())
    }

    fn described(&self) -> Option<(&'static str, Value)> {
        let text = |about: &str| json!({"type": "string", "description": about});
        let properties = json!({"error": text("Stable, for programs: the RFC's."), "error_description": text("For developers.")});
        Some(("application/json", json!({"type": "object", "required": ["error"], "properties": properties})))
    }

    /// A client proves itself by Basic, or in the body (RFC 6749 §5.2).
    fn challenge(&self, error: &Error) -> HeaderValue {
        HeaderValue::from_static(match error.code() {
            "invalid_client" => "Basic realm=\"oauth\"",
            // RFC 6750 §3.1.
            "invalid_token" => "Bearer error=\"invalid_token\"",
            _ => "Bearer",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_only_the_characters_that_may_stand_there() {
        let error = invalid_request("say \"no\" to C:\\ and ä\n");
        assert_eq!(description(&error), "say 'no' to C:' and ''");
        assert_eq!(name(&error), "invalid_request");
        assert_eq!(name(&Error::internal("x")), "server_error");
        assert_eq!(name(&Error::not_found("thing")), "invalid_request");
    }
}
