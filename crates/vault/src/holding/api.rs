//! Where an account's API is, and when a grant has to be used lest it dies.

use std::time::Duration;

use kernel::{Error, Result, Timestamp};
use serde_json::{Map, Value};
use url::Url;

use crate::providers::{Endpoints, Provider, Settings, hosts};

/// The base of the API, without a slash at the end: fixed, or what the vendor said, if that is one of its hosts. Where the vendor's addresses
/// are replaced, it is there.
///
/// Error: 422 `api_base_refused`.
pub(crate) fn api_base(provider: &Provider, settings: &Settings, metadata: &Map<String, Value>) -> Result<Option<String>> {
    let trimmed = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
    if let Some(url) = &provider.api_base.url {
        return Ok(Endpoints::elsewhere(settings, url).as_ref().map(trimmed));
    }
    let Some(member) = &provider.api_base.member else { return Ok(settings.base_url.clone()) };
    let Some(said) = metadata.get(member).and_then(Value::as_str) else { return Ok(settings.base_url.clone()) };
    let refused = || {
        let detail = format!("{member} names a place that is none of the vendor's.");
        Error::invalid("api_base_refused", detail.clone()).at(format!("/metadata/{member}"), detail)
    };
    let url = Url::parse(said).map_err(|_| refused())?;
    if let Some(base) = &settings.base_url {
        let base = Url::parse(base).map_err(|_| refused())?;
        return if base.origin() == url.origin() { Ok(Some(trimmed(&url))) } else { Err(refused()) };
    }
    let host = url.host_str().unwrap_or_default();
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let fits = match provider.api_base.hosts.as_slice() {
        // A vendor that somebody described: the guarded client judges the address.
        [] => matches!(url.scheme(), "https" | "http") && !host.is_empty(),
        known => url.scheme() == "https" && url.port().is_none() && hosts::is_one_of(known, host),
    };
    if fits && is_plain { Ok(Some(trimmed(&url))) } else { Err(refused()) }
}

/// When a grant that nobody uses is to be renewed so that it lives on: after a third of the time that the vendor gives it. `None`: it lives on
/// by itself, or cannot be renewed.
pub(crate) fn keep_alive_at(provider: &Provider, is_renewable: bool, now: Timestamp) -> Option<Timestamp> {
    let days = provider.idle_days.filter(|_| is_renewable)?;
    Some(now.plus(Duration::from_hours(24 * days.min(3650)) / 3))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::find;

    fn base(provider: &str, settings: &Settings, member: &str, said: &str) -> std::result::Result<Option<String>, &'static str> {
        let metadata = json!({member: said});
        api_base(find(provider).unwrap(), settings, metadata.as_object().unwrap()).map_err(|error| error.code())
    }

    #[test]
    fn an_api_is_where_the_vendor_is() {
        let usual = Settings::default();
        let ours = |said: &str| base("salesforce", &usual, "instance_url", said);
        assert_eq!(ours("https://acme.my.salesforce.com/").unwrap().unwrap(), "https://acme.my.salesforce.com");
        for bad in [
            "http://acme.my.salesforce.com",
            "https://evil.example",
            "https://salesforce.com.evil.example",
            "https://a.salesforce.com:8443",
            "https://x@a.salesforce.com",
            "https://a.salesforce.com?x",
            "x",
        ] {
            assert_eq!(ours(bad), Err("api_base_refused"), "{bad}");
        }
        assert_eq!(base("zoho", &usual, "api_domain", "https://www.zohoapis.eu").unwrap().unwrap(), "https://www.zohoapis.eu");
        assert_eq!(base("zoho", &usual, "api_domain", "https://www.zohoapis.xx"), Err("api_base_refused"));
        assert_eq!(base("hubspot", &usual, "x", "y").unwrap().unwrap(), "https://api.hubapi.com");
        let moved = Settings { base_url: Some("http://127.0.0.1:9".into()), ..Settings::default() };
        assert_eq!(base("slack", &moved, "x", "y").unwrap().unwrap(), "http://127.0.0.1:9/api");
        assert_eq!(base("zoho", &moved, "api_domain", "http://127.0.0.1:9").unwrap().unwrap(), "http://127.0.0.1:9");
        assert_eq!(base("zoho", &moved, "api_domain", "http://127.0.0.1:10"), Err("api_base_refused"));
    }

    #[test]
    fn grants_are_used_long_before_they_die() {
        let days =
            |provider: &str| keep_alive_at(find(provider).unwrap(), true, Timestamp::from_millis(0)).map(|at| at.millis() / 86_400_000);
        let all = ["salesforce", "pipedrive", "google", "microsoft", "razorpay", "hubspot", "zoho", "slack"].map(days);
        assert_eq!(all, [Some(10), Some(20), Some(60), Some(30), Some(60), None, None, None]);
        assert_eq!(keep_alive_at(find("google").unwrap(), false, Timestamp::from_millis(0)), None);
    }
}
