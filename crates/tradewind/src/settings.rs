//! Settings: each is a flag, an environment variable and a key of `tradewind.toml`, in that order of precedence.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use access::leaks::LeakPolicy;
use anyhow::Context as _;
use assembly::authorization::OauthSettings;
use assembly::providers::ProviderSettings;
use assembly::settings::{Environment, MailSettings, Otlp, Resolved};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ipnet::IpNet;
use kernel::Error;
use retention::{Lifetime, Lifetimes};
use serde::Deserialize;
use web::TrustedProxies;
use web::outbound::EgressProxy;

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
    #[arg(long, global = true, env = "TRADEWIND_ENV", value_name = "ENV", value_parser = environment())]
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
    /// The public OAuth client (cli_…) by which readers of /docs sign in to try requests; its redirect URI is /docs/signed-in under the public URL
    #[arg(long, global = true, env = "TRADEWIND_DOCS_CLIENT", value_name = "CLIENT")]
    docs_client: Option<String>,
    /// Redis or Valkey (redis://, rediss:// with TLS), by which rate limits hold across nodes
    #[arg(long, global = true, env = "TRADEWIND_REDIS_URL", value_name = "URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// Networks of proxies whose word about the client's address is believed, comma-separated [default: none]
    #[arg(long, global = true, env = "TRADEWIND_TRUSTED_PROXIES", value_name = "CIDRS", value_delimiter = ',')]
    trusted_proxies: Option<Vec<IpNet>>,
    /// The header in which they give it: x-forwarded-for or forwarded [default: x-forwarded-for]
    #[arg(long, global = true, env = "TRADEWIND_FORWARDED_HEADER", value_name = "NAME")]
    forwarded_header: Option<String>,
    /// How many failed authentications an address has in a minute; 0: any number [default: 120]
    #[arg(long, global = true, env = "TRADEWIND_FAILED_AUTH_PER_MINUTE", value_name = "COUNT")]
    failed_auth_per_minute: Option<u32>,
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
    /// How long counts of calls by day, and lines for billing, are kept [default: 400d]
    #[arg(long, global = true, env = "TRADEWIND_RETENTION_USAGE", value_name = "TIME")]
    retention_usage: Option<Lifetime>,
    /// The server's certificate chain, PEM; with it TLS is spoken
    #[arg(long, global = true, env = "TRADEWIND_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, global = true, env = "TRADEWIND_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// A JSON line per request: stdout, stderr or a file [default: none]
    #[arg(long, global = true, env = "TRADEWIND_ACCESS_LOG", value_name = "TARGET")]
    access_log: Option<String>,
    /// An OpenTelemetry collector for traces and logs, by OTLP over HTTP: http://127.0.0.1:4318 [default: none]
    #[arg(long, global = true, env = "TRADEWIND_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// Header fields for the collector: name=value, comma-separated
    #[arg(long, global = true, env = "TRADEWIND_OTLP_HEADERS", value_name = "FIELDS", hide_env_values = true)]
    otlp_headers: Option<String>,
    /// The share of traces that are kept, 0 to 1, where the caller has not decided [default: 1]
    #[arg(long, global = true, env = "TRADEWIND_OTLP_SAMPLE", value_name = "SHARE")]
    otlp_sample: Option<f64>,
    /// The tenant of the operator's own, ten_… or ext:…, whose webhooks hear of every tenant's alerts [default: none]
    #[arg(long, global = true, env = "TRADEWIND_OPERATOR_TENANT", value_name = "TENANT")]
    operator_tenant: Option<String>,
    /// The public keys by which GitHub signs reports of leaked keys: an address or a file; with it /secret-scanning/github takes reports
    #[arg(long, global = true, env = "TRADEWIND_SECRET_SCANNING_KEYS", value_name = "URL|FILE")]
    secret_scanning_keys: Option<String>,
    /// What is done about a leaked key: notify, shorten, rotate or revoke; shorten:3600 names the seconds of grace [default: notify]
    #[arg(long, global = true, env = "TRADEWIND_LEAK_POLICY", value_name = "POLICY")]
    leak_policy: Option<LeakPolicy>,
    /// How OAuth access tokens look: opaque or jwt [default: opaque]
    #[arg(long, global = true, env = "TRADEWIND_OAUTH_TOKEN_FORMAT", value_name = "FORMAT")]
    oauth_token_format: Option<String>,
    /// What signs tokens: ES256 or EdDSA [default: ES256]
    #[arg(long, global = true, env = "TRADEWIND_OAUTH_SIGNING_ALGORITHM", value_name = "NAME")]
    oauth_signing_algorithm: Option<String>,
    /// Who may register OAuth clients at /oauth/register: off, credential (with the permission clients.write) or open [default: credential]
    #[arg(long, global = true, env = "TRADEWIND_OAUTH_REGISTRATION", value_name = "POLICY")]
    oauth_registration: Option<String>,
    /// The tenant, ten_… or ext:…, of clients that strangers register
    #[arg(long, global = true, env = "TRADEWIND_OAUTH_REGISTRATION_TENANT", value_name = "TENANT")]
    oauth_registration_tenant: Option<String>,
    /// Scopes that such clients may have, comma-separated [default: all of the product]
    #[arg(long, global = true, env = "TRADEWIND_OAUTH_REGISTRATION_SCOPES", value_name = "SCOPES", value_delimiter = ',')]
    oauth_registration_scopes: Option<Vec<String>>,
    /// Whether proofs of keys (DPoP) must have a nonce of ours [default: false]
    #[arg(long, global = true, env = "TRADEWIND_OAUTH_DPOP_NONCE", value_name = "BOOL")]
    oauth_dpop_nonce: Option<bool>,
    /// Another OpenID provider by which people may sign in: its issuer [default: none]
    #[arg(long, global = true, env = "TRADEWIND_OIDC_ISSUER", value_name = "URL")]
    oidc_issuer: Option<String>,
    /// What it calls this server
    #[arg(long, global = true, env = "TRADEWIND_OIDC_CLIENT_ID", value_name = "ID")]
    oidc_client_id: Option<String>,
    /// What this server proves that by [default: nothing, but PKCE]
    #[arg(long, global = true, env = "TRADEWIND_OIDC_CLIENT_SECRET", value_name = "SECRET", hide_env_values = true)]
    oidc_client_secret: Option<String>,
    /// Its name on the sign-in page [default: its host]
    #[arg(long, global = true, env = "TRADEWIND_OIDC_NAME", value_name = "NAME")]
    oidc_name: Option<String>,
    /// Domains of the e-mail addresses that may sign in with it, comma-separated [default: any]
    #[arg(long, global = true, env = "TRADEWIND_OIDC_DOMAINS", value_name = "DOMAINS", value_delimiter = ',')]
    oidc_domains: Option<Vec<String>>,
    /// Whom nobody knows: off, or the tenant that they join and their role in it, such as ext:acme:developer [default: off]
    #[arg(long, global = true, env = "TRADEWIND_OIDC_NEWCOMERS", value_name = "TENANT:ROLE")]
    oidc_newcomers: Option<String>,
    /// How often alerts are looked at, in seconds [default: 60]
    #[arg(long, global = true, env = "TRADEWIND_ALERT_INTERVAL", value_name = "SECONDS")]
    alert_interval: Option<u32>,
    /// The relay for e-mails: smtps://user:password@host:465, or smtp://user:password@host:587?tls=required [default: none]
    #[arg(long, global = true, env = "TRADEWIND_SMTP_URL", value_name = "URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// The sender of e-mails; by default `Tradewind <tradewind@localhost>`
    #[arg(long, global = true, env = "TRADEWIND_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// Domains to which tenants may have e-mails sent, comma-separated [default: any]
    #[arg(long, global = true, env = "TRADEWIND_MAIL_DOMAINS", value_name = "DOMAINS", value_delimiter = ',')]
    mail_domains: Option<Vec<String>>,
    /// A directory to which each day's events and deliveries are exported before anything of them goes
    #[arg(long, global = true, env = "TRADEWIND_RETENTION_EXPORT_DIR", value_name = "DIR")]
    retention_export_dir: Option<PathBuf>,
    /// Or a bucket for them: s3://bucket/prefix/?region=eu-central-1 (&endpoint=… where it is not Amazon's)
    #[arg(long, global = true, env = "TRADEWIND_RETENTION_EXPORT_S3", value_name = "URL")]
    retention_export_s3: Option<String>,
    /// The bucket's credentials: accessKeyId:secretAccessKey, or with :sessionToken
    #[arg(long, global = true, env = "TRADEWIND_RETENTION_EXPORT_S3_CREDENTIALS", value_name = "CREDENTIALS", hide_env_values = true)]
    retention_export_s3_credentials: Option<String>,
}

