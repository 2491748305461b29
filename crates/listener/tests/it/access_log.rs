//! Lines of the access log.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::get;
use http::Version;
use kernel::{Ambient, KeyId};
use listener::{AccessLog, Target};
use tokio::net::TcpStream;
use web::RequestNote;

use crate::bed::{Bed, http1, request, says, text};

fn lines(path: &std::path::Path) -> Vec<serde_json::Value> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_line_says_who_what_and_how_long_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let log = Arc::new(AccessLog::start(Target::File(path.clone())).unwrap());
    let ambient = Ambient::system();
    let key: KeyId = ambient.id();
    let noted = move || {
        let ambient = Ambient::system();
        async move {
            let mut response = (http::StatusCode::FORBIDDEN, "no").into_response();
            let (tenant, client, service_key) = (Some(ambient.id()), None, None);
            let note = RequestNote {
                id: ambient.id(),
                endpoint: Arc::from("/x/{id}"),
                tenant,
                client,
                key: Some(key),
                service_key,
                ip: Some("192.0.2.7".parse().unwrap()),
                error: Some("insufficient_scope"),
            };
            response.extensions_mut().insert(note);
            response
        }
    };
    let bed = Bed::start(Router::new().route("/x/{id}", get(noted)), None, Some(log)).await;
    let mut sender = http1(TcpStream::connect(bed.address).await.unwrap()).await;
    let mut question = request(bed.address, Version::HTTP_11, "/x/1?token=tw_live_secret");
    question.headers_mut().insert("authorization", "Bearer tw_live_secret".parse().unwrap());
    question.headers_mut().insert("user-agent", "probe/1".parse().unwrap());
    assert_eq!(text(sender.send_request(question).await.unwrap()).await, "no");
    let line = testkit::wait::until("a line", Duration::from_secs(10), async || lines(&path).pop()).await;
    for (member, value) in [
        ("method", "GET"),
        ("path", "/x/1"),
        ("endpoint", "/x/{id}"),
        ("protocol", "HTTP/1.1"),
        ("ip", "192.0.2.7"),
        ("error", "insufficient_scope"),
        ("userAgent", "probe/1"),
        ("keyId", &key.to_string()),
    ] {
        assert_eq!(line[member], value, "{line}");
    }
    assert_eq!((&line["status"], &line["responseBytes"]), (&403.into(), &2.into()), "{line}");
    assert!(line["durationMs"].as_f64().unwrap() > 0.0 && line["at"].as_str().unwrap().ends_with('Z'), "{line}");
    assert!(!line.to_string().contains("secret"), "{line}");
}

#[tokio::test]
async fn a_rotated_file_is_left_alone_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let (path, moved) = (dir.path().join("access.log"), dir.path().join("access.log.1"));
    let log = Arc::new(AccessLog::start(Target::File(path.clone())).unwrap());
    let bed = Bed::start(says("hello"), None, Some(Arc::clone(&log))).await;
    let mut sender = http1(TcpStream::connect(bed.address).await.unwrap()).await;
    let mut ask = async || {
        text(sender.send_request(request(bed.address, Version::HTTP_11, "/")).await.unwrap()).await;
    };
    ask().await;
    testkit::wait::until("the first line", Duration::from_secs(10), async || (lines(&path).len() == 1).then_some(())).await;
    std::fs::rename(&path, &moved).unwrap();
    log.reopen();
    ask().await;
    testkit::wait::until("the second line", Duration::from_secs(10), async || (lines(&path).len() == 1).then_some(())).await;
    assert_eq!(lines(&moved).len(), 1);
}

#[test]
fn a_file_that_cannot_be_written_is_said_at_start() {
    let error = AccessLog::start(Target::File("/no/such/directory/access.log".into())).err().unwrap();
    assert_eq!(error.code(), "access_log_unwritable");
}
