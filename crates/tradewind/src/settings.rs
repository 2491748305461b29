//! Settings: each is a flag, an environment variable and a key of `tradewind.toml`, in that order of precedence.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use ipnet::IpNet;
use kernel::{Ambient, Error};
use retention::{Lifetime, Lifetimes};
use serde::Deserialize;
use store::{Database, MasterKey};
use web::outbound::{Client, ClientConfig, EgressProxy, UrlPolicy};

/// As given: every value may be absent.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// A settings file [default: tradewind.toml, if there is one]
    #[arg(long, global = true, env = "TRADEWIND_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Where to serve [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "TRADEWIND_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where to serve metrics [default: 127.0.0.1:8081]
    #[arg(long, global = true, env = "TRADEWIND_ADMIN_LISTEN", value_name = "ADDRESS")]
    admin_listen: Option<SocketAddr>,
    /// Where the SQLite files and the master key are [default: ./tradewind-data; demo: a temporary directory]
    #[arg(long, global = true, env = "TRADEWIND_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A PostgreSQL database (postgres://…) in place of SQLite
    #[arg(long, global = true, env = "TRADEWIND_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The master key, in place of master.key in the data directory
    #[arg(long, global = true, env = "TRADEWIND_MASTER_KEY", value_name = "KEY", hide_env_values = true)]
    master_key: Option<String>,
    /// The blueprint: a built-in name or a path [default: insurance-leads]
    #[arg(long, global = true, env = "TRADEWIND_BLUEPRINT", value_name = "NAME")]
    blueprint: Option<String>,
    /// production or development; development allows http:// for receivers [default: production; demo: always development]
    #[arg(long, global = true, env = "TRADEWIND_ENV", value_name = "ENV")]
    env: Option<Environment>,
    /// Development only: do not compare callers' addresses with allow-lists
    #[arg(long, global = true, env = "TRADEWIND_IP_ALLOWLIST_BYPASS", value_name = "BOOL")]
    ip_allowlist_bypass: Option<bool>,
    /// Networks that deliveries may reach although they are private, comma-separated
    #[arg(long, global = true, env = "TRADEWIND_ALLOW_NETWORKS", value_name = "CIDRS", value_delimiter = ',')]
    allow_networks: Option<Vec<IpNet>>,
    /// A proxy through which every delivery leaves: http://host:port, with user:password@ before the host if it asks
    #[arg(long, global = true, env = "TRADEWIND_EGRESS_PROXY", value_name = "URL", hide_env_values = true)]
    egress_proxy: Option<String>,
    /// Leave host names to the egress proxy, which must then refuse private addresses itself
    #[arg(long, global = true, env = "TRADEWIND_EGRESS_PROXY_RESOLVES", value_name = "BOOL")]
    egress_proxy_resolves: Option<bool>,
    /// The address under which partners reach this server [default: http:// and the listen address]
    #[arg(long, global = true, env = "TRADEWIND_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// How long payloads of events are kept: 90d, 12h or forever [default: 90d]
    #[arg(long, global = true, env = "TRADEWIND_RETENTION_PAYLOADS", value_name = "TIME")]
    retention_payloads: Option<Lifetime>,
    /// How long what receivers answered and headers of attempts are kept [default: 30d]
    #[arg(long, global = true, env = "TRADEWIND_RETENTION_ANSWERS", value_name = "TIME")]
    retention_answers: Option<Lifetime>,
    /// How long attempts are kept [default: 90d]
    #[arg(long, global = true, env = "TRADEWIND_RETENTION_ATTEMPTS", value_name = "TIME")]
    retention_attempts: Option<Lifetime>,
    /// How long events and deliveries themselves are kept [default: 365d]
    #[arg(long, global = true, env = "TRADEWIND_RETENTION_METADATA", value_name = "TIME")]
    retention_metadata: Option<Lifetime>,
    /// How long request logs are kept [default: 90d]
    #[arg(long, global = true, env = "TRADEWIND_RETENTION_REQUEST_LOGS", value_name = "TIME")]
    retention_request_logs: Option<Lifetime>,
    /// A directory to which each day's events and deliveries are exported before anything of them goes
    #[arg(long, global = true, env = "TRADEWIND_RETENTION_EXPORT_DIR", value_name = "DIR")]
    retention_export_dir: Option<PathBuf>,
}

/// What kind of installation this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Environment {
    /// The real thing.
    Production,
    /// A developer's machine: receivers may be http://.
    Development,
}

/// As it holds.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) database_url: Option<String>,
    pub(crate) master_key: Option<kernel::Secret<String>>,
    pub(crate) blueprint: String,
    pub(crate) env: Environment,
    pub(crate) ip_allowlist_bypass: bool,
    pub(crate) allow_networks: Vec<IpNet>,
    pub(crate) egress_proxy: Option<EgressProxy>,
    pub(crate) public_url: String,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) retention_export_dir: Option<PathBuf>,
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