/// Reads the kind of installation, and lists the kinds in `--help`.
fn environment() -> impl TypedValueParser<Value = Environment> {
    PossibleValuesParser::new(["production", "development"])
        .map(|name| if name == "production" { Environment::Production } else { Environment::Development })
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Both or none.
fn tls(certificate: Option<PathBuf>, key: Option<PathBuf>) -> anyhow::Result<Option<(PathBuf, PathBuf)>> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        _ => Err(Error::invalid("incomplete_tls", "TRADEWIND_TLS_CERT and TRADEWIND_TLS_KEY belong together: set both or none.").into()),
    }
}

fn otlp(endpoint: Option<String>, headers: Option<&str>, sample: Option<f64>) -> anyhow::Result<Option<Otlp>> {
    let Some(endpoint) = endpoint.filter(|endpoint| !endpoint.is_empty()) else { return Ok(None) };
    let field = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), kernel::Secret::new(value.trim().to_owned())))
    };
    let pairs = headers.unwrap_or_default().split(',').filter(|pair| !pair.trim().is_empty());
    let headers: Option<Vec<_>> = pairs.map(field).collect();
    // The values are credentials: the error does not quote them.
    let fault = || Error::invalid("invalid_otlp_headers", "TRADEWIND_OTLP_HEADERS must be name=value pairs with commas between.");
    let sample = sample.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&sample) {
        return Err(Error::invalid("invalid_otlp_sample", "TRADEWIND_OTLP_SAMPLE must be from 0 to 1.").into());
    }
    Ok(Some(Otlp { endpoint, headers: headers.ok_or_else(fault)?, sample }))
}

