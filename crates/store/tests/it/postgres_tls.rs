//! TLS to a PostgreSQL that insists on it, with passwords by SCRAM.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kernel::{Ambient, Scope};
use store::{Config, Database, MasterKey, Store};
use testkit::postgres::{Durability, Server};
use testkit::tls::{Authority, Identity};

/// A server of its own, which takes TLS connections with a password only.
struct Bed {
    server: Server,
    authority: Authority,
    other: Authority,
    dir: tempfile::TempDir,
}

impl Bed {
    fn start(names: &[&str]) -> Self {
        let server = Server::start(Durability::Lax).unwrap();
        let authority = Authority::new();
        install(&server.dir().join("data"), &authority.server(names));
        let statements = "CREATE ROLE app LOGIN CREATEROLE PASSWORD 'sesame'; ALTER SYSTEM SET ssl = on";
        let url = server.url().to_owned();
        // The driver must not run on a runtime's thread, and a setting of the system not in a transaction.
        let prepare = move || {
            let mut admin = postgres::Client::connect(&url, postgres::NoTls).unwrap();
            statements.split("; ").for_each(|statement| admin.batch_execute(statement).unwrap());
            admin.batch_execute("CREATE DATABASE app OWNER app").unwrap();
            admin.batch_execute("SELECT pg_reload_conf()").unwrap();
        };
        std::thread::spawn(prepare).join().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let bed = Self { server, authority, other: Authority::new(), dir };
        std::fs::write(bed.dir.path().join("ca.pem"), bed.authority.certificate()).unwrap();
        std::fs::write(bed.dir.path().join("other.pem"), bed.other.certificate()).unwrap();
        bed
    }

    fn url(&self, query: &str) -> String {
        let (_, address) = self.server.url().split_once('@').unwrap();
        let (address, _) = address.split_once('/').unwrap();
        let query = query.replace("{dir}", self.dir.path().to_str().unwrap());
        format!("postgres://app:sesame@{address}/app?{query}")
    }

    /// Our connections: how many there are, and how many of them are encrypted. Only a superuser sees it.
    fn connections(&self) -> (i64, i64) {
        let url = self.server.url().to_owned();
        let question = "SELECT COUNT(*), COUNT(*) FILTER (WHERE ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                        WHERE usename = 'app' AND state IS NOT NULL";
        let ask = move || {
            let row = postgres::Client::connect(&url, postgres::NoTls).unwrap().query_one(question, &[]).unwrap();
            (row.get(0), row.get(1))
        };
        std::thread::spawn(ask).join().unwrap()
    }

    async fn open(&self, query: &str) -> kernel::Result<Store> {
        let mut config = Config::new(Database::Postgres(self.url(query)), key(), Ambient::system(), Vec::new());
        config.exclusive = false;
        Store::open(config).await
    }
}

fn key() -> MasterKey {
    MasterKey::generate(&Ambient::new(Arc::new(kernel::time::SystemClock), Arc::new(kernel::chance::SeededEntropy::new(7))))
}

/// Puts certificate and key where PostgreSQL finds them, as its own, and asks every connection for TLS and a password.
fn install(data: &Path, identity: &Identity) {
    let owner = std::fs::metadata(data).unwrap();
    let hba = "local all all trust\nhostnossl all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
    for (name, text) in [("server.crt", identity.certificate.as_str()), ("server.key", &identity.key), ("pg_hba.conf", hba)] {
        let path = data.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_verifies_what_it_says() {
    let bed = Bed::start(&["db.example"]);
    // The address in the URL is 127.0.0.1; the certificate is for another name.
    let (ca, other) = ("sslrootcert={dir}/ca.pem", "sslrootcert={dir}/other.pem");
    for (query, opens) in [
        ("sslmode=disable".to_owned(), false),
        (String::new(), false),
        ("sslmode=prefer".to_owned(), true),
        ("sslmode=require".to_owned(), true),
        ("sslmode=require&channel_binding=require".to_owned(), true),
        (format!("sslmode=require&{ca}"), true),
        (format!("sslmode=require&{other}"), false),
        (format!("sslmode=verify-ca&{ca}"), true),
        (format!("sslmode=verify-ca&{other}"), false),
        (format!("sslmode=verify-full&{ca}"), false),
    ] {
        match bed.open(&query).await {
            Ok(_store) => {
                let (all, encrypted) = bed.connections();
                assert!(opens && all > 0 && all == encrypted, "{query}: {encrypted} of {all} connections are encrypted");
            }
            Err(error) => {
                assert!(!opens, "{query}: {error:?}");
                assert_eq!(error.code(), "database_unavailable", "{query}: {error:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_connection_does_everything() {
    let bed = Bed::start(&["127.0.0.1"]);
    let query = "sslmode=verify-full&sslrootcert={dir}/ca.pem&channel_binding=require";
    let (one, two) = (bed.open(query).await.unwrap(), bed.open(query).await.unwrap());
    // Notices come over a connection of another kind.
    let seen = Arc::new(AtomicBool::new(false));
    let notice = Arc::clone(&seen);
    two.on_change(Box::new(move |change| {
        if change.topic == "note" {
            notice.store(true, Ordering::SeqCst);
        }
    }));
    testkit::wait::until("a notice", Duration::from_secs(20), async || {
        one.write(Scope::system("test"), |tx| {
            tx.notify("note", "1");
            Ok(())
        })
        .await
        .unwrap();
        seen.load(Ordering::SeqCst).then_some(())
    })
    .await;
    let (all, encrypted) = bed.connections();
    assert!(all >= 4 && all == encrypted, "{encrypted} of {all} connections are encrypted");
}
