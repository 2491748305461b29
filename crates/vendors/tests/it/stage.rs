//! What the tests of the doubles share.

use std::sync::Arc;
use std::time::Duration;

use kernel::chance::SeededEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Timestamp};
use serde_json::Value;
use testkit::http::{Client, Response};

/// Webhooks arrive well within this time.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A clock that the test moves, and the ambient with it. It starts at a full second.
pub(crate) fn clock() -> (Arc<ManualClock>, Ambient) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_800_000_000_000)));
    (clock.clone(), Ambient::new(clock, Arc::new(SeededEntropy::new(7))))
}

/// POST of a form.
pub(crate) async fn form(client: &Client, path: &str, pairs: &[(&str, &str)]) -> Response {
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    client.request(http::Method::POST, path).body("application/x-www-form-urlencoded", body).send().await
}

/// The same, where the answer may be lost on the way.
pub(crate) async fn try_form(client: &Client, path: &str, pairs: &[(&str, &str)]) -> Result<Response, String> {
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    client.request(http::Method::POST, path).body("application/x-www-form-urlencoded", body).try_send().await
}

/// A parameter of the URL to which an answer redirects.
pub(crate) fn redirected(response: &Response, name: &str) -> Option<String> {
    let target = url::Url::parse(response.header("location")?).unwrap();
    target.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A text of a value.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
