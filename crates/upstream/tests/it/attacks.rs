//! What a caller writes into a head to get something past the proxy.

use crate::backend::{Backend, mirror};
use crate::bed::{Bed, blueprint};
use crate::raw::{Wire, ask};

async fn mirrored() -> (Backend, Bed) {
    let backend = Backend::http(mirror).await;
    let bed = Bed::new(&[backend.url()], "").await;
    (backend, bed)
}

/// The values of a header that the mirror saw.
fn values<'a>(seen: &'a str, name: &str) -> Vec<&'a str> {
    let (_, body) = seen.split_once("\r\n\r\n").unwrap();
    body.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

#[tokio::test]
async fn an_identity_cannot_be_brought_along_or_taken_away() {
    let (_backend, bed) = mirrored().await;
    let forged = "tradewind-tenant: ten_forged\r\nTradewind-Scopes: *\r\ntradewind-admin: yes\r\ntradewind_tenant: ten_forged\r\n\
                  Tradewind_Key: x\r\nx_forwarded_for: 1.2.3.4\r\nauthorization_: kept\r\n";
    let seen = ask(&bed, "GET /shop/a", forged).await;
    assert_eq!(values(&seen, "tradewind-tenant"), [bed.people[0].tenant.to_string()]);
    assert_eq!(values(&seen, "tradewind-scopes"), ["orders more"]);
    assert!(
        !seen.contains("forged") && !seen.contains("tradewind-admin") && !seen.contains("x_forwarded_for") && !seen.contains("tradewind_")
    );
    // Named by Connection, ours would be removed by a proxy that strips last.
    let mut wire = Wire::open(&bed).await;
    wire.write("GET /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\nconnection: close, Tradewind-Tenant, tradewind-signature, via, x-own\r\nx-own: 1\r\nx-other: 2\r\n\r\n")
        .await;
    let seen = wire.rest().await;
    assert_eq!(values(&seen, "tradewind-tenant"), [bed.people[0].tenant.to_string()]);
    assert_eq!((values(&seen, "tradewind-signature").len(), values(&seen, "x-own").len(), values(&seen, "x-other").len()), (1, 0, 1));
    assert_eq!(values(&seen, "connection"), [""; 0]);
}

#[tokio::test]
async fn what_a_backend_may_take_for_ours_or_for_another_request_is_dropped() {
    let (_backend, bed) = mirrored().await;
    // Signs that CGI, PHP and frameworks make a `_` or `-` of, and names by which some backends take another path, method, address or user.
    let names = [
        "Tradewind.Tenant",
        "tradewind~scopes",
        "TRADEWIND!Key",
        "tradewind|signature",
        "x.forwarded.for",
        "X_Forwarded.Host",
        "content.length",
        "transfer~encoding",
        "x.api.secret",
        "Proxy",
        "x-original-url",
        "X-Original.URL",
        "x_original_url",
        "x-original-host",
        "X-Rewrite-URL",
        "x-http-method-override",
        "X_HTTP_Method_Override",
        "x-method-override",
        "x-forwarded",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-forwarded-user",
        "x-real-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "client_ip",
        "x-remote-user",
    ];
    let mut headers: String = names.iter().map(|name| format!("{name}: forged\r\n")).collect();
    headers.push_str("x-order: 1\r\nx_order: 2\r\nx.order: 3\r\nprefer: return=minimal\r\n");
    let seen = ask(&bed, "GET /shop/a", &headers).await;
    assert!(seen.starts_with("HTTP/1.1 200") && !seen.contains("forged"), "{seen}");
    let kept = |name| values(&seen, name);
    assert_eq!([kept("x-order"), kept("x_order"), kept("x.order"), kept("prefer")], [["1"], ["2"], ["3"], ["return=minimal"]]);
}

