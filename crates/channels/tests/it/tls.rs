//! TLS to brokers: checked against the name that the tenant wrote, although we connect to an address.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use testkit::tls::Authority;
use web::outbound::{Client, ClientConfig, UrlPolicy};

use crate::bed::{One, failed};

/// In production, with the test's authority.
fn trusting(authority: &Authority) -> Client {
    let policy = UrlPolicy { allow_networks: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()], ..UrlPolicy::default() };
    let mut config = ClientConfig::new(policy);
    config.extra_roots = vec![CertificateDer::from_pem_slice(authority.certificate().as_bytes()).unwrap().to_vec()];
    Client::new(config).unwrap()
}

async fn attempt(client: &Client, destination: Value) -> dispatch::AttemptReport {
    let one = One::over(client, destination).await.unwrap();
    one.attempt(one.event("e-1", "{}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_over_tls_must_have_its_name() {
    let authority = Authority::new();
    let identity = authority.server(&["localhost"]);
    let (_server, port) = testkit::redis::Server::start_with_tls(&identity.certificate, &identity.key).unwrap();
    let to = |host: &str| json!({"type": "redis-stream", "url": format!("rediss://{host}:{port}"), "stream": "s"});
    let report = attempt(&trusting(&authority), to("localhost")).await;
    assert!(report.is_delivered(), "{report:?}");
    assert_eq!(failed(&attempt(&trusting(&authority), to("127.0.0.1")).await), "tls", "the certificate names localhost only");
    assert_eq!(failed(&attempt(&trusting(&Authority::new()), to("localhost")).await), "tls", "another authority");
}

/// NATS begins in the clear and goes on with TLS before anything of ours is said.
#[tokio::test(flavor = "multi_thread")]
async fn nats_is_upgraded() {
    let authority = Authority::new();
    let identity = authority.server(&["localhost"]);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name).display().to_string()
    };
    let (certificate, key) = (file("tls.crt", &identity.certificate), file("tls.key", &identity.key));
    let server = testkit::nats::Server::start(&format!("tls {{ cert_file: \"{certificate}\", key_file: \"{key}\" }}")).unwrap();
    let to = |scheme: &str, host: &str| json!({"type": "nats", "url": format!("{scheme}://{host}:{}", server.port()), "subject": "s"});
    // There is no stream: that it says so means that the session stands.
    for scheme in ["tls", "nats"] {
        assert_eq!(failed(&attempt(&trusting(&authority), to(scheme, "localhost")).await), "missing", "{scheme}");
    }
    assert_eq!(failed(&attempt(&trusting(&authority), to("tls", "127.0.0.1")).await), "tls");
    // A server without TLS is not spoken to in the clear when TLS was asked for.
    let clear = testkit::nats::Server::start("").unwrap();
    let asked = json!({"type": "nats", "url": format!("tls://localhost:{}", clear.port()), "subject": "s"});
    assert_eq!(failed(&attempt(&trusting(&authority), asked).await), "tls");
}
