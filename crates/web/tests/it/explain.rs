//! The verdict told step by step agrees with the verdict.

use web::outbound::{ClientConfig, EgressProxy, UrlPolicy};

use crate::verdict::{client, zone};

#[tokio::test]
async fn the_last_step_is_the_verdict() {
    let client = client(false, &["10.0.0.0/8"]);
    for (url, about, passes, finding, remedy) in [
        ("https://good.example/hook", "address", true, "is public", ""),
        ("https://10.1.2.3/", "address", true, "allowed by TRADEWIND_ALLOW_NETWORKS (10.0.0.0/8)", ""),
        ("http://good.example/", "syntax", false, "must begin with https://", "TRADEWIND_ENV=development"),
        ("https://u:p@good.example/", "syntax", false, "user name", ""),
        ("nonsense", "syntax", false, "absolute URL", ""),
        ("https://localhost./", "host", false, "loopback", "TRADEWIND_ALLOW_NETWORKS=127.0.0.1/32"),
        ("https://nowhere.example/", "look-up", false, "no address", ""),
        ("https://loop.example/", "address", false, "127.0.0.1: the URL leads to 127.0.0.1", "TRADEWIND_ALLOW_NETWORKS=127.0.0.1/32"),
        ("https://[::ffff:192.168.0.1]/", "address", false, "(stands for 192.168.0.1)", "TRADEWIND_ALLOW_NETWORKS="),
        ("https://six.example/", "address", false, "::1", "TRADEWIND_ALLOW_NETWORKS=::1/128"),
    ] {
        let steps = client.explain(url).await;
        let last = steps.last().unwrap();
        assert_eq!((last.about, last.passes), (about, passes), "{url}: {steps:?}");
        assert!(last.finding.contains(finding), "{url}: {steps:?}");
        assert!(last.remedy.as_deref().unwrap_or_default().contains(remedy), "{url}: {steps:?}");
        assert_eq!(last.remedy.is_some(), !remedy.is_empty(), "{url}: {steps:?}");
        assert_eq!(steps.iter().all(|step| step.passes), client.verdict(url).await.is_ok(), "{url}: {steps:?}");
    }
    // One bad address among several is enough, and each is told.
    let steps = crate::verdict::client(false, &[]).explain("https://mixed.example/").await;
    let told: Vec<bool> = steps.iter().filter(|step| step.about == "address").map(|step| step.passes).collect();
    assert_eq!(told, [true, false]);
}

#[tokio::test]
async fn the_proxy_is_told_without_its_credentials() {
    let proxy = EgressProxy::parse("http://user:pass@proxy.example:8080").unwrap();
    let client =
        web::outbound::Client::new(ClientConfig { resolver: zone(), proxy: Some(proxy), ..ClientConfig::new(UrlPolicy::default()) })
            .unwrap();
    let last = client.explain("https://good.example/").await.pop().unwrap();
    assert_eq!(last.finding, "the connection goes through the egress proxy at proxy.example:8080");
}
