//! Requests that do not name their host as they must (RFC 9112 §3.2), as they come over a connection.

use http::Version;
use testkit::tls::Authority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bed::{Bed, connect, http2, request, says, trusting};

/// All that comes back until the server closes.
async fn talk(bed: &Bed, text: &str) -> String {
    let mut stream = TcpStream::connect(bed.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn whoever_does_not_name_one_host_is_refused_and_let_go() {
    let bed = Bed::start(says("in"), None, None).await;
    for head in [
        "GET / HTTP/1.1\r\n",
        "GET http://example.com/ HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-Y: z\r\nhost: b\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n",
        "GET / HTTP/1.1\r\nHost: a, b:1\r\n",
        "GET / HTTP/1.1\r\nHost: user@a\r\n",
        "GET / HTTP/1.1\r\nHost: a:port\r\n",
        "GET / HTTP/1.1\r\nHost: http://a\r\n",
        "GET / HTTP/1.0\r\nHost: a/b\r\n",
    ] {
        // The second request would be answered if the connection went on.
        let answer = talk(&bed, &format!("{head}\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        let (first, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            first.contains(" 400 Bad Request\r\n") && first.contains("x-request-id: ") && first.contains("application/problem+json"),
            "{head}: {answer}"
        );
        assert!(body.contains("\"malformed_host\"") && !answer.contains("200 OK"), "{head}: {answer}");
    }
    for head in ["GET / HTTP/1.0\r\n", "GET / HTTP/1.0\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: close\r\n"] {
        let answer = talk(&bed, &format!("{head}\r\n")).await;
        assert!(answer.contains(" 200 OK\r\n") && answer.ends_with("\r\n\r\nin"), "{head}: {answer}");
    }
}

#[tokio::test]
async fn http_2_names_it_in_the_target() {
    let authority = Authority::new();
    let tls = testkit::tls::server(&authority.server(&["127.0.0.1"]), None);
    let mut tls = rustls::ServerConfig::clone(&tls);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let bed = Bed::start(says("in"), Some(std::sync::Arc::new(tls)), None).await;
    let mut client = http2(connect(bed.address, &trusting(&authority, "h2")).await.unwrap()).await;
    let mut ask = async |hosts: &[&str]| {
        let mut request = request(bed.address, Version::HTTP_2, "/");
        request.headers_mut().remove("host");
        for host in hosts {
            request.headers_mut().append("host", host.parse().unwrap());
        }
        client.ready().await.unwrap();
        client.send_request(request).await.unwrap().status().as_u16()
    };
    assert_eq!(ask(&[]).await, 200);
    assert_eq!(ask(&["127.0.0.1"]).await, 200);
    assert_eq!(ask(&["a", "a"]).await, 400);
    assert_eq!(ask(&["a b"]).await, 400);
}
