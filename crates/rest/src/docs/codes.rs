//! The page that `type` of a problem points to: what each code means, and what to do.

use std::fmt::Write as _;

use super::escape;

const CODES: &[(&str, u16, &str)] = &[
    ("malformed_json", 400, "The body is not JSON, not UTF-8 or nests too deep. Send what a JSON library writes."),
    ("malformed_cursor", 400, "The cursor is not one of this list. Send nextCursor exactly as it came, or none to begin again."),
    ("body_incomplete", 400, "The body broke off or took too long. Send it again."),
    ("missing_credential", 401, "Send Authorization: Bearer and your key."),
    ("invalid_credential", 401, "The key is unknown, revoked or expired. Ask for another one."),
    ("unauthenticated", 401, "Send a credential: Authorization: Bearer and your key."),
    ("insufficient_scope", 403, "The credential lacks the scope that the text names."),
    ("operator_only", 403, "Only the operator's service key may do this."),
    ("ip_not_allowed", 403, "The credential may not be used from this address."),
    ("endpoint_not_allowed", 403, "The credential may not be used on this path."),
    ("not_found", 404, "There is no such thing, or it is not yours."),
    ("method_not_allowed", 405, "The path exists, the method does not; the Allow header names those that do."),
    ("external_id_taken", 409, "Another object of yours has this external id."),
    ("idempotency_key_busy", 409, "The first request with this Idempotency-Key is still running. Try again shortly."),
    ("not_unique", 409, "Another record has this value, and it must be unique."),
    ("body_too_large", 413, "The body is larger than this path takes."),
    ("record_too_large", 413, "The record would be larger than a record may be."),
    ("unsupported_media_type", 415, "Send JSON with Content-Type: application/json."),
    ("idempotency_key_reused", 422, "This Idempotency-Key belongs to another request. Use a new one."),
    ("scope_exceeds_client", 422, "A key cannot hold what its client does not."),
    ("tenant_required", 422, "A service key names the tenant it acts for: Tradewind-Tenant: ten_…"),
    ("validation_failed", 422, "The request breaks a rule; errors says which, with a JSON pointer to each place."),
    ("rate_limited", 429, "Too many requests. Retry-After says when to try again."),
    ("internal", 500, "Our fault. The request id helps us find it."),
    ("database_unavailable", 503, "Try again shortly; Retry-After says when."),
    ("overloaded", 503, "Too much is waiting. Try again shortly."),
    ("shutting_down", 503, "This server is stopping. Try again shortly."),
];

pub(super) fn page() -> String {
    let mut rows = String::new();
    for (code, status, text) in CODES {
        let _ = writeln!(rows, "<tr id=\"{code}\"><td><code>{code}</code></td><td>{status}</td><td>{}</td></tr>", escape(text));
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error codes</title>\n</head>\n<body>\n<h1>Error codes</h1>\n\
         <p>An error is answered as application/problem+json (RFC 9457). Programs look at <code>code</code>, which never changes; people \
         read <code>detail</code>. Codes that are not listed here say what to do in their detail.</p>\n\
         <table>\n<tr><th>code</th><th>status</th><th>what to do</th></tr>\n{rows}</table>\n</body>\n</html>\n"
    )
}
