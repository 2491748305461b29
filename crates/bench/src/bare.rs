//! The gate's reference: an axum route that answers fixed bytes, served as the server serves its own, in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use tempfile::TempDir;

use crate::process::Guarded;
use crate::setup::Answer;

/// The path that answers.
pub const PATH: &str = "/bare";

/// A running reference.
#[derive(Debug)]
pub struct Bare {
    /// The process; it ends with this value.
    pub process: Guarded,
    /// Where it listens.
    pub address: SocketAddr,
    _directory: TempDir,
}

impl Bare {
    /// Starts `tool bare`, which answers every `GET` and `POST /bare` with the body and type of `answer`.
    pub fn start(tool: &Path, answer: &Answer) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let file: PathBuf = directory.path().join("body");
        std::fs::write(&file, &answer.body)?;
        let mut command = Command::new(tool);
        command.arg("bare").arg("--body").arg(&file).args(["--content-type", &answer.content_type]);
        let mut process = Guarded::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
        let out = process.child().stdout.take().context("a piped standard output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("`bench bare` must print its address, not {line:?}"))?;
        Ok(Self { process, address, _directory: directory })
    }
}

/// The reference's own main: prints its address on standard output, then serves until it is killed.
pub async fn serve(body: &Path, content_type: &str) -> Result<()> {
    let body = Bytes::from(std::fs::read(body).context("reading the body")?);
    let kind = http::HeaderValue::from_str(content_type).context("the content type")?;
    let (kind_again, body_again) = (kind.clone(), body.clone());
    let route = get(move || std::future::ready(([(CONTENT_TYPE, kind.clone())], body.clone())));
    // What was sent is read, as whoever answers it must.
    let route = route.post(move |_sent: Bytes| std::future::ready(([(CONTENT_TYPE, kind_again.clone())], body_again.clone())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // The same as the server does; without it the reference would wait on Nagle's algorithm.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().route(PATH, route)).await?;
    Ok(())
}
