//! cURL, in a POSIX shell.

use super::Call;

pub(super) fn write(call: &Call) -> String {
    let mut parts = vec![format!("curl --fail-with-body --silent --show-error -X {} \"$TRADEWIND_URL{}\"", call.method, shell(&call.path))];
    if call.guarded {
        parts.push("-H \"Authorization: Bearer $TRADEWIND_API_KEY\"".to_owned());
    }
    if call.dual {
        parts.push("-H \"X-API-Secret: $TRADEWIND_API_SECRET\"".to_owned());
    }
    if let Some(body) = call.text() {
        parts.push(format!("-H 'Content-Type: {}'", call.media()));
        parts.push(format!("--data-binary '{}'", body.replace('\'', "'\\''")));
    }
    format!("{}\n", parts.join(" \\\n  "))
}

/// Text between double quotes.
fn shell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`")
}