#[tokio::test]
async fn what_belongs_to_one_connection_and_credentials_go_no_further() {
    let (_backend, bed) = mirrored().await;
    let headers = "keep-alive: timeout=5\r\nproxy-connection: keep-alive\r\nproxy-authorization: Basic x\r\nte: trailers, deflate\r\nupgrade: h2c\r\n\
                   cookie: session=1\r\nx-api-secret: s\r\naccept: text/plain\r\nvia: 1.0 fred\r\n";
    let seen = ask(&bed, "GET /shop/a?b=%20c", headers).await;
    assert!(seen.contains("GET /a?b=%20c\n"), "{seen}");
    for gone in
        ["keep-alive", "proxy-connection", "proxy-authorization", "upgrade", "cookie", "x-api-secret", "authorization", "connection"]
    {
        assert_eq!(values(&seen, gone), [""; 0], "{gone}: {seen}");
    }
    assert_eq!(values(&seen, "te"), ["trailers"]);
    assert_eq!(values(&seen, "via"), ["1.0 fred", "1.1 tradewind"]);
    assert_eq!(values(&seen, "accept"), ["text/plain"]);
    assert!(seen.contains("\r\nvia: 1.1 tradewind\r\n"), "the answer says it too: {seen}");
    let backend = Backend::http(mirror).await;
    let members = "forward = [\"authorization\", \"Cookie\"]\npreserve_host = true\nheaders = { X-Env = \"prod\" }\n";
    let asked = Bed::new(&[backend.url()], members).await;
    let seen = ask(&asked, "GET /shop/a", headers).await;
    assert_eq!((values(&seen, "authorization"), values(&seen, "cookie")), (vec!["Bearer anna"], vec!["session=1"]));
    assert_eq!((values(&seen, "host"), values(&seen, "x-env")), (vec!["shop.example"], vec!["prod"]));
}

#[tokio::test]
async fn where_a_call_came_from_is_what_the_gate_found() {
    let (backend, bed) = mirrored().await;
    let spoofed = "x-forwarded-for: 6.6.6.6\r\nforwarded: for=6.6.6.6\r\nx-forwarded-proto: https\r\nx-forwarded-host: evil.example\r\n";
    let seen = ask(&bed, "GET /shop/a", spoofed).await;
    assert_eq!(values(&seen, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&seen, "forwarded"), ["for=127.0.0.1;host=\"shop.example\";proto=http"]);
    assert_eq!((values(&seen, "x-forwarded-proto"), values(&seen, "x-forwarded-host")), (vec!["http"], vec!["shop.example"]));
    assert_eq!(values(&seen, "host"), [backend.address.to_string()]);
    // Behind a trusted proxy: the address that the gate found there, not the whole list, whose beginning is a stranger's.
    let told = "x-test-client: 192.0.2.9\r\nx-forwarded-for: 6.6.6.6, 192.0.2.9\r\nforwarded: for=6.6.6.6\r\nx-forwarded-proto: https\r\nx-forwarded-host: api.example\r\n";
    let seen = ask(&bed, "GET /shop/a", told).await;
    assert_eq!(values(&seen, "x-forwarded-for"), ["192.0.2.9, 127.0.0.1"]);
    assert_eq!(values(&seen, "forwarded"), ["for=192.0.2.9;host=\"api.example\";proto=https, for=127.0.0.1"]);
    assert_eq!((values(&seen, "x-forwarded-proto"), values(&seen, "x-forwarded-host")), (vec!["https"], vec!["api.example"]));
    let seen = ask(&bed, "GET /shop/a", "x-test-client: 2001:db8::7\r\nx-forwarded-proto: gopher\r\n").await;
    assert_eq!(values(&seen, "forwarded"), ["for=\"[2001:db8::7]\";host=\"shop.example\";proto=http, for=127.0.0.1"]);
}

