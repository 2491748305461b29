//! The lines of a body as it arrives: no more than one of them and what came with it is held.

use std::time::Duration;

use axum::body::Body;
use bytes::{Buf as _, BytesMut};
use http_body_util::BodyExt as _;
use kernel::{Error, Kind, Result};

/// The longest line, in bytes: a record may have 256 KiB of JSON, which escapes can make longer.
const LONGEST: usize = 1024 * 1024;
/// How long the sender may pause.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so much waiting the sender must have been as fast as this on the whole, in bytes for each second that we waited.
const GRACE: Duration = Duration::from_secs(30);
const SLOWEST: u64 = 1024;
/// How long we wait for a body in all.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Lines of a body.
pub(super) struct Lines {
    body: Body,
    held: BytesMut,
    /// How far `held` was looked through, and whether that place lies in quotation marks.
    seen: usize,
    quoted: bool,
    /// Whether a line break in quotation marks belongs to its line (CSV).
    quotes: bool,
    left: usize,
    /// How much came, and how long we waited for it. The time that storing takes is not the sender's.
    came: u64,
    waited: Duration,
    is_over: bool,
}

impl Lines {
    /// Of at most `most` bytes in all.
    pub(super) fn new(body: Body, quotes: bool, most: usize) -> Self {
        Self { body, held: BytesMut::new(), seen: 0, quoted: false, quotes, left: most, came: 0, waited: Duration::ZERO, is_over: false }
    }

    /// The next line, without its break; empty ones too.
    ///
    /// Errors: 400 `body_incomplete`, 400 `malformed_line` (not UTF-8), 413 `body_too_large`, 413 `line_too_long`.
    pub(super) async fn next(&mut self) -> Result<Option<String>> {
        loop {
            while let Some(byte) = self.held.get(self.seen) {
                match byte {
                    b'"' if self.quotes => self.quoted = !self.quoted,
                    b'\n' if !self.quoted => return self.take(self.seen, 1).map(Some),
                    _ => {}
                }
                self.seen += 1;
            }
            if self.held.len() > LONGEST {
                let detail = format!("A line is longer than {LONGEST} bytes. Nothing of it and after it was imported.");
                return Err(Error::new(Kind::TooLarge, "line_too_long", detail));
            }
            if self.is_over {
                return if self.held.is_empty() { Ok(None) } else { self.take(self.held.len(), 0).map(Some) };
            }
            self.more().await?;
        }
    }

    fn take(&mut self, end: usize, broken: usize) -> Result<String> {
        let line = self.held.split_to(end);
        self.held.advance(broken);
        (self.seen, self.quoted) = (0, false);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let text = std::str::from_utf8(line).map_err(|_| Error::malformed("malformed_line", "A line is not UTF-8."))?;
        Ok(text.to_owned())
    }

    async fn more(&mut self) -> Result<()> {
        let broken = |detail: &'static str| Error::malformed("body_incomplete", detail);
        let begun = tokio::time::Instant::now();
        let patience = PATIENCE.min(self.patience());
        let frame = tokio::time::timeout(patience, self.body.frame()).await;
        self.waited += begun.elapsed();
        let frame = frame.map_err(|_| broken("The body did not arrive in time: send it faster, or in several parts."))?;
        let Some(frame) = frame else {
            self.is_over = true;
            return Ok(());
        };
        let Ok(data) = frame.map_err(|error| broken("The body broke off.").caused_by(error))?.into_data() else { return Ok(()) };
        self.left = self.left.checked_sub(data.len()).ok_or_else(|| {
            let detail =
                "The body is larger than an import may be. What came before its limit was imported: see the records, and send the rest.";
            Error::new(Kind::TooLarge, "body_too_large", detail)
        })?;
        self.came += data.len() as u64;
        self.held.extend_from_slice(&data);
        Ok(())
    }

    /// How much longer we wait before we give up.
    fn patience(&self) -> Duration {
        let fair = GRACE.max(Duration::from_millis(self.came.saturating_mul(1000) / SLOWEST));
        fair.min(LONGEST_WAIT).saturating_sub(self.waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(parts: &[&str], quotes: bool, most: usize) -> Result<Vec<String>> {
        let frames: Vec<std::result::Result<String, std::convert::Infallible>> = parts.iter().map(|part| Ok((*part).to_owned())).collect();
        let mut lines = Lines::new(Body::from_stream(futures_util::stream::iter(frames)), quotes, most);
        let mut out = Vec::new();
        while let Some(line) = lines.next().await? {
            out.push(line);
        }
        Ok(out)
    }

    #[tokio::test]
    async fn lines_come_whole_however_they_arrive() {
        assert_eq!(all(&["a\nb", "c\r", "\n\nd"], false, 100).await.unwrap(), ["a", "bc", "", "d"]);
        assert_eq!(all(&["a,\"x", "\ny\"\nb"], true, 100).await.unwrap(), ["a,\"x\ny\"", "b"]);
        assert_eq!(all(&["a,\"x\n"], false, 100).await.unwrap(), ["a,\"x"]);
        assert!(all(&[], true, 100).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn bounds_hold() {
        assert_eq!(all(&["abc", "def"], false, 5).await.unwrap_err().code(), "body_too_large");
        let long = "x".repeat(600_000);
        assert_eq!(all(&[&long, &long], false, 10_000_000).await.unwrap_err().code(), "line_too_long");
    }

    #[test]
    fn a_body_that_trickles_is_given_up() {
        let mut lines = Lines::new(Body::empty(), false, 0);
        for (came, waited, left) in [
            (0, 0, Duration::from_secs(30)),
            (12, 29, Duration::from_secs(1)),
            (12, 60, Duration::ZERO),
            (100 * SLOWEST, 60, Duration::from_secs(40)),
            (1_000_000 * SLOWEST, 3600, Duration::ZERO),
        ] {
            (lines.came, lines.waited) = (came, Duration::from_secs(waited));
            assert_eq!(lines.patience(), left, "{came} bytes in {waited} s");
        }
    }
}
