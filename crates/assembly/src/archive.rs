//! Exports of days into a bucket: `retention` says what, `channels` has the client.

use anyhow::{Context as _, bail};
use channels::{Archive, Upload};
use futures_util::future::BoxFuture;
use kernel::{Ambient, Result, Secret};
use retention::{Piece, Sink};
use serde_json::json;
use url::Url;
use web::outbound::Client;

/// A bucket as a place for exports.
pub(crate) struct Bucket(Archive);

struct Object(Upload);

impl Sink for Bucket {
    fn begin<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Box<dyn Piece>>> {
        Box::pin(async move {
            let object: Box<dyn Piece> = Box::new(Object(self.0.begin(name)?));
            Ok(object)
        })
    }
}

impl Piece for Object {
    fn write(&mut self, lines: String) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.0.write(lines))
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(self.0.finish())
    }
}

/// The bucket that `s3://bucket/prefix/?region=…&endpoint=…` names, with `accessKeyId:secretAccessKey[:sessionToken]`.
pub(crate) fn bucket(url: &str, credentials: &Secret<String>, client: Client, ambient: Ambient) -> anyhow::Result<Bucket> {
    let read = Url::parse(url)
        .ok()
        .filter(|url| url.scheme() == "s3")
        .context("the export's URL looks like s3://bucket/prefix/?region=eu-central-1")?;
    let mut config = json!({"bucket": read.host_str().unwrap_or_default()});
    for (name, value) in read.query_pairs() {
        match name.as_ref() {
            "region" | "endpoint" => config[name.as_ref()] = json!(value),
            other => bail!("the export's URL has an unknown parameter {other:?}; there are region and endpoint"),
        }
    }
    let mut parts = credentials.reveal().splitn(3, ':');
    for name in ["accessKeyId", "secretAccessKey", "sessionToken"] {
        if let Some(part) = parts.next() {
            config[name] = json!(part);
        }
    }
    let wrong = |error: kernel::Error| {
        let fields = error.fields().iter().map(|field| format!("{} {}", field.pointer.trim_start_matches('/'), field.detail));
        anyhow::anyhow!("the export's bucket cannot be used: {}", fields.collect::<Vec<_>>().join("; "))
    };
    let archive = Archive::new(client, ambient, &config, read.path().trim_start_matches('/')).map_err(wrong)?;
    Ok(Bucket(archive))
}

#[cfg(test)]
mod tests {
    use web::outbound::{ClientConfig, UrlPolicy};

    use super::*;

    #[test]
    fn the_url_says_where() {
        let try_it = |url: &str, credentials: &str| {
            let client = Client::new(ClientConfig::new(UrlPolicy::default())).unwrap();
            bucket(url, &Secret::new(credentials.to_owned()), client, Ambient::system()).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(try_it("s3://archive/tradewind/?region=eu-central-1", "AK:secret"), Ok(()));
        assert_eq!(try_it("s3://archive?region=eu-central-1&endpoint=https://s3.example", "AK:secret:token"), Ok(()));
        for (url, credentials, part) in [
            ("https://archive", "AK:s", "looks like s3://"),
            ("s3://archive?region=eu-central-1", "AK", "cannot be used"),
            ("s3://archive", "AK:s", "cannot be used"),
            ("s3://archive?regio=x", "AK:s", "unknown parameter"),
        ] {
            let refused = try_it(url, credentials).unwrap_err();
            assert!(refused.contains(part) && !refused.contains("secret:"), "{url}: {refused}");
        }
    }
}
