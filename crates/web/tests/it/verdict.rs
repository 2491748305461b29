//! The verdict about hostile and harmless URLs.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use proptest::prelude::*;
use web::outbound::{Client, ClientConfig, Refusal, Resolve, Resolving, UrlPolicy};

/// Names as a hostile zone would answer them.
struct Zone;

impl Resolve for Zone {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        let texts: &[&str] = match host.trim_end_matches('.') {
            "good.example" => &["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
            "localhost" | "loop.example" => &["127.0.0.1"],
            "mixed.example" => &["93.184.215.14", "10.0.0.1"],
            "metadata.google.internal" => &["169.254.169.254"],
            "six.example" => &["::1"],
            "nat64.example" => &["64:ff9b::a9fe:a9fe"],
            "nat64-public.example" => &["64:ff9b::5db8:d70e"],
            _ => &[],
        };
        let found: Vec<IpAddr> = texts.iter().map(|text| text.parse().unwrap()).collect();
        Box::pin(async move { if found.is_empty() { Err(io::Error::other("no such name")) } else { Ok(found) } })
    }
}

pub(crate) fn zone() -> Arc<dyn Resolve> {
    Arc::new(Zone)
}

pub(crate) fn client(allow_http: bool, networks: &[&str]) -> Client {
    let allow_networks = networks.iter().map(|text| text.parse().unwrap()).collect();
    Client::new(ClientConfig { resolver: zone(), ..ClientConfig::new(UrlPolicy { allow_http, allow_networks }) }).unwrap()
}

#[tokio::test]
async fn harmless_urls_pass() {
    let client = client(true, &[]);
    for url in [
        "https://good.example/hook?a=b&c=%20",
        "HTTPS://GOOD.example:8443",
        "http://good.example",
        "https://good.example.",
        "https://93.184.215.14/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:444/x",
        "https://good.example/@me",
        "https://good.example/?mail=a@b",
        "https://nat64-public.example/",
        "https://172.15.255.255/",
        "https://172.32.0.0/",
        "https://100.63.255.255/",
        "https://100.128.0.0/",
        "https://223.255.255.255/",
    ] {
        assert_eq!(client.verdict(url).await.map(|_| ()), Ok(()), "{url}");
    }
}

#[tokio::test]
async fn hostile_urls_do_not() {
    let client = client(true, &[]);
    for (url, code) in [
        ("", "url_malformed"),
        ("good.example/hook", "url_malformed"),
        ("/hook", "url_malformed"),
        ("https://", "url_malformed"),
        ("https:///", "url_malformed"),
        ("https://good.example:99999/", "url_malformed"),
        ("https://good.example/a b", "url_malformed"),
        ("https://good.exa\tmple/", "url_malformed"),
        ("https://good.example/\r\nHost: x", "url_malformed"),
        ("https://good.example\\@127.0.0.1/", "url_malformed"),
        ("https://[::1", "url_malformed"),
        ("https://[fe80::1%25eth0]/", "url_malformed"),
        ("https://256.256.256.256/", "url_malformed"),
        ("ftp://good.example/", "url_scheme"),
        ("file:///etc/passwd", "url_scheme"),
        ("gopher://good.example:25/", "url_scheme"),
        ("javascript:alert(1)", "url_scheme"),
        ("https://user@good.example/", "url_userinfo"),
        ("https://user:secret@good.example/", "url_userinfo"),
        ("https://@good.example/", "url_userinfo"),
        ("https://:@good.example/", "url_userinfo"),
        ("https://good.example:0/", "url_port"),
        ("https://nowhere.example/", "url_unresolvable"),
        ("https://127.0.0.1/", "url_address"),
        ("https://127.1/", "url_address"),
        ("https://0x7f.1/", "url_address"),
        ("https://0x7f000001/", "url_address"),
        ("https://2130706433/", "url_address"),
        ("https://0177.0.0.1/", "url_address"),
        ("https://017700000001/", "url_address"),
        ("https://127.0.0.1./", "url_address"),
        ("https://１２７.０.０.１/", "url_address"),
        ("https://127。0。0。1/", "url_address"),
        ("https://%31%32%37.0.0.1/", "url_address"),
        ("https://0/", "url_address"),
        ("https://0.0.0.0/", "url_address"),
        ("https://0.1.2.3/", "url_address"),
        ("https://10.255.255.255/", "url_address"),
        ("https://100.64.0.1/", "url_address"),
        ("https://100.127.255.255/", "url_address"),
        ("https://100.100.100.200/", "url_address"),
        ("https://168.63.129.16/", "url_address"),
        ("https://169.254.169.254/latest/meta-data/", "url_address"),
        ("https://172.16.0.1/", "url_address"),
        ("https://172.31.255.255/", "url_address"),
        ("https://192.0.0.192/", "url_address"),
        ("https://192.0.2.1/", "url_address"),
        ("https://192.88.99.1/", "url_address"),
        ("https://192.168.1.1/", "url_address"),
        ("https://198.18.0.1/", "url_address"),
        ("https://198.19.255.255/", "url_address"),
        ("https://198.51.100.1/", "url_address"),
        ("https://203.0.113.1/", "url_address"),
        ("https://224.0.0.1/", "url_address"),
        ("https://239.255.255.250/", "url_address"),
        ("https://240.0.0.1/", "url_address"),
        ("https://255.255.255.255/", "url_address"),
        ("https://[::]/", "url_address"),
        ("https://[::1]/", "url_address"),
        ("https://[::127.0.0.1]/", "url_address"),
        ("https://[::ffff:127.0.0.1]/", "url_address"),
        ("https://[::ffff:7f00:1]/", "url_address"),
        ("https://[0:0:0:0:0:ffff:a9fe:a9fe]/", "url_address"),
        ("https://[64:ff9b::127.0.0.1]/", "url_address"),
        ("https://[64:ff9b:1::1]/", "url_address"),
        ("https://[2002:7f00:1::]/", "url_address"),
        ("https://[2001:0:53aa:64c:0:0:0:1]/", "url_address"),
        ("https://[2001:db8::1]/", "url_address"),
        ("https://[3fff::1]/", "url_address"),
        ("https://[fc00::1]/", "url_address"),
        ("https://[fd00:ec2::254]/", "url_address"),
        ("https://[fe80::1]/", "url_address"),
        ("https://[fec0::1]/", "url_address"),
        ("https://[ff02::1]/", "url_address"),
        ("https://[100::1]/", "url_address"),
        ("https://localhost/", "url_address"),
        ("https://LOCALHOST./", "url_address"),
        // Nobody answers for these; they mean this machine all the same.
        ("https://api.localhost/", "url_address"),
        ("https://a.b.LocalHost.:8443/x", "url_address"),
        ("https://loop.example/", "url_address"),
        ("https://mixed.example/", "url_address"),
        ("https://six.example/", "url_address"),
        ("https://nat64.example/", "url_address"),
        ("https://metadata.google.internal/", "url_address"),
    ] {
        assert_eq!(client.verdict(url).await.map_err(|refusal| refusal.code()), Err(code), "{url}");
    }
    let long = format!("https://good.example/{}", "a".repeat(2048));
    assert_eq!(client.verdict(&long).await.unwrap_err().code(), "url_malformed");
}

