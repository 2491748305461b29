//! TLS, HTTP/2 by ALPN, and certificates that change.

use http::Version;
use kernel::Ambient;
use listener::{Certificates, Renewal};
use testkit::tls::{Authority, Identity};

use crate::bed::{Bed, connect, http1, http2, request, says, shown, text, trusting, write};

fn load(dir: &std::path::Path) -> kernel::Result<std::sync::Arc<Certificates>> {
    Certificates::load(dir.join("cert.pem"), dir.join("key.pem"), Ambient::system())
}

#[tokio::test]
async fn both_protocols_are_spoken_and_strangers_are_not_trusted() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    write(dir.path(), &authority.server(&["127.0.0.1"]));
    let bed = Bed::start(says("hello"), Some(load(dir.path()).unwrap().config().unwrap()), None).await;
    let stream = connect(bed.address, &trusting(&authority, "h2")).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let answer = http2(stream).await.send_request(request(bed.address, Version::HTTP_2, "/")).await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_2, 200));
    assert_eq!(text(answer).await, "hello");
    let stream = connect(bed.address, &trusting(&authority, "http/1.1")).await.unwrap();
    let answer = http1(stream).await.send_request(request(bed.address, Version::HTTP_11, "/")).await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_11, 200));
    let error = connect(bed.address, &trusting(&Authority::new(), "h2")).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn old_versions_of_tls_are_refused() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    write(dir.path(), &authority.server(&["127.0.0.1"]));
    let bed = Bed::start(says("hello"), Some(load(dir.path()).unwrap().config().unwrap()), None).await;
    let run = |version: &'static str| {
        let url = format!("https://{}/", bed.address);
        tokio::task::spawn_blocking(move || {
            std::process::Command::new("curl")
                .args(["-sk", version, "--tls-max", &version[6..], "-w", "%{http_version}", &url])
                .output()
                .unwrap()
        })
    };
    let spoken = run("--tlsv1.2").await.unwrap();
    assert_eq!(String::from_utf8_lossy(&spoken.stdout), "hello2", "{}", String::from_utf8_lossy(&spoken.stderr));
    let refused = run("--tlsv1.1").await.unwrap();
    assert!(!refused.status.success() && refused.stdout != b"hello2", "{}", String::from_utf8_lossy(&refused.stdout));
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    let (first, second) = (authority.server(&["127.0.0.1"]), authority.server(&["127.0.0.1"]));
    write(dir.path(), &first);
    let certificates = load(dir.path()).unwrap();
    let bed = Bed::start(says("hello"), Some(certificates.config().unwrap()), None).await;
    let client = trusting(&authority, "h2");
    let stream = connect(bed.address, &client).await.unwrap();
    let before = shown(&stream);
    let mut old = http2(stream).await;
    old.send_request(request(bed.address, Version::HTTP_2, "/")).await.unwrap();
    assert_eq!(certificates.renew().unwrap(), Renewal::Unchanged);
    write(dir.path(), &second);
    assert!(matches!(certificates.renew().unwrap(), Renewal::Renewed(_)));
    // A client without a session to resume: it sees the new certificate.
    let after = shown(&connect(bed.address, &trusting(&authority, "h2")).await.unwrap());
    assert_ne!(before, after);
    let answer = old.send_request(request(bed.address, Version::HTTP_2, "/")).await.unwrap();
    assert_eq!(text(answer).await, "hello", "the connection from before stands");
}

#[tokio::test]
async fn files_are_followed_without_being_told() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    write(dir.path(), &authority.server(&["127.0.0.1"]));
    let certificates = load(dir.path()).unwrap();
    tokio::spawn(std::sync::Arc::clone(&certificates).follow());
    let bed = Bed::start(says("hello"), Some(certificates.config().unwrap()), None).await;
    let before = shown(&connect(bed.address, &trusting(&authority, "h2")).await.unwrap());
    write(dir.path(), &authority.server(&["127.0.0.1"]));
    testkit::wait::until("the new certificate", std::time::Duration::from_secs(20), async || {
        let now = shown(&connect(bed.address, &trusting(&authority, "h2")).await.unwrap());
        (now != before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_bad_pair_never_replaces_a_good_one() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    let good = authority.server(&["127.0.0.1"]);
    write(dir.path(), &good);
    let certificates = load(dir.path()).unwrap();
    let bed = Bed::start(says("hello"), Some(certificates.config().unwrap()), None).await;
    let before = shown(&connect(bed.address, &trusting(&authority, "h2")).await.unwrap());
    let other = authority.server(&["127.0.0.1"]);
    for (what, pair, word) in [
        ("another's key", Identity { certificate: good.certificate.clone(), key: other.key.clone() }, "does not fit"),
        ("no certificate", Identity { certificate: "nonsense".into(), key: good.key.clone() }, "there is no certificate"),
        ("no key", Identity { certificate: other.certificate.clone(), key: "nonsense".into() }, "no private key"),
    ] {
        write(dir.path(), &pair);
        let error = certificates.renew().unwrap_err();
        assert_eq!(error.code(), "invalid_certificate", "{what}");
        assert!(error.detail().contains(word) && !error.detail().contains("nonsense"), "{what}: {}", error.detail());
        assert_eq!(certificates.renew().unwrap(), Renewal::Unchanged, "{what}: the same files are not tried again");
        assert_eq!(shown(&connect(bed.address, &trusting(&authority, "h2")).await.unwrap()), before, "{what}");
        assert!(load(dir.path()).is_err(), "{what}: a server does not start with it");
    }
    write(dir.path(), &other);
    assert!(matches!(certificates.renew().unwrap(), Renewal::Renewed(_)));
}

#[tokio::test]
async fn a_connection_that_says_nothing_holds_nobody_up() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    write(dir.path(), &authority.server(&["127.0.0.1"]));
    let bed = Bed::start(says("hello"), Some(load(dir.path()).unwrap().config().unwrap()), None).await;
    let _silent = tokio::net::TcpStream::connect(bed.address).await.unwrap();
    let stream = connect(bed.address, &trusting(&authority, "http/1.1")).await.unwrap();
    assert_eq!(http1(stream).await.send_request(request(bed.address, Version::HTTP_11, "/")).await.unwrap().status().as_u16(), 200);
    bed.stop.send_replace(true);
    // Nothing is owed to a handshake that has not come.
    tokio::time::timeout(std::time::Duration::from_secs(10), bed.serving).await.unwrap().unwrap();
}
