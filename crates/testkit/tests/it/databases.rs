//! PostgreSQL, Redis and the macro.

use std::io::{Read, Write};

use postgres::{Client, NoTls};
use testkit::postgres::{Durability, Server, fresh_database};
use testkit::{Bed, Engine};

fn one<T: for<'a> postgres::types::FromSql<'a>>(url: &str, sql: &str) -> Result<T, postgres::Error> {
    Client::connect(url, NoTls)?.query_one(sql, &[]).map(|row| row.get(0))
}

#[test]
fn a_fresh_database_belongs_to_an_ordinary_role_that_row_level_security_binds() {
    let database = fresh_database();
    let role: String = one(&database.url(), "SELECT current_user::text").unwrap();
    assert_eq!(role, database.name());
    let above: bool = one(&database.url(), "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user").unwrap();
    assert!(!above);
    let mut client = Client::connect(&database.url(), NoTls).unwrap();
    client.batch_execute("CREATE TABLE t (a INT); GRANT SELECT ON t TO tradewind_app; SET ROLE tradewind_app; SELECT * FROM t").unwrap();
    assert!(client.batch_execute("INSERT INTO t VALUES (1)").is_err(), "tradewind_app has only what it was granted");
}

#[test]
fn databases_are_apart_and_are_dropped_even_while_somebody_is_connected() {
    let (first, second) = (fresh_database(), fresh_database());
    first.admin("CREATE TABLE here (a INT)");
    let there: i64 = one(&second.url(), "SELECT count(*) FROM pg_tables WHERE tablename = 'here'").unwrap();
    assert_eq!(there, 0);
    let (url, mut connected) = (first.url(), Client::connect(&first.url(), NoTls).unwrap());
    drop(first);
    assert!(connected.simple_query("SELECT 1").is_err());
    assert!(Client::connect(&url, NoTls).is_err());
}

#[tokio::test]
async fn a_fresh_database_can_be_had_and_dropped_on_an_async_thread() {
    drop(fresh_database());
}

#[test]
fn a_stopped_postgres_leaves_neither_a_process_nor_a_directory() {
    let started = Server::start(Durability::Lax).unwrap();
    let (url, dir) = (started.url().to_owned(), started.dir().to_owned());
    let version: i32 = one(&url, "SELECT current_setting('server_version_num')::int").unwrap();
    assert!(version >= 130_000, "DROP DATABASE … WITH (FORCE) came with version 13");
    assert!(dir.is_dir());
    drop(started);
    assert!(!dir.exists());
    assert!(Client::connect(&url, NoTls).is_err());
}

#[test]
fn redis_answers() {
    let url = testkit::redis::url();
    let mut stream = std::net::TcpStream::connect(url.strip_prefix("redis://").unwrap()).unwrap();
    stream.write_all(b"ECHO tradewind\r\n").unwrap();
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"$9\r\ntradewind\r\n");
}

/// A bed of our own, as crates make them.
struct Named {
    engine: Engine,
    database: Option<String>,
}

impl Bed for Named {
    async fn open(engine: Engine) -> Self {
        let database = engine.database_url();
        Self { engine, database }
    }
}

testkit::engines! {
    /// The macro gives each body its engine.
    async fn each_engine_is_what_it_says(engine: Engine) {
        assert!(engine.data_dir().is_dir());
        assert_eq!(engine.database_url().is_some(), std::thread::current().name().unwrap().ends_with("postgres"));
    }

    async fn a_bed_is_opened_first(mut bed: Named) {
        assert_eq!(bed.database.take(), bed.engine.database_url());
    }
}
