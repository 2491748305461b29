//! The delivery's reference: a bare hyper client that posts already signed bodies to the same receiver, in a process of its own. It
//! signs nothing, stores nothing and looks nothing up, so it is the greatest number of deliveries that this machine can send.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use crate::clock;
use crate::receiver::Capture;

/// What to post.
#[derive(Clone, Debug)]
pub struct Config {
    /// The receiver.
    pub to: SocketAddr,
    /// How many posts.
    pub count: u64,
    /// How many at a time, each on its own connection.
    pub in_flight: usize,
    /// What the ids begin with.
    pub prefix: String,
    /// No new post begins after this.
    pub time: Duration,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Posted {
    /// Posts with a 2xx.
    pub good: u64,
    /// All others.
    pub failed: u64,
    /// From the first post to the last answer.
    pub nanoseconds: u64,
}

impl Posted {
    /// Good posts a second.
    #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub fn rate(&self) -> f64 {
        self.good as f64 / Duration::from_nanos(self.nanoseconds).as_secs_f64().max(1e-9)
    }
}

/// Runs the reference as a child process of `tool` and waits for it.
pub async fn run_child(tool: &Path, config: &Config, template: &Capture) -> Result<Posted> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("template.json");
    std::fs::write(&file, serde_json::to_vec(template)?)?;
    let mut command = Command::new(tool);
    command.arg("post").arg("--template").arg(&file);
    command.args(["--to", &config.to.to_string(), "--prefix", &config.prefix, "--count", &config.count.to_string()]);
    command.args(["--in-flight", &config.in_flight.to_string(), "--seconds", &config.time.as_secs().to_string()]);
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = tokio::task::spawn_blocking(move || command.output()).await?.context("running `bench post`")?;
    ensure!(output.status.success(), "`bench post` ended with {}", output.status);
    serde_json::from_slice(&output.stdout).context("`bench post` prints its result as JSON")
}

/// Posts until count or time is spent.
pub async fn run(config: &Config, template: &Capture) -> Result<Posted> {
    ensure!(config.to.ip().is_loopback(), "{} is not a loopback address", config.to);
    let mould = Arc::new(Mould::new(template, config.to)?);
    let (next, good, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let start = clock::now_ns();
    let tasks: Vec<_> = (0..config.in_flight.max(1))
        .map(|_| {
            let (config, mould, next, good, failed) = (config.clone(), mould.clone(), next.clone(), good.clone(), failed.clone());
            tokio::spawn(async move {
                let mut sender = None;
                while clock::since(start) < config.time {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= config.count {
                        break;
                    }
                    let request = mould.request(&format!("{}{index}", config.prefix));
                    let counter = if send(&mut sender, config.to, request).await.is_ok() { &good } else { &failed };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await?;
    }
    let nanoseconds = u64::try_from(clock::since(start).as_nanos())?;
    Ok(Posted { good: good.load(Ordering::Relaxed), failed: failed.load(Ordering::Relaxed), nanoseconds })
}

type Sender = SendRequest<Full<Bytes>>;

async fn send(sender: &mut Option<Sender>, to: SocketAddr, request: Request<Full<Bytes>>) -> Result<()> {
    // Taken out, so that a connection on which anything fails is not used again.
    let mut connection = match sender.take() {
        Some(connection) if !connection.is_closed() => connection,
        _ => connect(to).await?,
    };
    connection.ready().await?;
    let response = connection.send_request(request).await?;
    ensure!(response.status().is_success(), "status {}", response.status());
    response.into_body().collect().await?;
    *sender = Some(connection);
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "the generator speaks to loopback only, checked first, and must cost nothing")]
async fn connect(to: SocketAddr) -> Result<Sender> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// A captured delivery from which others with the same headers and the same body, but for the id, are cast.
#[derive(Debug)]
struct Mould {
    uri: http::Uri,
    headers: HeaderMap,
    before: String,
    after: String,
}

impl Mould {
    fn new(template: &Capture, to: SocketAddr) -> Result<Self> {
        let mut headers = HeaderMap::new();
        let mut id = None;
        for (name, value) in &template.headers {
            let name = HeaderName::try_from(name.as_str())?;
            if name == "webhook-id" {
                id = Some(value.as_str());
            }
            // hyper writes the length; the connection is ours.
            if ![CONTENT_LENGTH, CONNECTION].contains(&name) {
                headers.append(name, HeaderValue::try_from(value.as_str())?);
            }
        }
        headers.insert(HOST, HeaderValue::try_from(to.to_string())?);
        let id = id.context("the captured delivery has no webhook-id")?;
        let (before, after) = template.body.split_once(id).context("the captured body does not hold its id")?;
        Ok(Self { uri: template.path.parse()?, headers, before: before.to_owned(), after: after.to_owned() })
    }

    fn request(&self, id: &str) -> Request<Full<Bytes>> {
        let body = [self.before.as_str(), id, self.after.as_str()].concat();
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let id = HeaderValue::try_from(id).expect("ids are made of visible ASCII");
        request.headers_mut().insert("webhook-id", id);
        request
    }
}
