//! A database with a random name that is dropped with its value.

use postgres::{Client, NoTls};

use super::admin_url;

/// The role under which the application works on PostgreSQL. Roles belong to the whole server, so it is made once here and not by tests
/// that race each other.
const APPLICATION_ROLE: &str = "tradewind_app";

/// Makes `APPLICATION_ROLE` unless it is there. The lock makes one of several processes do it.
const PREPARE_SERVER: &str = "
    BEGIN;
    SELECT pg_advisory_xact_lock(7205759403);
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tradewind_app') THEN
            CREATE ROLE tradewind_app NOLOGIN NOBYPASSRLS;
        END IF;
    END $$;
    COMMIT;";

/// A fresh, empty database and the ordinary role that owns it. Both are dropped with this value.
#[derive(Debug)]
pub struct Database {
    name: String,
    admin: String,
}

impl Database {
    /// Its URL for the role that owns it: no superuser (row-level security binds it), may create roles, is a member of `tradewind_app`.
    pub fn url(&self) -> String {
        self.url_as(&self.name)
    }

    /// Its URL for the superuser, who sees every row.
    pub fn admin_url(&self) -> String {
        self.url_as("postgres")
    }

    /// Its name, which is also the name of its owner.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements as the superuser, on a thread of its own (the synchronous driver must not run on an async thread). Panics on an error.
    pub fn admin(&self, statements: &str) {
        run(&self.admin_url(), &[statements]).unwrap_or_else(|why| panic!("{statements}: {why}"));
    }

    fn url_as(&self, role: &str) -> String {
        let host = self.admin.split_once('@').map_or(self.admin.as_str(), |(_, rest)| rest);
        let host = host.split_once('/').map_or(host, |(host, _)| host);
        format!("postgres://{role}@{host}/{}", self.name)
    }
}

/// Makes a fresh database. Blocks for some tens of milliseconds; works on any thread. Panics if there is no server.
pub fn fresh_database() -> Database {
    let admin = admin_url().unwrap_or_else(|why| panic!("this test needs PostgreSQL. {why}"));
    let name = crate::unique("test");
    let made = run(
        &admin,
        &[
            PREPARE_SERVER,
            &format!("CREATE ROLE {name} LOGIN CREATEROLE NOBYPASSRLS"),
            &format!("GRANT {APPLICATION_ROLE} TO {name} WITH ADMIN OPTION"),
            &format!("CREATE DATABASE {name} OWNER {name}"),
        ],
    );
    made.unwrap_or_else(|why| panic!("no fresh database: {why}"));
    Database { name, admin }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        let dropped = run(&self.admin, &[&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), &format!("DROP ROLE IF EXISTS {name}")]);
        if let (Err(why), false) = (dropped, std::thread::panicking()) {
            panic!("{name} could not be dropped: {why}");
        }
    }
}

/// Runs each text as one query message: statements that refuse to be in a transaction need a message of their own.
fn run(url: &str, statements: &[&str]) -> Result<(), String> {
    let work = || -> Result<(), String> {
        let mut client = Client::connect(url, NoTls).map_err(|error| reason(&error))?;
        statements.iter().try_for_each(|text| client.batch_execute(text).map_err(|error| reason(&error)))
    };
    std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|_| Err("the thread that talks to PostgreSQL panicked".into()))
}

/// The driver's own text is only "db error".
fn reason(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |db| format!("{}: {}", db.code().code(), db.message()))
}
