//! Reading a request's body, within bounds of size and time.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use kernel::{Error, Kind, Result};

/// The largest body when an endpoint says nothing: 1 MiB.
pub const DEFAULT_BODY_LIMIT: usize = 1024 * 1024;
/// How long a client may take to send a body.
const TIME: Duration = Duration::from_secs(60);
/// A body that is too large is read to its end up to here, and thrown away, so that the client gets to see the answer: one that is still
/// writing when we close sees a broken connection instead.
const DRAIN: usize = 32 * 1024 * 1024;
/// And for at most so long.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Reads `body`, at most `limit` bytes, whether or not it announces a length.
///
/// Errors: 413 `body_too_large`, 400 `body_incomplete` when the client breaks off or takes longer than a minute.
pub async fn read_body(body: Body, limit: usize) -> Result<Bytes> {
    match tokio::time::timeout(TIME, collect(body, limit)).await {
        Ok(read) => read,
        Err(_) => Err(Error::malformed("body_incomplete", "The body did not arrive in time.")),
    }
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes> {
    if body.size_hint().lower() > limit as u64 {
        drain(body, 0).await;
        return Err(too_large(limit));
    }
    let Some(first) = frame(&mut body).await? else { return Ok(Bytes::new()) };
    // Nearly every body is one frame: it is taken as it is, without a copy.
    if body.is_end_stream() && first.len() <= limit {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len().min(limit));
    let mut next = Some(first);
    while let Some(part) = next {
        if whole.len() + part.len() > limit {
            drain(body, whole.len()).await;
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&part);
        next = frame(&mut body).await?;
    }
    Ok(whole.freeze())
}

/// The next data of the body; trailers are skipped.
async fn frame(body: &mut Body) -> Result<Option<Bytes>> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::malformed("body_incomplete", "The body broke off.").caused_by(error))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

async fn drain(mut body: Body, already: usize) {
    if body.size_hint().lower() > DRAIN as u64 {
        return;
    }
    let reading = async {
        let mut seen = already;
        while let Ok(Some(part)) = frame(&mut body).await {
            seen += part.len();
            if seen > DRAIN {
                break;
            }
        }
    };
    // Whether it ends by itself, by size or by time makes no difference to the answer.
    tokio::time::timeout(DRAIN_TIME, reading).await.ok();
}

fn too_large(limit: usize) -> Error {
    Error::new(Kind::TooLarge, "body_too_large", format!("The body is larger than {limit} bytes, the limit of this path."))
}
