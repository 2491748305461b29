//! A raw HTTP/1.1 client on one keep-alive connection. It exists because the generator shares its cores with what it measures:
//! it parses with httparse, copies nothing that it need not, and allocates nothing once its buffer has grown.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer is at most this long, head and body.
const MAX_ANSWER: usize = 8 << 20;
/// No exchange lasts longer; what is slower is broken, and a run must end.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    body: Vec<u8>,
}

/// An answer; it borrows the connection's buffer.
#[derive(Debug)]
pub struct Reply<'a> {
    /// The status.
    pub status: u16,
    /// The value of `content-type`, or nothing.
    pub content_type: String,
    /// Whether the server closes this connection now.
    pub close: bool,
    /// The body, without transfer coding.
    pub body: &'a [u8],
}

struct Head {
    status: u16,
    length: usize,
    body: Body,
    close: bool,
    content_type: String,
}

#[derive(Clone, Copy)]
enum Body {
    Sized(usize),
    Chunked,
}

impl Wire {
    /// Connects to a loopback address. Errors: what the socket says; `InvalidInput` for any other address.
    #[allow(clippy::disallowed_methods, reason = "the generator speaks to loopback only, checked first, and must cost nothing")]
    pub async fn connect(to: SocketAddr) -> io::Result<Self> {
        if !to.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{to} is not a loopback address")));
        }
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 << 10), body: Vec::new() })
    }

    /// Sends the bytes of one whole request (see [`write_request`]) and reads the whole answer, in at most 30 s. After an error the
    /// connection is of no more use.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Reply<'_>> {
        let head = match tokio::time::timeout(PATIENCE, self.talk(request)).await {
            Ok(done) => done?,
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        };
        let body = match head.body {
            Body::Sized(length) => &self.buffer[head.length..head.length + length],
            Body::Chunked => &self.body[..],
        };
        Ok(Reply { status: head.status, content_type: head.content_type, close: head.close, body })
    }

    async fn talk(&mut self, request: &[u8]) -> io::Result<Head> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let head = loop {
            self.fill().await?;
            if let Some(head) = parse_head(&self.buffer)? {
                break head;
            }
        };
        match head.body {
            Body::Sized(length) => {
                while self.buffer.len() < head.length + length {
                    self.fill().await?;
                }
            }
            Body::Chunked => {
                while !unchunk(&self.buffer[head.length..], &mut self.body)? {
                    self.fill().await?;
                }
            }
        }
        Ok(head)
    }

    async fn fill(&mut self) -> io::Result<()> {
        if self.buffer.len() > MAX_ANSWER {
            return Err(bad("an answer of more than 8 MiB"));
        }
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// Appends one HTTP/1.1 request to `out`. Header names and values are the caller's and are not checked.
pub fn write_request(out: &mut Vec<u8>, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) {
    out.extend_from_slice(format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n").as_bytes());
    for (name, value) in headers {
        for part in [name, ": ", value, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    if let Some(body) = body {
        out.extend_from_slice(format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body.unwrap_or_default());
}

/// Appends a POST of a form, proven by `authorization`.
pub fn write_form(out: &mut Vec<u8>, path: &str, authorization: &str, form: &str) {
    let head = [
        "POST ",
        path,
        " HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ",
        authorization,
        "\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ",
        &form.len().to_string(),
        "\r\n\r\n",
        form,
    ];
    head.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
}

fn bad(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
}

fn parse_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).map_err(|error| bad(&error.to_string()))? else {
        return Ok(None);
    };
    let status = response.code.ok_or_else(|| bad("no status"))?;
    let mut head = Head { status, length, body: Body::Sized(0), close: false, content_type: String::new() };
    let mut sized = matches!(status, 204 | 304);
    for header in response.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        if header.name.eq_ignore_ascii_case("content-length") {
            head.body = Body::Sized(value.parse().map_err(|_| bad("content-length is not a number"))?);
            sized = true;
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
            head.body = Body::Chunked;
            sized = true;
        } else if header.name.eq_ignore_ascii_case("connection") {
            head.close = value.eq_ignore_ascii_case("close");
        } else if header.name.eq_ignore_ascii_case("content-type") {
            value.clone_into(&mut head.content_type);
        }
    }
    if sized { Ok(Some(head)) } else { Err(bad("an answer without a length")) }
}

/// Takes the chunks out of `bytes` (RFC 9112 §7.1) into `out`. False when the last chunk has not come yet.
fn unchunk(mut bytes: &[u8], out: &mut Vec<u8>) -> io::Result<bool> {
    out.clear();
    loop {
        let Some(line) = bytes.windows(2).position(|pair| pair == b"\r\n") else { return Ok(false) };
        let size = std::str::from_utf8(&bytes[..line]).map_err(|_| bad("a chunk size that is not text"))?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| bad("a chunk size that is not a number"))?;
        if size > MAX_ANSWER {
            return Err(bad("a chunk of more than 8 MiB"));
        }
        bytes = &bytes[line + 2..];
        if bytes.len() < size + 2 {
            return Ok(false);
        }
        out.extend_from_slice(&bytes[..size]);
        bytes = &bytes[size + 2..];
        if size == 0 {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn heads_are_read_only_when_whole() {
        let text = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
        for cut in 0..text.len() - 2 {
            assert!(parse_head(&text[..cut]).unwrap().is_none(), "{cut}");
        }
        let head = parse_head(text).unwrap().unwrap();
        assert_eq!((head.status, head.close, head.content_type.as_str()), (202, true, "application/json"));
        assert!(matches!(head.body, Body::Sized(2)));
        assert!(parse_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse_head(b"SSH-2.0-OpenSSH\r\n\r\n").is_err());
    }

    proptest! {
        #[test]
        fn chunks_come_out_as_they_went_in(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..10)) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let mut out = Vec::new();
            for cut in 0..wire.len() {
                prop_assert!(!unchunk(&wire[..cut], &mut out).unwrap());
            }
            prop_assert!(unchunk(&wire, &mut out).unwrap());
            prop_assert_eq!(out, chunks.concat());
        }
    }

    #[tokio::test]
    async fn only_loopback_is_spoken_to() {
        let error = Wire::connect("192.0.2.1:80".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
