//! Who calls, told to the backend in headers that it can verify.
//!
//! `Tradewind-Signature: v1=<hex>` is the HMAC-SHA-256, keyed by the upstream's secret as shown (`twup_…`), of these lines, joined by one
//! line feed each and none at the end; a header that is not sent is an empty line:
//!
//! ```text
//! v1
//! <Tradewind-Timestamp>          Unix seconds
//! <Tradewind-Request-Id>
//! <method>
//! <path and query as the backend gets them>
//! <Tradewind-Tenant>
//! <Tradewind-Client>
//! <Tradewind-Key>
//! <Tradewind-Scopes>             separated by spaces; * where scopes do not bind
//! ```

use std::fmt::{self, Write as _};

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{Caller, Credential, RequestId, Secret, Timestamp};
use sha2::Sha256;

/// Whatever begins so is ours: a caller's own are taken away.
pub(crate) const PREFIX: &str = "tradewind-";

const TENANT: HeaderName = HeaderName::from_static("tradewind-tenant");
const CLIENT: HeaderName = HeaderName::from_static("tradewind-client");
const KEY: HeaderName = HeaderName::from_static("tradewind-key");
const SCOPES: HeaderName = HeaderName::from_static("tradewind-scopes");
const REQUEST: HeaderName = HeaderName::from_static("tradewind-request-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("tradewind-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("tradewind-signature");

/// The secret by which the upstream `name` verifies who calls: the same on every node and for ever, as long as the database lives.
pub fn signing_secret(installation: &Secret<Vec<u8>>, name: &str) -> Secret<String> {
    Secret::new(format!("twup_{}", hex(&web::signature::derive(installation, name))))
}

/// Signs identities for one upstream.
#[derive(Clone)]
pub(crate) struct Signer {
    /// Keyed already: a call copies the state and does not derive it anew.
    keyed: Hmac<Sha256>,
}

impl Signer {
    pub(crate) fn new(secret: &Secret<String>) -> Self {
        Self { keyed: Hmac::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes keys of any length") }
    }

    /// Writes the headers of `caller`, whose request asks for `target` (path and query) by `method`.
    pub(crate) fn sign(&self, headers: &mut HeaderMap, caller: &Caller, request: RequestId, now: Timestamp, method: &str, target: &str) {
        let mut lines = Lines { text: String::with_capacity(320), headers };
        lines.text.push_str("v1");
        lines.add(TIMESTAMP, |text| write!(text, "{}", now.seconds()));
        lines.add(REQUEST, |text| write!(text, "{request}"));
        for part in ["\n", method, "\n", target] {
            lines.text.push_str(part);
        }
        lines.add(TENANT, |text| caller.tenant().map_or(Ok(()), |tenant| write!(text, "{tenant}")));
        lines.add(CLIENT, |text| caller.client().map_or(Ok(()), |client| write!(text, "{client}")));
        lines.add(KEY, |text| key(text, caller.credential()));
        lines.add(SCOPES, |text| scopes(text, caller));
        let mut mac = self.keyed.clone();
        mac.update(lines.text.as_bytes());
        let signature = format!("v1={}", hex(&mac.finalize().into_bytes()));
        headers.insert(SIGNATURE, HeaderValue::try_from(signature).expect("hexadecimal digits are visible ASCII"));
    }
}

/// The canonical text as it grows, and the headers that say the same.
struct Lines<'a> {
    text: String,
    headers: &'a mut HeaderMap,
}

impl Lines<'_> {
    fn add(&mut self, name: HeaderName, write: impl FnOnce(&mut String) -> fmt::Result) {
        self.text.push('\n');
        let from = self.text.len();
        // Writing into a String does not fail.
        let _ = write(&mut self.text);
        if self.text.len() > from
            && let Ok(value) = HeaderValue::from_str(&self.text[from..])
        {
            self.headers.insert(name, value);
        }
    }
}

fn key(text: &mut String, credential: &Credential) -> fmt::Result {
    match credential {
        Credential::Key { key, .. } => write!(text, "{key}"),
        Credential::ServiceKey { key, .. } => write!(text, "{key}"),
        _ => Ok(()),
    }
}

fn scopes(text: &mut String, caller: &Caller) -> fmt::Result {
    if !caller.is_bound_by_scopes() {
        return text.write_char('*');
    }
    for (i, scope) in caller.scopes().iter().enumerate() {
        if i > 0 {
            text.push(' ');
        }
        text.push_str(scope);
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