#[tokio::test]
async fn two_lengths_never_reach_a_backend() {
    let (backend, bed) = mirrored().await;
    let smuggled = "GET /admin HTTP/1.1\r\nhost: x\r\n\r\n";
    for framing in [
        "content-length: 5\r\ncontent-length: 6\r\n".to_owned(),
        "content-length: 5\r\ntransfer-encoding: xchunked\r\n".to_owned(),
        "transfer-encoding: identity\r\ncontent-length: 5\r\n".to_owned(),
        "content-length: +5\r\n".to_owned(),
        "content-length: 5, 5\r\ntransfer-encoding : chunked\r\n".to_owned(),
    ] {
        let mut wire = Wire::open(&bed).await;
        let head = format!("POST /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\nconnection: close\r\n{framing}\r\n");
        // The other side may close as soon as it has seen the head.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut wire.stream, format!("{head}hello{smuggled}").as_bytes()).await;
        let answer = wire.rest().await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{framing}: {answer}");
    }
    assert_eq!(backend.connections(), 0);
    // Both at once: RFC 9112 lets the chunks count. What goes on is framed anew, in one way.
    let mut wire = Wire::open(&bed).await;
    wire.write("POST /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\nconnection: close\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        .await;
    let answer = wire.rest().await;
    if answer.starts_with("HTTP/1.1 200") {
        assert_eq!((values(&answer, "body"), values(&answer, "content-length")), (vec!["5"], vec![]), "{answer}");
    } else {
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
}

#[tokio::test]
async fn nobody_leaves_the_path_of_an_endpoint() {
    let backend = Backend::http(mirror).await;
    let endpoints = r#"
[[endpoints]]
method = "GET"
path = "/public/*rest"
operation = { type = "upstream", upstream = "shop", path = "/v2/public/*rest" }
scope = "orders"
[[endpoints]]
method = "GET"
path = "/orders/{id}/lines/{line}"
operation = { type = "upstream", upstream = "shop", path = "/v2/lines/{line}/of/{id}" }
scope = "orders"
"#;
    let bed = Bed::of(&blueprint(&[format!("{}/base", backend.url())], "", endpoints)).await;
    for path in [
        "/shop/public/../admin",
        "/shop/public/%2e%2e/admin",
        "/shop/public/a%2F..%2F..%2Fadmin",
        "/shop/public/..%5cadmin",
        "/shop/public/%00",
        "/shop/public/..%20/admin",
        "/shop/public/%252e%252e/admin",
        "/shop/public/a%252f..%252fadmin",
        "/shop/public/%ef%bc%8e%ef%bc%8e/admin",
    ] {
        let answer = ask(&bed, &format!("GET {path}"), "").await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_path"), "{path}: {answer}");
    }
    assert_eq!(backend.connections(), 0);
    assert!(ask(&bed, "GET /shop/public/a/b%2Fc", "").await.contains("GET /base/v2/public/a/b%2Fc\n"));
    assert!(ask(&bed, "GET /shop/public", "").await.contains("GET /base/v2/public\n"));
    assert!(ask(&bed, "GET /shop/public/?q", "").await.contains("GET /base/v2/public/?q\n"));
    assert!(ask(&bed, "GET /shop/orders/a%20b/lines/7", "").await.contains("GET /base/v2/lines/7/of/a%20b\n"));
    assert!(ask(&bed, "GET /shop/orders/1", "").await.starts_with("HTTP/1.1 404"));
    assert!(ask(&bed, "DELETE /shop/public/a", "").await.starts_with("HTTP/1.1 405"));
}

#[tokio::test]
async fn an_answer_says_nothing_of_the_connection_behind_or_of_origins() {
    let backend = Backend::http(|_| async {
        let mut answer = crate::backend::text("ok");
        for (name, value) in [
            ("connection", "x-inner"),
            ("x-inner", "1"),
            ("keep-alive", "timeout=5"),
            ("x-request-id", "backend"),
            ("access-control-allow-origin", "*"),
            ("set-cookie", "portal_session=stolen"),
            ("x-kept", "yes"),
        ] {
            answer.headers_mut().insert(name, value.parse().unwrap());
        }
        answer
    })
    .await;
    let bed = Bed::new(&[backend.url()], "").await;
    let answer = bed.client().get("/shop/a").await.expect(200);
    for gone in ["x-inner", "keep-alive", "access-control-allow-origin", "set-cookie"] {
        assert_eq!(answer.header(gone), None, "{gone}");
    }
    assert_eq!((answer.header("x-kept"), answer.text().as_str()), (Some("yes"), "ok"));
    assert!(answer.header("x-request-id").unwrap().starts_with("req_"), "ours, which our log knows");
}