#[tokio::test]
async fn the_policy_opens_what_it_says_and_nothing_else() {
    assert_eq!(client(false, &[]).verdict("http://good.example/").await, Err(Refusal::Scheme));
    let lenient = client(false, &["10.0.0.0/8", "fd00::/8"]);
    for url in ["https://10.1.2.3/", "https://[::ffff:10.1.2.3]/", "https://[fd00::1]/", "https://mixed.example/"] {
        assert!(lenient.verdict(url).await.is_ok(), "{url}");
    }
    for url in ["https://127.0.0.1/", "https://[fc00::1]/", "https://192.168.0.1/", "https://localhost/"] {
        assert!(lenient.verdict(url).await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn localhost_is_loopback_by_any_name() {
    // Where loopback is allowed, the resolver decides as for any name.
    let loopback = client(true, &["127.0.0.0/8"]);
    assert!(loopback.verdict("http://localhost:8080/").await.is_ok());
    assert_eq!(loopback.verdict("http://api.localhost/").await, Err(Refusal::Unresolvable));
    let strict = client(true, &[]);
    // Names that only look like it are names.
    assert_eq!(strict.verdict("https://notlocalhost/").await, Err(Refusal::Unresolvable));
    assert_eq!(strict.verdict("https://localhost.example/").await, Err(Refusal::Unresolvable));
    for url in ["https://localhost/", "https://x.localhost./"] {
        assert!(matches!(strict.verdict_on_syntax(url), Err(Refusal::Address { .. })), "{url}: no look-up is needed");
    }
}

#[test]
fn a_refusal_tells_the_partner_no_address() {
    let refusal = Refusal::Address { address: "10.1.2.3".parse().unwrap(), kind: "private" };
    let error = refusal.into_error("/url");
    assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("url_address", "/url"));
    assert!(!format!("{error:?}").contains("10.1.2.3"));
}

fn any_url() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,80}",
        "https?://[a-z0-9.:@%\\[\\]/?#\\\\-]{0,60}",
        "https://[0-9a-fx.]{1,40}(:[0-9]{0,6})?/",
        "https://\\[[0-9a-f:.%]{0,40}\\]/.{0,10}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_no_literal_that_passes_is_special(text in any_url()) {
        thread_local!(static CLIENT: (tokio::runtime::Runtime, Client) = (tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(), client(true, &[])));
        CLIENT.with(|(runtime, client)| {
            if let Ok(url) = runtime.block_on(client.verdict(&text)) {
                if let Some(url::Host::Ipv4(address)) = url.host() {
                    prop_assert!(!address.is_loopback() && !address.is_private() && !address.is_link_local() && !address.is_unspecified(), "{}", url);
                }
                prop_assert!(web::outbound::to_uri(&url).is_ok());
            }
            Ok(())
        })?;
    }
}
