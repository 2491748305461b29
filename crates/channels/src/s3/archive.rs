//! A bucket of the operator's, for whole objects that are written piece by piece: the export of days.
//!
//! An object is packed as it comes and sent in parts (multipart upload), so that a day of any size needs the memory of one part. It is there
//! when it is finished, and not before. What a server leaves when it dies in the middle is parts without an object: a rule of the bucket
//! (`AbortIncompleteMultipartUpload`) takes them away.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Method, Uri};
use kernel::{Ambient, Error, Result};
use serde_json::Value;
use web::outbound::{Client, OutboundResponse};

use super::configuration::Target;
use crate::aws::Request;
use crate::fault::Fault;

/// Bytes of a part: S3 takes ten thousand of them, and none but the last below 5 MiB.
const PART: usize = 8 * 1024 * 1024;
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A bucket, or what stands below a prefix in it.
#[derive(Clone)]
pub struct Archive(Arc<Inner>);

struct Inner {
    client: Client,
    ambient: Ambient,
    target: Target,
    prefix: String,
    part: usize,
}

impl Archive {
    /// `config` is as a webhook's `destination` of type `s3`: `bucket`, `region`, `accessKeyId`, `secretAccessKey`, optionally `endpoint` and
    /// `sessionToken`. Objects' keys begin with `prefix`. Nothing is sent yet. Error: 422 at the field.
    pub fn new(client: Client, ambient: Ambient, config: &Value, prefix: &str) -> Result<Self> {
        let mut whole = config.clone();
        whole["type"] = Value::from("s3");
        // Objects of an archive have names of their own; a brace would be a place to fill in.
        whole["prefix"] = Value::from(prefix);
        if prefix.contains(['{', '}']) {
            return Err(Error::field("/prefix", "must not have braces"));
        }
        let target = Target::read(&serde_json::json!({"destination": whole}))?;
        Ok(Self(Arc::new(Inner { client, ambient, target, prefix: prefix.to_owned(), part: PART })))
    }

    /// The same with parts of another size: for tests.
    #[must_use]
    pub fn with_part_size(self, part: usize) -> Self {
        let Inner { client, ambient, target, prefix, .. } = match Arc::try_unwrap(self.0) {
            Ok(inner) => inner,
            Err(shared) => return Self(shared),
        };
        Self(Arc::new(Inner { client, ambient, target, prefix, part }))
    }

    /// Begins an object of this name: `.gz` is added to it.
    pub fn begin(&self, name: &str) -> Result<Upload> {
        let uri = self.0.target.uri(&format!("{}{name}.gz", self.0.prefix))?;
        let packer = GzEncoder::new(Vec::new(), Compression::default());
        Ok(Upload { archive: Arc::clone(&self.0), uri, packer, id: None, tags: Vec::new() })
    }
}

/// An object that is being written.
pub struct Upload {
    archive: Arc<Inner>,
    uri: Uri,
    packer: GzEncoder<Vec<u8>>,
    /// Once a part was sent.
    id: Option<String>,
    tags: Vec<String>,
}

impl Upload {
    /// Adds a text. Error: internal, when a part could not be sent.
    pub async fn write(&mut self, text: String) -> Result<()> {
        let mut packer = std::mem::replace(&mut self.packer, GzEncoder::new(Vec::new(), Compression::default()));
        let packing = tokio::task::spawn_blocking(move || packer.write_all(text.as_bytes()).map(|()| packer));
        self.packer = packing.await.map_err(Error::internal)?.map_err(Error::internal)?;
        if self.packer.get_ref().len() < self.archive.part {
            return Ok(());
        }
        let part = std::mem::take(self.packer.get_mut());
        self.send_part(part).await
    }

    /// Makes the object. Error: internal; there is none then.
    pub async fn finish(mut self) -> Result<()> {
        let packer = std::mem::replace(&mut self.packer, GzEncoder::new(Vec::new(), Compression::default()));
        let rest = tokio::task::spawn_blocking(move || packer.finish()).await.map_err(Error::internal)?.map_err(Error::internal)?;
        if self.id.is_none() {
            return self.archive.send(Method::PUT, &self.uri, rest.into()).await.map(drop);
        }
        self.send_part(rest).await?;
        let part = |(at, tag): (usize, &String)| format!("<Part><PartNumber>{}</PartNumber><ETag>{tag}</ETag></Part>", at + 1);
        let parts: String = self.tags.iter().enumerate().map(part).collect();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let uri = self.with_query(&format!("uploadId={}", self.id.as_deref().unwrap_or_default()))?;
        let answer = self.archive.send(Method::POST, &uri, body.into()).await?;
        // S3 begins to answer 200 before it knows.
        if find(&answer.body, "Error").is_some() {
            return Err(refused(&answer));
        }
        Ok(())
    }

    async fn send_part(&mut self, bytes: Vec<u8>) -> Result<()> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => {
                let answer = self.archive.send(Method::POST, &self.with_query("uploads=")?, Bytes::new()).await?;
                self.id.insert(find(&answer.body, "UploadId").ok_or_else(|| refused(&answer))?).clone()
            }
        };
        let uri = self.with_query(&format!("partNumber={}&uploadId={id}", self.tags.len() + 1))?;
        let answer = self.archive.send(Method::PUT, &uri, bytes.into()).await?;
        let tag = answer.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).ok_or_else(|| refused(&answer))?;
        self.tags.push(tag.replace('"', "&quot;"));
        Ok(())
    }

    fn with_query(&self, query: &str) -> Result<Uri> {
        format!("{}?{query}", self.uri).parse().map_err(Error::internal)
    }
}

impl Inner {
    async fn send(&self, method: Method, uri: &Uri, body: Bytes) -> Result<OutboundResponse> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/gzip"))]);
        let request = Request { method, uri, headers, body, now: self.ambient.now(), timeout: TIMEOUT };
        let sent = self.target.identity.send(&self.client, request).await;
        let answer = sent.map_err(|error| Error::internal(format!("the archive was not reached: {}", Fault::from(error).text)))?;
        if answer.status.is_success() { Ok(answer) } else { Err(refused(&answer)) }
    }
}

fn refused(answer: &OutboundResponse) -> Error {
    let element = |name: &str| find(&answer.body, name).unwrap_or_default();
    Error::internal(format!("the archive answered {} {}: {}", answer.status.as_u16(), element("Code"), element("Message")))
}

/// What stands in the first element of this name.
fn find(body: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    Some(text.split_once(&format!("<{name}>"))?.1.split_once(&format!("</{name}>"))?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found() {
        let body = b"<?xml version=\"1.0\"?><R><UploadId>abc-1</UploadId><Error><Code>NoSuchUpload</Code></Error></R>";
        assert_eq!(find(body, "UploadId").as_deref(), Some("abc-1"));
        assert_eq!(find(body, "Code").as_deref(), Some("NoSuchUpload"));
        assert_eq!(find(body, "Message"), None);
    }
}
