//! The sending side of the queue.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::task::JoinSet;

use super::{Attempt, Content, Message, Outbox};
use crate::faults::Kind;

type Http = Client<HttpConnector, Full<Bytes>>;

/// Parts of one array.
const PARTS: usize = 100;
/// Tries of one webhook.
const TRIES: u32 = 10;
/// The receiver must have answered within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// While webhooks are to come out of order, so long is waited for company.
const GATHER: Duration = Duration::from_millis(50);

/// Sends what comes until it is aborted; what is tried again ends with it.
pub(super) async fn run(outbox: Outbox) {
    let http: Http = Client::builder(TokioExecutor::new()).build_http();
    let mut again = JoinSet::new();
    loop {
        let batch = next(&outbox).await;
        for message in batch {
            if !attempt(&http, &outbox, &message, 0).await {
                again.spawn(retry(http.clone(), outbox.clone(), message));
            } else {
                outbox.state().busy -= 1;
            }
        }
        while again.try_join_next().is_some() {}
    }
}

/// What waits, with parts for one URL put together. They count as under way from here on.
async fn next(outbox: &Outbox) -> Vec<Message> {
    loop {
        let came = outbox.0.came.notified();
        let is_empty = outbox.state().waiting.is_empty();
        if is_empty {
            came.await;
            continue;
        }
        let backwards = outbox.0.faults.strikes_webhook(Kind::ReorderWebhooks);
        if backwards {
            tokio::time::sleep(GATHER).await;
        }
        let mut state = outbox.state();
        let mut waiting: Vec<_> = state.waiting.drain(..).collect();
        if backwards {
            waiting.reverse();
        }
        let batch = together(waiting);
        state.busy += batch.len();
        return batch;
    }
}

fn together(waiting: Vec<Message>) -> Vec<Message> {
    let mut batch: Vec<(Message, Vec<Value>)> = Vec::new();
    for message in waiting {
        let Content::Part(part) = &message.content else {
            batch.push((message, Vec::new()));
            continue;
        };
        match batch.last_mut() {
            Some((last, parts)) if last.url == message.url && !parts.is_empty() && parts.len() < PARTS => parts.push(part.clone()),
            _ => {
                let part = part.clone();
                batch.push((message, vec![part]));
            }
        }
    }
    let whole = |(mut message, parts): (Message, Vec<Value>)| {
        if !parts.is_empty() {
            message.content = Content::Whole(Value::Array(parts).to_string().into());
        }
        message
    };
    batch.into_iter().map(whole).collect()
}

async fn retry(http: Http, outbox: Outbox, message: Message) {
    let mut pause = *outbox.0.pause.lock().expect("no holder of this lock panics");
    for number in 1..TRIES {
        tokio::time::sleep(pause).await;
        pause *= 2;
        if attempt(&http, &outbox, &message, number).await {
            break;
        }
    }
    outbox.state().busy -= 1;
}

/// One try; whether no further one is needed.
async fn attempt(http: &Http, outbox: &Outbox, message: &Message, number: u32) -> bool {
    let Content::Whole(body) = &message.content else { return true };
    let (status, accepted) = match loopback(&message.url) {
        Some(uri) => {
            tokio::time::timeout(PATIENCE, sent(http, outbox, message, uri, body, number)).await.ok().flatten().unwrap_or((0, false))
        }
        None => (0, false),
    };
    let body = String::from_utf8_lossy(body).into_owned();
    outbox.note(Attempt { url: message.url.clone(), body, status, attempt: number });
    accepted || matches!(status, 400 | 401 | 403 | 404 | 405 | 410)
}

async fn sent(http: &Http, outbox: &Outbox, message: &Message, uri: Uri, body: &Bytes, number: u32) -> Option<(u16, bool)> {
    let now = outbox.0.ambient.now().millis();
    let mut request = Request::post(uri).header("content-type", message.content_type).header("x-double-attempt", number);
    for (name, value) in (message.sign)(&message.url, body, now) {
        request = request.header(name, value);
    }
    let response = http.request(request.body(Full::new(body.clone())).ok()?).await.ok()?;
    let status = response.status();
    let answer = Limited::new(response.into_body(), 1 << 20).collect().await.ok()?.to_bytes();
    Some((status.as_u16(), status.is_success() && (message.accepted)(&answer)))
}

/// The URL, if it is plain HTTP to this machine.
fn loopback(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']);
    let is_local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    (is_local && uri.scheme_str() == Some("http")).then_some(uri)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    #[test]
    fn only_this_machine_is_called() {
        for url in ["http://127.0.0.1:1/x", "http://localhost/", "http://[::1]:9/"] {
            assert!(loopback(url).is_some(), "{url}");
        }
        for url in ["http://example.com/", "https://127.0.0.1/", "http://127.0.0.1.example.com/", "ftp://localhost/", "x"] {
            assert!(loopback(url).is_none(), "{url}");
        }
    }

    #[test]
    fn parts_travel_together_and_no_more_than_a_hundred() {
        let part = |url: &str, n: usize| Message::json(url, Content::Part(json!(n)), Arc::new(|_, _, _| Vec::new()));
        let mut waiting: Vec<_> = (0..150).map(|n| part("http://a", n)).collect();
        waiting.push(part("http://b", 0));
        let batch = together(waiting);
        let sizes: Vec<_> = batch
            .iter()
            .map(|message| match &message.content {
                Content::Whole(body) => serde_json::from_slice::<Vec<usize>>(body).unwrap().len(),
                Content::Part(_) => 0,
            })
            .collect();
        assert_eq!(sizes, [100, 50, 1]);
    }
}
