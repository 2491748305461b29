//! `tradewind doctor` by itself: settings, data directory, master key, database.

use std::os::unix::fs::PermissionsExt as _;

use kernel::Scope;
use store::{Dialect, Engine, MasterKey, Store};

use super::{Finding, State};
use assembly::settings::Resolved;
use assembly::system;

const VERSION: Dialect = Dialect { sqlite: "SELECT sqlite_version()", postgres: "SELECT current_setting('server_version')" };

pub(super) async fn look(settings: &Resolved) -> Vec<Finding> {
    let mut findings = vec![Finding::new(State::Good, "version", format!("tradewind {}", env!("CARGO_PKG_VERSION")))];
    findings.push(blueprint(settings));
    findings.extend(data_dir(settings));
    let (key, finding) = master_key(settings);
    findings.push(finding);
    match key {
        Some(key) if settings.has_database() => findings.extend(database(settings, key).await),
        _ if settings.has_database() => findings.push(Finding::new(State::Note, "database", "not opened without its master key")),
        _ => findings.push(Finding::new(State::Note, "database", "there is none yet; the first start makes it")),
    }
    findings.push(egress(settings));
    findings
}

fn blueprint(settings: &Resolved) -> Finding {
    match blueprint::load(&settings.blueprint) {
        Ok(_) => Finding::new(State::Good, "blueprint", format!("{} is sound", settings.blueprint)),
        Err(error) => Finding::new(State::Bad, "blueprint", error.to_string()),
    }
}

fn data_dir(settings: &Resolved) -> Option<Finding> {
    let (dir, shown) = (&settings.data_dir, settings.data_dir.display());
    if !dir.exists() {
        // With PostgreSQL and a key in the environment there is nothing to keep in it.
        let idle = settings.database_url.is_some() && settings.master_key.is_some();
        return (!idle).then(|| Finding::new(State::Note, "data directory", format!("{shown} is not there; the first start makes it")));
    }
    // The only sure test; the file is removed at once.
    Some(match tempfile::tempfile_in(dir) {
        Ok(_) => Finding::new(State::Good, "data directory", format!("{shown} can be written")),
        Err(error) => Finding::new(State::Bad, "data directory", format!("{shown} cannot be written: {error}")),
    })
}

fn master_key(settings: &Resolved) -> (Option<MasterKey>, Finding) {
    let about = "master key";
    let read = |text: &str, from: String| match MasterKey::parse(text) {
        Ok(key) => (Some(key), Finding::new(State::Good, about, from)),
        Err(error) => (None, Finding::new(State::Bad, about, format!("{from}: {}", error.detail()))),
    };
    if let Some(written) = &settings.master_key {
        return read(written.reveal(), "from TRADEWIND_MASTER_KEY".to_owned());
    }
    let path = settings.data_dir.join("master.key");
    let shown = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let (key, finding) = read(&text, format!("from {shown}"));
            let mode = std::fs::metadata(&path).map_or(0, |data| data.permissions().mode() & 0o777);
            if key.is_some() && mode & 0o077 != 0 {
                let open = Finding::new(State::Bad, about, format!("{shown} can be read by others (mode {mode:o})"));
                return (key, open.remedy(format!("chmod 600 {shown}")));
            }
            (key, finding)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !settings.has_database() => {
            (None, Finding::new(State::Note, about, format!("{shown} is not there; the first start makes it")))
        }
        Err(error) => {
            let finding = Finding::new(State::Bad, about, format!("{shown}: {error}"));
            (None, finding.remedy("put the key back that this database was made with, or set TRADEWIND_MASTER_KEY"))
        }
    }
}

async fn database(settings: &Resolved, key: MasterKey) -> Vec<Finding> {
    match system::open_as_it_is(settings, key).await {
        Ok(store) => vec![about(&store).await],
        Err(error) => {
            let ours = error.downcast_ref::<kernel::Error>().map(|error| error.detail().to_owned());
            vec![Finding::new(State::Bad, "database", ours.unwrap_or_else(|| format!("{error:#}")))]
        }
    }
}

async fn about(store: &Store) -> Finding {
    let name = match store.engine() {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    };
    match store.read(Scope::system("doctor"), |tx| tx.query_one(VERSION, &[], |row| row.get::<String>(0))).await {
        Ok(version) => Finding::new(State::Good, "database", format!("{name} {version} answers, and the master key fits")),
        Err(error) => Finding::new(State::Bad, "database", error.detail().to_owned()),
    }
}

fn egress(settings: &Resolved) -> Finding {
    match &settings.egress_proxy {
        None => Finding::new(State::Good, "egress", "deliveries leave directly"),
        Some(proxy) if proxy.resolves() => {
            let text = format!("deliveries leave through {}, which looks names up and must refuse private addresses itself", proxy.shown());
            Finding::new(State::Note, "egress", text)
        }
        Some(proxy) => Finding::new(State::Good, "egress", format!("deliveries leave through {}", proxy.shown())),
    }
}
