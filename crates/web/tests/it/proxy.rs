//! The egress proxy: the same verdict, another way, and faults of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use testkit::connect_proxy::{Conduct, ConnectProxy};
use testkit::receiver::Receiver;
use testkit::tls::{Authority, server as tls_server};
use web::outbound::{Client, ClientConfig, EgressProxy, OutboundFault, Refusal, TlsSettings, UrlPolicy};

use crate::outbound::{LONG, Nowhere, send, turning};

fn policy(networks: &[&str]) -> UrlPolicy {
    UrlPolicy { allow_http: true, allow_networks: networks.iter().map(|text| text.parse().unwrap()).collect() }
}

fn through(proxy: &str, names: &[&'static str], networks: &[&str]) -> (Client, Arc<crate::outbound::Turning>) {
    let resolver = turning(names);
    let config =
        ClientConfig { resolver: resolver.clone(), proxy: Some(EgressProxy::parse(proxy).unwrap()), ..ClientConfig::new(policy(networks)) };
    (Client::new(config).unwrap(), resolver)
}

#[tokio::test]
async fn both_schemes_leave_by_vetted_address() {
    let proxy = ConnectProxy::start(Conduct::Ask("dXNlcjpwYXNz".to_owned()));
    let authority = Authority::new();
    let plain = Receiver::start();
    let secure = Receiver::start_tls(tls_server(&authority.server(&["inside.example"]), None));
    let (client, asked) = through(&format!("http://user:pass@{}", proxy.address()), &["127.0.0.1"], &["127.0.0.1/32"]);
    let client = client.with_tls(&TlsSettings::read(None, Some(&authority.certificate())).unwrap()).unwrap();
    let (http, https) = (plain.address().port(), secure.address().port());
    for url in [format!("http://inside.example:{http}/"), format!("https://inside.example:{https}/")] {
        assert_eq!(send(&client, &url, LONG, 10).await.unwrap().status.as_u16(), 204, "{url}");
    }
    let targets: Vec<String> = proxy.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(targets, [format!("127.0.0.1:{http}"), format!("127.0.0.1:{https}")], "by address, never by name");
    assert_eq!((plain.count(), secure.count(), asked.asked.load(Ordering::SeqCst)), (1, 1, 2));
    assert_eq!(plain.requests()[0].header("proxy-authorization"), None, "the proxy's credentials are the proxy's");
}

#[tokio::test]
async fn the_verdict_is_ours_whatever_the_proxy_would_do() {
    let proxy = ConnectProxy::start(Conduct::Forward);
    let (client, _) = through(&format!("http://{}", proxy.address()), &["10.0.0.1"], &[]);
    for url in ["http://inside.example/", "http://127.0.0.1/", "http://169.254.169.254/", "https://localhost/"] {
        let error = send(&client, url, LONG, 10).await.unwrap_err();
        assert!(matches!(error.kind, OutboundFault::Refused(Refusal::Address { .. })), "{url}: {error}");
    }
    assert!(proxy.asked().is_empty());
}

#[tokio::test]
async fn the_proxys_faults_are_not_the_receivers() {
    let proxy = ConnectProxy::start(Conduct::Ask("b3RoZXI6Y3JlZHM=".to_owned()));
    let receiver = Receiver::start();
    let (client, _) = through(&format!("http://user:pass@{}", proxy.address()), &["127.0.0.1"], &["127.0.0.1/32"]);
    let url = receiver.url("/");
    for (conduct, kind, word) in [
        (None, OutboundFault::Proxy, "407"),
        (Some(Conduct::Refuse(403)), OutboundFault::Proxy, "403"),
        (Some(Conduct::Refuse(500)), OutboundFault::Proxy, "500"),
        (Some(Conduct::Refuse(503)), OutboundFault::Connect, "503"),
        (Some(Conduct::Say(b"SSH-2.0-OpenSSH\r\n\r\n")), OutboundFault::Proxy, "HTTP"),
        (Some(Conduct::Say(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")), OutboundFault::Proxy, "before"),
        (Some(Conduct::Say(b"")), OutboundFault::Proxy, "broke off"),
    ] {
        if let Some(conduct) = conduct {
            proxy.conduct(conduct);
        }
        let error = send(&client, &url, LONG, 10).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.text.contains(word) && !error.text.contains("pass"), "{error}");
    }
    proxy.conduct(Conduct::Forward);
    let mut away = Receiver::start();
    away.stop();
    let error = send(&client, &away.url("/"), LONG, 10).await.unwrap_err();
    assert_eq!(error.kind, OutboundFault::Connect, "the proxy says that the receiver is not there: {error}");
    send(&client, &url, LONG, 10).await.unwrap();
    let address = proxy.address();
    drop(proxy);
    let (client, _) = through(&format!("http://{address}"), &["127.0.0.1"], &["127.0.0.1/32"]);
    assert_eq!(send(&client, &url, LONG, 10).await.unwrap_err().kind, OutboundFault::Proxy, "a dead proxy");
    assert_eq!(receiver.count(), 1);
}

#[tokio::test]
async fn names_can_be_left_to_the_proxy() {
    let proxy = ConnectProxy::start(Conduct::Refuse(502));
    let egress = EgressProxy::parse(&format!("http://{}", proxy.address())).unwrap().resolving();
    let client = Client::new(ClientConfig { resolver: Arc::new(Nowhere), proxy: Some(egress), ..ClientConfig::new(policy(&[])) }).unwrap();
    client.verdict("https://nobody-here-knows.example/").await.unwrap();
    assert_eq!(send(&client, "https://nobody-here-knows.example/", LONG, 10).await.unwrap_err().kind, OutboundFault::Connect);
    assert_eq!(proxy.asked()[0].target, "nobody-here-knows.example:443");
    // What needs no look-up is judged all the same.
    for url in ["https://127.0.0.1/", "https://localhost./", "https://a.LOCALHOST/", "http://0x7f.1/"] {
        assert!(matches!(client.verdict(url).await, Err(Refusal::Address { .. })), "{url}");
        assert!(matches!(send(&client, url, LONG, 10).await.unwrap_err().kind, OutboundFault::Refused(_)), "{url}");
    }
    assert_eq!(proxy.asked().len(), 1);
}
