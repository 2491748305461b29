//! Receivers that ask for our certificate, and receivers with an authority of their own.

use std::sync::Arc;

use kernel::Secret;
use testkit::receiver::Receiver;
use testkit::tls::{Authority, Identity, server};
use web::outbound::{Client, OutboundFault, TlsFault, TlsSettings};

use crate::outbound::{LONG, local, send};

fn settings(identity: Option<&Identity>, authority: Option<&Authority>) -> Result<TlsSettings, TlsFault> {
    let key = identity.map(|identity| Secret::new(identity.key.clone()));
    let own = identity.zip(key.as_ref()).map(|(identity, key)| (identity.certificate.as_str(), key));
    TlsSettings::read(own, authority.map(Authority::certificate).as_deref())
}

fn with(client: &Client, identity: Option<&Identity>, authority: Option<&Authority>) -> Client {
    client.with_tls(&settings(identity, authority).unwrap()).unwrap()
}

#[tokio::test]
async fn our_certificate_is_shown_and_theirs_is_checked() {
    let (servers, clients, others) = (Authority::new(), Authority::new(), Authority::new());
    let receiver = Receiver::start_tls(server(&servers.server(&["127.0.0.1"]), Some(&clients)));
    let plain = local();
    let (ours, theirs) = (clients.client("tradewind"), others.client("tradewind"));
    let refused = |client: Client| {
        let url = receiver.url("/");
        async move { send(&client, &url, LONG, 10).await.unwrap_err() }
    };
    for (what, client, kind) in [
        ("an unknown authority", plain.clone(), OutboundFault::Tls),
        ("no certificate", with(&plain, None, Some(&servers)), OutboundFault::ClientCertificate),
        ("a stranger's certificate", with(&plain, Some(&theirs), Some(&servers)), OutboundFault::ClientCertificate),
        ("the receiver's own authority is not trusted", with(&plain, Some(&ours), Some(&others)), OutboundFault::Tls),
    ] {
        let error = refused(client).await;
        assert_eq!(error.kind, kind, "{what}: {error}");
    }
    assert_eq!(receiver.count(), 0);
    let known = with(&plain, Some(&ours), Some(&servers));
    for _ in 0..3 {
        assert_eq!(send(&known, &receiver.url("/"), LONG, 10).await.unwrap().status.as_u16(), 204);
    }
    assert_eq!(receiver.count(), 3);
    // The name is checked too.
    let elsewhere = Receiver::start_tls(server(&servers.server(&["other.example"]), None));
    assert_eq!(send(&known, &elsewhere.url("/"), LONG, 10).await.unwrap_err().kind, OutboundFault::Tls);
}

#[tokio::test]
async fn connectors_are_shared_and_bounded() {
    let client = local();
    let authority = Authority::new();
    for _ in 0..5 {
        with(&client, None, Some(&authority));
    }
    assert_eq!(client.own_connectors(), 1, "equal settings have one connector");
    let identity = authority.client("one");
    let read = Arc::new(settings(Some(&identity), None).unwrap());
    for n in 0..300 {
        let text = format!("{}# {n}\n", authority.certificate());
        client.with_tls(&TlsSettings::read(None, Some(&text)).unwrap()).unwrap();
        client.with_tls(&read).unwrap();
    }
    assert_eq!(client.own_connectors(), 256);
}

#[test]
fn faults_name_their_part() {
    let authority = Authority::new();
    let (one, two) = (authority.client("one"), authority.client("two"));
    let mixed = Identity { certificate: one.certificate.clone(), key: two.key.clone() };
    assert_eq!(settings(Some(&mixed), None).unwrap_err(), TlsFault::Key("does not belong to the certificate"));
    let broken = |certificate: &str, key: &str| {
        settings(Some(&Identity { certificate: certificate.to_owned(), key: key.to_owned() }), None).unwrap_err()
    };
    assert!(matches!(broken("", &one.key), TlsFault::Certificate(_)));
    assert!(matches!(broken("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &one.key), TlsFault::Certificate(_)));
    assert!(matches!(broken(&one.certificate, "nothing"), TlsFault::Key(_)));
    assert!(matches!(broken(&one.certificate, &one.certificate), TlsFault::Key(_)));
    assert!(matches!(TlsSettings::read(None, Some("nothing")).unwrap_err(), TlsFault::Authority(_)));
    assert!(!format!("{:?}", settings(Some(&one), None).unwrap()).contains("BEGIN"));
}
