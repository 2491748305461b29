//! HTTP/2 on either side, and TLS.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::backend::{Backend, mirror, text};
use crate::bed::Bed;

#[tokio::test]
async fn http2_with_prior_knowledge_shares_one_connection() {
    let backend = Backend::http(|request| async move {
        assert_eq!(request.version(), Version::HTTP_2);
        mirror(request).await
    })
    .await;
    let bed = Bed::new(&[backend.url()], "http = \"2\"").await;
    let client = bed.client();
    let calls = (0..16).map(|n| client.request(http::Method::POST, "/shop/a").body("text/plain", vec![b'x'; n * 10_000]).send());
    for (n, answer) in futures_util::future::join_all(calls).await.into_iter().enumerate() {
        let answer = answer.expect(200);
        assert!(answer.text().contains(&format!("body: {}\n", n * 10_000)) && answer.text().contains("tradewind-signature: v1="));
    }
    assert_eq!(backend.connections(), 1);
}

#[tokio::test]
async fn a_caller_with_http2_reaches_a_backend_with_http1() {
    let backend = Backend::http(|request| async move {
        assert_eq!(request.version(), Version::HTTP_11);
        mirror(request).await
    })
    .await;
    let bed = Bed::new(&[backend.url()], "").await;
    let io = TokioIo::new(TcpStream::connect(bed.address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("http://shop.example/shop/a?q").header("authorization", "Bearer anna").header("te", "trailers");
    let answer = sender.send_request(request.body(Full::new(Bytes::from_static(b"hello"))).unwrap()).await.unwrap();
    let seen = String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    for line in ["POST /a?q\n", "x-forwarded-host: shop.example\n", "body: 5\n", "te: trailers\n"] {
        assert!(seen.contains(line), "{line}: {seen}");
    }
}

/// A backend with TLS under an authority of its own, and that authority's file.
async fn secure(protocols: &[&[u8]]) -> (Backend, tempfile::NamedTempFile) {
    let authority = testkit::tls::Authority::new();
    let mut config = (*testkit::tls::server(&authority.server(&["localhost"]), None)).clone();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let backend = Backend::raw(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = hyper::service::service_fn(|request: Request<hyper::body::Incoming>| async move {
                Ok::<_, std::convert::Infallible>(text(format!("{:?}", request.version())))
            });
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority.certificate()).unwrap();
    (backend, file)
}

#[tokio::test]
async fn with_tls_the_two_sides_agree_on_the_protocol() {
    for (offered, http, spoken) in [
        (&[&b"h2"[..], b"http/1.1"][..], "auto", "HTTP/2.0"),
        (&[&b"http/1.1"[..]][..], "auto", "HTTP/1.1"),
        (&[&b"h2"[..], b"http/1.1"][..], "1", "HTTP/1.1"),
        (&[][..], "auto", "HTTP/1.1"),
    ] {
        let (backend, file) = secure(offered).await;
        let url = format!("https://localhost:{}", backend.address.port());
        let bed = Bed::new(std::slice::from_ref(&url), &format!("http = {http:?}\nca_file = {:?}", file.path())).await;
        let client = bed.client();
        for _ in 0..3 {
            assert_eq!(client.get("/shop/a").await.expect(200).text(), spoken);
        }
        assert_eq!(backend.connections(), 1);
        // Without the authority there is no trust, and without trust no call.
        let bed = Bed::new(&[url], "retries = 0").await;
        bed.client().get("/shop/a").await.assert_problem(502, "upstream_unreachable");
    }
}