fn mail(url: Option<String>, from: Option<String>, domains: Option<Vec<String>>) -> Option<MailSettings> {
    url.filter(|url| !url.is_empty()).map(|url| MailSettings {
        url: kernel::Secret::new(url),
        from: from.unwrap_or_else(|| "Tradewind <tradewind@localhost>".to_owned()),
        domains: domains.unwrap_or_default(),
    })
}

/// What does not go together is refused.
fn checked(resolved: Resolved) -> anyhow::Result<Resolved> {
    if resolved.ip_allowlist_bypass && resolved.env == Environment::Production {
        let detail = "TRADEWIND_IP_ALLOWLIST_BYPASS is a development help: it cannot be used with TRADEWIND_ENV=production.";
        return Err(Error::invalid("bypass_in_production", detail).into());
    }
    Ok(resolved)
}

impl Settings {
    /// Flags and variables, then the file, then the defaults.
    pub(crate) fn resolve(self) -> anyhow::Result<Resolved> {
        let file = self.read_file()?;
        let given = self.over(file);
        let lifetimes = given.lifetimes();
        let (oauth, provider) = (given.oauth(), given.provider());
        let listen = given.listen.unwrap_or_else(|| loopback(8080));
        let resolves = given.egress_proxy_resolves.unwrap_or(false);
        let egress_proxy = given.egress_proxy.filter(|url| !url.is_empty()).map(|url| EgressProxy::parse(&url));
        let egress_proxy = egress_proxy.transpose()?.map(|proxy| if resolves { proxy.resolving() } else { proxy });
        let tls = tls(given.tls_cert, given.tls_key)?;
        let otlp = otlp(given.otlp_endpoint, given.otlp_headers.as_deref(), given.otlp_sample)?;
        let operator_tenant = given.operator_tenant.filter(|text| !text.is_empty()).map(|text| text.parse());
        let docs_client = given
            .docs_client
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().map_err(|_| anyhow::anyhow!("TRADEWIND_DOCS_CLIENT must be a client's id, such as cli_…")));
        let mail = mail(given.smtp_url, given.mail_from, given.mail_domains);
        let export_s3 = given.retention_export_s3.filter(|url| !url.is_empty());
        let export_s3_credentials = given.retention_export_s3_credentials;
        let alert_interval = given.alert_interval.unwrap_or(60);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let access_log = given.access_log.filter(|text| !text.is_empty() && text != "off");
        let resolved = Resolved {
            oauth,
            provider,
            listen,
            admin_listen: given.admin_listen.unwrap_or_else(|| loopback(8081)),
            data_dir: given.data_dir.unwrap_or_else(|| PathBuf::from("tradewind-data")),
            database_url: given.database_url.filter(|url| !url.is_empty()),
            master_key: given.master_key.filter(|key| !key.is_empty()).map(kernel::Secret::new),
            blueprint: given.blueprint.unwrap_or_else(|| "insurance-leads".to_owned()),
            env: given.env.unwrap_or(Environment::Production),
            ip_allowlist_bypass: given.ip_allowlist_bypass.unwrap_or(false),
            allow_networks: given.allow_networks.unwrap_or_default(),
            egress_proxy,
            counters: gate::CounterOptions {
                redis_url: given.redis_url.filter(|url| !url.is_empty()).map(kernel::Secret::new),
                failures_per_minute: given.failed_auth_per_minute.unwrap_or(120),
                ..gate::CounterOptions::default()
            },
            trusted_proxies: TrustedProxies::new(
                given.trusted_proxies.unwrap_or_default(),
                given.forwarded_header.unwrap_or_else(|| "x-forwarded-for".to_owned()).parse()?,
            ),
            public_url: given.public_url.unwrap_or_else(|| format!("{scheme}://{listen}")),
            docs_client: docs_client.transpose()?,
            lifetimes,
            retention_export_dir: given.retention_export_dir,
            retention_export_s3: export_s3.map(|url| (url, kernel::Secret::new(export_s3_credentials.unwrap_or_default()))),
            operator_tenant: operator_tenant.transpose()?,
            secret_scanning_keys: given.secret_scanning_keys.filter(|place| !place.is_empty()),
            leak_policy: given.leak_policy.unwrap_or_default(),
            alert_interval: Duration::from_secs(u64::from(alert_interval.clamp(1, 3600))),
            mail,
            tls,
            access_log: access_log.map(|text| match text.parse() {
                Ok(target) => target,
                Err(never) => match never {},
            }),
            otlp,
        };
        checked(resolved)
    }

    /// Of the authorization server.
    fn oauth(&self) -> OauthSettings {
        OauthSettings {
            token_format: self.oauth_token_format.clone(),
            signing_algorithm: self.oauth_signing_algorithm.clone(),
            registration: self.oauth_registration.clone(),
            registration_tenant: self.oauth_registration_tenant.clone(),
            registration_scopes: self.oauth_registration_scopes.clone(),
            dpop_nonce: self.oauth_dpop_nonce.unwrap_or(false),
        }
    }

    /// The other provider by which people sign in. What is empty is not given.
    fn provider(&self) -> ProviderSettings {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        ProviderSettings {
            issuer: text(&self.oidc_issuer),
            client_id: text(&self.oidc_client_id),
            client_secret: text(&self.oidc_client_secret).map(kernel::Secret::new),
            name: text(&self.oidc_name),
            domains: self.oidc_domains.iter().flatten().filter(|domain| !domain.trim().is_empty()).cloned().collect(),
            newcomers: text(&self.oidc_newcomers),
        }
    }

    /// Each from here, or else from `file`.
    fn over(self, file: Self) -> Self {
        Self {
            config: self.config,
            listen: self.listen.or(file.listen),
            admin_listen: self.admin_listen.or(file.admin_listen),
            data_dir: self.data_dir.or(file.data_dir),
            database_url: self.database_url.or(file.database_url),
            master_key: self.master_key.or(file.master_key),
            blueprint: self.blueprint.or(file.blueprint),
            env: self.env.or(file.env),
            ip_allowlist_bypass: self.ip_allowlist_bypass.or(file.ip_allowlist_bypass),
            allow_networks: self.allow_networks.or(file.allow_networks),
            egress_proxy: self.egress_proxy.or(file.egress_proxy),
            egress_proxy_resolves: self.egress_proxy_resolves.or(file.egress_proxy_resolves),
            public_url: self.public_url.or(file.public_url),
            docs_client: self.docs_client.or(file.docs_client),
            redis_url: self.redis_url.or(file.redis_url),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies),
            forwarded_header: self.forwarded_header.or(file.forwarded_header),
            failed_auth_per_minute: self.failed_auth_per_minute.or(file.failed_auth_per_minute),
            retention_payloads: self.retention_payloads.or(file.retention_payloads),
            retention_answers: self.retention_answers.or(file.retention_answers),
            retention_attempts: self.retention_attempts.or(file.retention_attempts),
            retention_metadata: self.retention_metadata.or(file.retention_metadata),
            retention_request_logs: self.retention_request_logs.or(file.retention_request_logs),
            retention_usage: self.retention_usage.or(file.retention_usage),
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            access_log: self.access_log.or(file.access_log),
            otlp_endpoint: self.otlp_endpoint.or(file.otlp_endpoint),
            otlp_headers: self.otlp_headers.or(file.otlp_headers),
            otlp_sample: self.otlp_sample.or(file.otlp_sample),
            operator_tenant: self.operator_tenant.or(file.operator_tenant),
            secret_scanning_keys: self.secret_scanning_keys.or(file.secret_scanning_keys),
            leak_policy: self.leak_policy.or(file.leak_policy),
            alert_interval: self.alert_interval.or(file.alert_interval),
            oauth_token_format: self.oauth_token_format.or(file.oauth_token_format),
            oauth_signing_algorithm: self.oauth_signing_algorithm.or(file.oauth_signing_algorithm),
            oauth_registration: self.oauth_registration.or(file.oauth_registration),
            oauth_registration_tenant: self.oauth_registration_tenant.or(file.oauth_registration_tenant),
            oauth_registration_scopes: self.oauth_registration_scopes.or(file.oauth_registration_scopes),
            oauth_dpop_nonce: self.oauth_dpop_nonce.or(file.oauth_dpop_nonce),
            oidc_issuer: self.oidc_issuer.or(file.oidc_issuer),
            oidc_client_id: self.oidc_client_id.or(file.oidc_client_id),
            oidc_client_secret: self.oidc_client_secret.or(file.oidc_client_secret),
            oidc_name: self.oidc_name.or(file.oidc_name),
            oidc_domains: self.oidc_domains.or(file.oidc_domains),
            oidc_newcomers: self.oidc_newcomers.or(file.oidc_newcomers),
            smtp_url: self.smtp_url.or(file.smtp_url),
            mail_from: self.mail_from.or(file.mail_from),
            mail_domains: self.mail_domains.or(file.mail_domains),
            retention_export_dir: self.retention_export_dir.or(file.retention_export_dir),
            retention_export_s3: self.retention_export_s3.or(file.retention_export_s3),
            retention_export_s3_credentials: self.retention_export_s3_credentials.or(file.retention_export_s3_credentials),
        }
    }

    fn lifetimes(&self) -> Lifetimes {
        let usual = Lifetimes::default();
        Lifetimes {
            payloads: self.retention_payloads.unwrap_or(usual.payloads),
            answers: self.retention_answers.unwrap_or(usual.answers),
            attempts: self.retention_attempts.unwrap_or(usual.attempts),
            metadata: self.retention_metadata.unwrap_or(usual.metadata),
            request_logs: self.retention_request_logs.unwrap_or(usual.request_logs),
            usage: self.retention_usage.unwrap_or(usual.usage),
        }
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