impl Settings {
    /// Flags and variables, then the file, then the defaults.
    pub(crate) fn resolve(self) -> anyhow::Result<Resolved> {
        let file = self.read_file()?;
        let listen = self.listen.or(file.listen).unwrap_or_else(|| loopback(8080));
        let resolves = self.egress_proxy_resolves.or(file.egress_proxy_resolves).unwrap_or(false);
        let egress_proxy = self.egress_proxy.or(file.egress_proxy).filter(|url| !url.is_empty()).map(|url| EgressProxy::parse(&url));
        let egress_proxy = egress_proxy.transpose()?.map(|proxy| if resolves { proxy.resolving() } else { proxy });
        let usual = Lifetimes::default();
        let lifetimes = Lifetimes {
            payloads: self.retention_payloads.or(file.retention_payloads).unwrap_or(usual.payloads),
            answers: self.retention_answers.or(file.retention_answers).unwrap_or(usual.answers),
            attempts: self.retention_attempts.or(file.retention_attempts).unwrap_or(usual.attempts),
            metadata: self.retention_metadata.or(file.retention_metadata).unwrap_or(usual.metadata),
            request_logs: self.retention_request_logs.or(file.retention_request_logs).unwrap_or(usual.request_logs),
        };
        let resolved = Resolved {
            listen,
            admin_listen: self.admin_listen.or(file.admin_listen).unwrap_or_else(|| loopback(8081)),
            data_dir: self.data_dir.or(file.data_dir).unwrap_or_else(|| PathBuf::from("tradewind-data")),
            database_url: self.database_url.or(file.database_url).filter(|url| !url.is_empty()),
            master_key: self.master_key.or(file.master_key).filter(|key| !key.is_empty()).map(kernel::Secret::new),
            blueprint: self.blueprint.or(file.blueprint).unwrap_or_else(|| "insurance-leads".to_owned()),
            env: self.env.or(file.env).unwrap_or(Environment::Production),
            ip_allowlist_bypass: self.ip_allowlist_bypass.or(file.ip_allowlist_bypass).unwrap_or(false),
            allow_networks: self.allow_networks.or(file.allow_networks).unwrap_or_default(),
            egress_proxy,
            public_url: self.public_url.or(file.public_url).unwrap_or_else(|| format!("http://{listen}")),
            lifetimes,
            retention_export_dir: self.retention_export_dir.or(file.retention_export_dir),
        };
        if resolved.ip_allowlist_bypass && resolved.env == Environment::Production {
            return Err(Error::invalid(
                "bypass_in_production",
                "TRADEWIND_IP_ALLOWLIST_BYPASS is a development help: it cannot be used with TRADEWIND_ENV=production.",
            )
            .into());
        }
        Ok(resolved)
    }

    /// The demo's: as given, for development on loopback, in a temporary directory unless another is named.
    #[cfg(feature = "demo")]
    pub(crate) fn for_demo(self, scratch: &std::path::Path) -> anyhow::Result<Resolved> {
        let temporary = self.data_dir.is_none() && self.database_url.is_none();
        let mut resolved = Self { env: Some(Environment::Development), ..self }.resolve()?;
        if temporary {
            resolved = resolved.scratch(scratch);
        }
        resolved.allow_networks.push("127.0.0.0/8".parse()?);
        Ok(resolved)
    }

    fn read_file(&self) -> anyhow::Result<Self> {
        let (path, named) = match &self.config {
            Some(path) => (path.clone(), true),
            None => (PathBuf::from("tradewind.toml"), false),
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        // A fault's message quotes the line it stands in; a key file is no place for a secret that must not be shown.
        toml::from_str(&text).with_context(|| format!("{} is not a valid settings file", path.display()))
    }
}

impl Resolved {
    /// The same on an empty database in a temporary directory, under a key that goes with it.
    pub(crate) fn scratch(self, dir: &std::path::Path) -> Self {
        let key = MasterKey::generate(&Ambient::system()).written();
        Self { data_dir: dir.to_owned(), database_url: None, master_key: Some(key), ..self }
    }

    /// Whether there is a database yet. A PostgreSQL one is taken to be there.
    pub(crate) fn has_database(&self) -> bool {
        self.database_url.is_some() || self.data_dir.join("tradewind.db").exists()
    }

    /// Where the data is; makes the data directory.
    pub(crate) fn database(&self) -> anyhow::Result<Database> {
        if let Some(url) = &self.database_url {
            return Ok(Database::Postgres(url.clone()));
        }
        self.make_data_dir()?;
        Ok(Database::Sqlite(self.data_dir.clone()))
    }

    /// The client by which everything leaves.
    pub(crate) fn outbound(&self) -> anyhow::Result<Client> {
        let policy = UrlPolicy { allow_http: self.env == Environment::Development, allow_networks: self.allow_networks.clone() };
        Ok(Client::new(ClientConfig { proxy: self.egress_proxy.clone(), ..ClientConfig::new(policy) })?)
    }

    fn make_data_dir(&self) -> anyhow::Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        // What is in it is nobody else's business on this machine. A directory that is there keeps the mode that it was given.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.data_dir);
        made.with_context(|| format!("cannot make the data directory {}", self.data_dir.display()))
    }

    /// The master key: given, or kept in the data directory.
    pub(crate) fn master_key(&self, ambient: &Ambient) -> anyhow::Result<MasterKey> {
        if let Some(written) = &self.master_key {
            return Ok(MasterKey::parse(written.reveal())?);
        }
        self.make_data_dir()?;
        let (key, made) = MasterKey::load_or_create(&self.data_dir, ambient)?;
        if made {
            let path = self.data_dir.join("master.key");
            tracing::warn!("made {}: back it up, apart from the data. Without it, sealed secrets cannot be read again.", path.display());
        }
        Ok(key)
    }
}
