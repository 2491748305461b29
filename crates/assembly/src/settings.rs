//! The settings of a server, as they hold. The binary reads them from flags, variables and a file.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use access::leaks::{LeakPolicy, ScanningKeys};
use anyhow::Context as _;
use ipnet::IpNet;
use kernel::{Ambient, IdRef, TenantId};
use retention::Lifetimes;
use serde::Deserialize;
use store::{Database, MasterKey};
use web::TrustedProxies;
use web::outbound::{Client, ClientConfig, EgressProxy, UrlPolicy};

use crate::authorization::OauthSettings;
use crate::providers::ProviderSettings;

/// What kind of installation this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// The real thing.
    Production,
    /// A developer's machine: receivers may be http://.
    Development,
}

/// As it holds.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Where it serves.
    pub listen: SocketAddr,
    /// Where metrics are served.
    pub admin_listen: SocketAddr,
    /// Where the SQLite files and the master key are.
    pub data_dir: PathBuf,
    /// A PostgreSQL database in place of SQLite.
    pub database_url: Option<String>,
    /// The master key, in place of the file in the data directory.
    pub master_key: Option<kernel::Secret<String>>,
    /// A built-in blueprint, or a path.
    pub blueprint: String,
    /// What kind of installation this is.
    pub env: Environment,
    /// Development only: callers' addresses are not compared with allow-lists.
    pub ip_allowlist_bypass: bool,
    /// Private networks that deliveries may reach.
    pub allow_networks: Vec<IpNet>,
    /// Through which every delivery leaves, if any.
    pub egress_proxy: Option<EgressProxy>,
    /// How limits are counted.
    pub counters: gate::CounterOptions,
    /// Whose word about callers' addresses is taken.
    pub trusted_proxies: TrustedProxies,
    /// Of the authorization server.
    pub oauth: OauthSettings,
    /// Another OpenID provider by which people may sign in.
    pub provider: ProviderSettings,
    /// The address under which partners reach this server, without a slash at the end.
    pub public_url: String,
    /// The public OAuth client by which readers of the documentation sign in.
    pub docs_client: Option<kernel::ClientId>,
    /// How long what is kept.
    pub lifetimes: Lifetimes,
    /// Where days are exported before they are let go.
    pub retention_export_dir: Option<PathBuf>,
    /// The bucket's URL and credentials.
    pub retention_export_s3: Option<(String, kernel::Secret<String>)>,
    /// The operator's own tenant.
    pub operator_tenant: Option<IdRef<TenantId>>,
    /// Where the public keys of GitHub's secret scanning are.
    pub secret_scanning_keys: Option<String>,
    /// What happens to a key that was found in the open.
    pub leak_policy: LeakPolicy,
    /// How often is looked for alerts.
    pub alert_interval: Duration,
    /// How e-mails are sent; none: not at all.
    pub mail: Option<MailSettings>,
    /// Certificate chain and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Where the access log is written; none: nowhere.
    pub access_log: Option<listener::Target>,
    /// Where traces and logs go; none: nowhere.
    pub otlp: Option<Otlp>,
}

/// How e-mails are sent.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The SMTP server, with credentials.
    pub url: kernel::Secret<String>,
    /// The sender.
    pub from: String,
    /// Where recipients may be; empty: anywhere.
    pub domains: Vec<String>,
}

/// Where traces and logs go.
#[derive(Clone, Debug)]
pub struct Otlp {
    /// The collector.
    pub endpoint: String,
    /// Fields of each request to it: credentials.
    pub headers: Vec<(String, kernel::Secret<String>)>,
    /// The share of requests that is traced, 0 to 1.
    pub sample: f64,
}

impl Resolved {
    /// The same on an empty database in a temporary directory, under a key that goes with it.
    pub fn scratch(self, dir: &std::path::Path) -> Self {
        let key = MasterKey::generate(&Ambient::system()).written();
        Self { data_dir: dir.to_owned(), database_url: None, master_key: Some(key), ..self }
    }

    /// Whether there is a database yet. A PostgreSQL one is taken to be there.
    pub fn has_database(&self) -> bool {
        self.database_url.is_some() || self.data_dir.join("tradewind.db").exists()
    }

    /// Where the data is; makes the data directory.
    pub fn database(&self) -> anyhow::Result<Database> {
        if let Some(url) = &self.database_url {
            return Ok(Database::Postgres(url.clone()));
        }
        self.make_data_dir()?;
        Ok(Database::Sqlite(self.data_dir.clone()))
    }

    /// The way to the mail relay, and where recipients may be (empty: anywhere), if e-mails are sent. Messages are written into a directory
    /// in development only.
    pub fn mailer(&self) -> anyhow::Result<Option<(web::mail::Mailer, Vec<String>)>> {
        let Some(mail) = &self.mail else { return Ok(None) };
        if web::mail::is_file_sink(&mail.url) && self.env != Environment::Development {
            anyhow::bail!("TRADEWIND_SMTP_URL names a directory, which is for TRADEWIND_ENV=development: nobody would get these e-mails");
        }
        Ok(Some((web::mail::Mailer::new(&mail.url, &mail.from)?, mail.domains.clone())))
    }

    /// The client by which everything leaves.
    pub fn outbound(&self) -> anyhow::Result<Client> {
        let policy = UrlPolicy { allow_http: self.env == Environment::Development, allow_networks: self.allow_networks.clone() };
        Ok(Client::new(ClientConfig { proxy: self.egress_proxy.clone(), ..ClientConfig::new(policy) })?)
    }

    /// The keys by which GitHub signs reports of leaked keys; none: no reports are taken.
    pub fn scanning_keys(&self, client: &Client, ambient: &Ambient) -> anyhow::Result<Option<ScanningKeys>> {
        let Some(place) = &self.secret_scanning_keys else { return Ok(None) };
        if place.contains("://") {
            return Ok(Some(ScanningKeys::published(client.clone(), place, ambient.clone())?));
        }
        let text = std::fs::read_to_string(place).with_context(|| format!("cannot read TRADEWIND_SECRET_SCANNING_KEYS, {place}"))?;
        Ok(Some(ScanningKeys::given(&text)?))
    }

    fn make_data_dir(&self) -> anyhow::Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        // What is in it is nobody else's business on this machine. A directory that is there keeps the mode that it was given.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.data_dir);
        made.with_context(|| format!("cannot make the data directory {}", self.data_dir.display()))
    }

    /// The master key: given, or kept in the data directory.
    pub fn master_key(&self, ambient: &Ambient) -> anyhow::Result<MasterKey> {
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
