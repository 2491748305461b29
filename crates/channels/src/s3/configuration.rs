//! What an S3 destination is configured by, and the names of its objects.

use std::time::Duration;

use http::Uri;
use kernel::{DestinationId, Error, Result, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::aws::{Identity, plain_url};
use crate::configuration;
use crate::template::Template;

/// Longest wait for company, and the usual one, in milliseconds.
const MAX_WAIT: u64 = 5000;
const USUAL_WAIT: u64 = 500;
/// Most events in an object, and the usual bound.
const MAX_EVENTS: usize = 10_000;
const USUAL_EVENTS: usize = 1000;
/// Longest prefix in bytes; S3 takes keys of 1024.
const MAX_PREFIX: usize = 512;
const USUAL_PREFIX: &str = "{webhook}/{year}/{month}/{day}/";
const PLACES: &[&str] = &["webhook", "tenant", "year", "month", "day", "hour"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    bucket: String,
    region: String,
    #[serde(default)]
    endpoint: Option<String>,
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    max_batch: Option<usize>,
    #[serde(default)]
    max_wait_ms: Option<u64>,
    #[serde(default)]
    gzip: Option<bool>,
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    session_token: Option<String>,
}

/// A configuration, checked.
pub(crate) struct Target {
    /// Where the bucket is, with a slash at the end.
    pub(super) base: Url,
    pub(super) has_endpoint: bool,
    pub(super) identity: Identity,
    pub(super) max_events: usize,
    pub(super) max_wait: Duration,
    pub(super) gzip: bool,
    prefix: Template,
}

impl Target {
    /// Errors: 422 at the field.
    pub(super) fn read(config: &Value) -> Result<Self> {
        // Lines carry no signature: the object's store is what a reader trusts.
        let (own, _) = configuration::read::<Config>(config)?;
        check_bucket(&own.bucket)?;
        let base = base(&own)?;
        let identity = Identity::new("s3", &own.region, &own.access_key_id, &own.secret_access_key, own.session_token.as_ref())?;
        let prefix = own.prefix.as_deref().unwrap_or(USUAL_PREFIX);
        let odd = |c: char| c.is_control() || c == '\\';
        if prefix.len() > MAX_PREFIX
            || prefix.chars().any(odd)
            || prefix.starts_with('/')
            || prefix.split('/').any(|part| matches!(part, "." | ".."))
        {
            return Err(Error::field("/prefix", format!("must have at most {MAX_PREFIX} bytes, no leading slash and no part . or ..")));
        }
        let max_events = own.max_batch.unwrap_or(USUAL_EVENTS);
        if !(1..=MAX_EVENTS).contains(&max_events) {
            return Err(Error::field("/maxBatch", format!("must be 1 to {MAX_EVENTS}")));
        }
        let max_wait = own.max_wait_ms.unwrap_or(USUAL_WAIT);
        if !(1..=MAX_WAIT).contains(&max_wait) {
            return Err(Error::field("/maxWaitMs", format!("must be 1 to {MAX_WAIT}")));
        }
        Ok(Self {
            base,
            has_endpoint: own.endpoint.is_some(),
            identity,
            max_events,
            max_wait: Duration::from_millis(max_wait),
            gzip: own.gzip.unwrap_or(true),
            prefix: Template::parse("prefix", prefix, PLACES)?,
        })
    }

    /// The key of an object that is begun at `now`; `unique` is a text that no other object has.
    pub(super) fn key(&self, webhook: DestinationId, tenant: &str, now: Timestamp, unique: &str) -> String {
        // RFC 3339, UTC: 2026-03-01T04:05:06.789Z
        let at = now.to_string();
        let part = |from: usize, to: usize| at.get(from..to).unwrap_or_default().to_owned();
        let prefix = self.prefix.fill(|place| match place {
            "webhook" => webhook.to_string(),
            "tenant" => tenant.to_owned(),
            "year" => part(0, 4),
            "month" => part(5, 7),
            "day" => part(8, 10),
            _ => part(11, 13),
        });
        let stamp: String = at.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("{prefix}{stamp}-{unique}.ndjson{}", if self.gzip { ".gz" } else { "" })
    }

    /// Where an object of this key is stored.
    pub(super) fn uri(&self, key: &str) -> Result<Uri> {
        let mut url = self.base.clone();
        let path = format!("{}{}", self.base.path(), encode(key));
        url.set_path(&path);
        web::outbound::to_uri(&url).map_err(|refusal| refusal.into_error("/prefix"))
    }
}

/// As S3 signs keys: everything but unreserved characters and slashes.
fn encode(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn check_bucket(bucket: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let fits = (3..=63).contains(&bucket.len()) && bucket.chars().all(plain) && ends(bucket.chars().next()) && ends(bucket.chars().last());
    if fits && !bucket.contains("..") { Ok(()) } else { Err(Error::field("/bucket", "must be a bucket's name: 3 to 63 of a-z 0-9 . -")) }
}

/// The bucket as a host of its own at Amazon, unless a dot in its name would break TLS; as a path elsewhere.
fn base(own: &Config) -> Result<Url> {
    let text = match &own.endpoint {
        Some(endpoint) => {
            let endpoint = plain_url("endpoint", endpoint)?;
            format!("{}/{}/", endpoint.as_str().trim_end_matches('/'), own.bucket)
        }
        None if own.bucket.contains('.') => format!("https://s3.{}.amazonaws.com/{}/", own.region, own.bucket),
        None => format!("https://{}.s3.{}.amazonaws.com/", own.bucket, own.region),
    };
    Url::parse(&text).map_err(|_| Error::field("/region", "must be a region such as eu-central-1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Ambient;
    use serde_json::json;

    #[allow(clippy::needless_pass_by_value, reason = "called with literals")]
    fn target(more: Value) -> Result<Target> {
        let mut config = json!({"type": "s3", "bucket": "archive", "region": "eu-central-1", "accessKeyId": "AK", "secretAccessKey": "sk"});
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        Target::read(&json!({"destination": config}))
    }

    #[test]
    fn objects_have_a_date_and_a_name_of_their_own() {
        let id = Ambient::system().id();
        let now = Timestamp::parse("2026-03-01T04:05:06.789Z").unwrap();
        let key = target(json!({})).unwrap().key(id, "ten_1", now, "dlv-1");
        assert_eq!(key, format!("{id}/2026/03/01/20260301T040506789Z-dlv-1.ndjson.gz"));
        let plain = target(json!({"prefix": "a b/{tenant}/h={hour}/", "gzip": false})).unwrap();
        let key = plain.key(id, "ten_1", now, "x");
        assert_eq!(key, "a b/ten_1/h=04/20260301T040506789Z-x.ndjson");
        let at = "https://archive.s3.eu-central-1.amazonaws.com/a%20b/ten_1/h%3D04/20260301T040506789Z-x.ndjson";
        assert_eq!(plain.uri(&key).unwrap().to_string(), at);
    }

    #[test]
    fn buckets_are_hosts_or_paths() {
        let base = |more: Value| target(more).unwrap().base.to_string();
        assert_eq!(base(json!({"bucket": "my.archive"})), "https://s3.eu-central-1.amazonaws.com/my.archive/");
        assert_eq!(base(json!({"endpoint": "https://s3.example/x/"})), "https://s3.example/x/archive/");
    }

    #[test]
    fn faults_name_their_field() {
        for (more, pointer) in [
            (json!({"bucket": "A"}), "/bucket"),
            (json!({"bucket": "a..b"}), "/bucket"),
            (json!({"region": "eu/../x"}), "/region"),
            (json!({"endpoint": "ftp://x"}), "/endpoint"),
            (json!({"endpoint": "https://x/?a=b"}), "/endpoint"),
            (json!({"prefix": "/a"}), "/prefix"),
            (json!({"prefix": "a/../b"}), "/prefix"),
            (json!({"prefix": "{id}"}), "/prefix"),
            (json!({"maxBatch": 0}), "/maxBatch"),
            (json!({"maxWaitMs": 60_000}), "/maxWaitMs"),
            (json!({"secretAccessKey": ""}), "/secretAccessKey"),
            (json!({"acl": "public-read"}), "/acl"),
        ] {
            assert_eq!(target(more.clone()).err().unwrap().fields()[0].pointer, pointer, "{more}");
        }
    }
}
