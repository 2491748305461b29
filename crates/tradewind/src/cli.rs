//! The command line.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use assembly::system::SCRIPT_WORKER;

use crate::settings::Settings;

/// Open your product to partners: one binary.
#[derive(Debug, Parser)]
#[command(name = "tradewind", version, about, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a complete system with sample data and a receiver, and print what to try. `insurance-leads` and `call-coaching` have a story of
    /// their own; of any other blueprint there are records made of what its schemas say
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Run the server
    Serve,
    /// Make and manage service keys, the credentials of host backends
    #[command(subcommand)]
    ServiceKey(ServiceKeyCommand),
    /// Make accounts for people, and links by which they choose a password
    #[command(subcommand)]
    User(UserCommand),
    /// Bring the database up to date, and stop
    Migrate,
    /// Ask partners to come back later, for as long as it is on; operators, health, metrics and deliveries go on
    #[command(subcommand)]
    Maintenance(MaintenanceCommand),
    /// Have every running server read its blueprint again; one that is faulty or breaks its callers is refused
    Reload,
    /// Backends that the blueprint names
    #[command(subcommand)]
    Upstream(UpstreamCommand),
    /// Print the secret by which a host verifies calls for jobs of a type; works with the server up or down
    JobSecret {
        /// The type's name in the blueprint
        name: String,
    },
    /// Check the audit log's hash chains: finds any row that was altered, removed, moved or added
    VerifyLog(VerifyLogArgs),
    /// Look at settings, data directory, master key and database, or at one receiver's URL; changes nothing
    Doctor(DoctorArgs),
    /// Look at blueprints
    #[command(subcommand)]
    Blueprint(BlueprintCommand),
    /// Look at connectors, and at files that describe one
    #[command(subcommand)]
    Connector(ConnectorCommand),
    /// Print the OpenAPI document of the configured blueprint
    Openapi,
    /// Print a Postman collection of the configured blueprint's API
    Postman,
    /// Receive a tenant's webhooks on this machine, over an outgoing connection
    Listen(ListenArgs),
    /// Play good and forged deliveries against a receiver, and say what it does wrong
    Certify(CertifyArgs),
    /// Print the AsyncAPI document of the configured blueprint: the events that webhooks get
    Asyncapi,
    /// Run tenants' functions for the server that started this process
    #[command(name = SCRIPT_WORKER, hide = true)]
    ScriptWorker,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Seconds between two changes that the demo makes by itself
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) every: u64,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyLogArgs {
    /// Compare with what this file says of an earlier time, and then write into it where the chains end now; keep it away from the database
    #[arg(long, value_name = "FILE")]
    pub(crate) anchor: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Explain whether deliveries to this URL are allowed, and what would allow them
    #[arg(long)]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceKeyCommand {
    /// Make one; prints only the key, on standard output
    Create(CreateServiceKey),
    /// List them
    List,
    /// Revoke one, at once
    Revoke {
        /// Its id (`svc_…`)
        id: String,
    },
    /// Make a new key in place of one; prints only the new key
    Rotate {
        /// Its id (`svc_…`)
        id: String,
        /// Seconds for which the old key still works
        #[arg(long, default_value_t = 0)]
        grace: u64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account; prints only a link by which its owner chooses a password, good for 24 hours
    Create(CreateUserArgs),
    /// Print a link by which somebody chooses a new password, good for 24 hours
    ResetPassword {
        /// The address by which they sign in
        #[arg(long)]
        email: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateUserArgs {
    /// The address by which they sign in
    #[arg(long)]
    pub(crate) email: String,
    /// What they are called
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// The tenant that they become a member of (`ten_…` or `ext:…`); without one they are one of the operator's people
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// In a tenant: owner, admin, developer (the default) or viewer; of the operator's people: admin (the default) or support
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// Take the password from the first line of standard input, and print nothing
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MaintenanceCommand {
    /// Switch it on, on every server, within a second
    On {
        /// What partners are told in Retry-After, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
        retry_after: u64,
        /// What they are told in the answer's text
        #[arg(long, value_name = "TEXT")]
        message: Option<String>,
    },
    /// Switch it off
    Off,
    /// Say how it stands
    Status,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UpstreamCommand {
    /// Print the secret by which a backend verifies who calls; works with the server up or down
    Secret {
        /// The upstream's name in the blueprint
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateServiceKey {
    /// What it is for
    #[arg(long, default_value = "service key")]
    pub(crate) name: String,
    /// Bind it to one tenant (`ten_…` or `ext:…`): it can then do nothing else, and nothing of the operator's
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Give it only these permissions (`events.publish`, …) instead of all
    #[arg(long, value_delimiter = ',')]
    pub(crate) scopes: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BlueprintCommand {
    /// List the built-in blueprints
    List,
    /// Print a blueprint
    Show {
        /// A built-in name, or a path
        name: String,
    },
    /// Print the JSON Schema of the file format, for editors
    Schema,
    /// Check a blueprint; says every fault. With --against, says what it breaks for those who rely on another version (exit code 1 if anything)
    Check {
        /// A built-in name, or a path
        file: String,
        /// The version that others rely on: a built-in name, a path, or `applied`: the version in force in the database, and what is stored there
        #[arg(long, value_name = "OLD")]
        against: Option<String>,
        /// How the answer looks
        #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
        format: CheckFormat,
    },
    /// List the versions that were applied to the database, the newest (which is in force) first
    Versions {
        /// Print the text of this version instead
        #[arg(long, value_name = "NUMBER")]
        show: Option<i64>,
        /// How the answer looks
        #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
        format: CheckFormat,
    },
    /// Put the version before the present one into force again; running servers take it up at once
    Rollback {
        /// Why, for those who read the versions later
        #[arg(long)]
        note: Option<String>,
        /// Who does it
        #[arg(long, env = "USER", default_value = "command line")]
        by: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorCommand {
    /// List the built-in connectors and their objects
    List,
    /// Print the JSON Schema of the file format, for editors
    Schema,
    /// Check a connector's file; says every fault
    Check {
        /// Its path
        file: String,
        /// How the answer looks
        #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
        format: CheckFormat,
    },
    /// Try a connector's file with the vendor: who we are, which fields there are, the first records; writes nothing
    Try(TryArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TryArgs {
    /// Its path
    pub(crate) file: String,
    /// Where the vendor is [default: the file's base_url]
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// The key or token; for Basic authentication name:password
    #[arg(long, env = "TRADEWIND_CONNECTOR_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// A setting of the file; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// Only this object
    #[arg(long)]
    pub(crate) object: Option<String>,
}

/// How commands about blueprints and connectors answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum CheckFormat {
    /// Lines for people
    Text,
    /// One JSON object
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Where deliveries go: http://127.0.0.1:3000/webhooks
    #[arg(long, value_name = "URL")]
    pub(crate) forward: String,
    /// The server
    #[arg(long, env = "TRADEWIND_SERVER", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) server: String,
    /// An API key that may see events, or a service key
    #[arg(long, env = "TRADEWIND_KEY", hide_env_values = true, required_unless_present = "replay")]
    pub(crate) key: Option<String>,
    /// The tenant (`ten_…`), with a service key that is bound to none
    #[arg(long, env = "TRADEWIND_TENANT")]
    pub(crate) tenant: Option<String>,
    /// Only these events: exact types, lead.* or *, comma-separated [default: all]
    #[arg(long, value_name = "TYPES")]
    pub(crate) events: Option<String>,
    /// The name under which the server keeps the place; two listeners need two
    #[arg(long, default_value = "listen", value_name = "NAME")]
    pub(crate) consumer: String,
    /// When the consumer is new: begin at the oldest event that is kept, not with what comes
    #[arg(long)]
    pub(crate) from_start: bool,
    /// Sign with this secret (`whsec_…`), such as the webhook's own [default: one that is made and printed]
    #[arg(long, env = "TRADEWIND_WEBHOOK_SECRET", hide_env_values = true)]
    pub(crate) secret: Option<String>,
    /// Show a forward that fails and go on, instead of trying it until it is answered 2xx
    #[arg(long)]
    pub(crate) no_retry: bool,
    /// Keep each delivery as a JSON file in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
    /// Do not listen: forward recorded deliveries, signed anew, and end
    #[arg(long, value_name = "DIR|FILE", conflicts_with = "record")]
    pub(crate) replay: Option<PathBuf>,
    /// Seconds that the local receiver may take
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CertifyArgs {
    /// The receiver
    pub(crate) url: String,
    /// The secret that it verifies with (`whsec_…`)
    #[arg(long, env = "TRADEWIND_WEBHOOK_SECRET", hide_env_values = true)]
    pub(crate) secret: String,
    /// Allow http:// and this machine's own addresses; TRADEWIND_ENV=development does too
    #[arg(long)]
    pub(crate) local: bool,
    /// Standard Webhooks' body and headers only, not the blueprint's own
    #[arg(long)]
    pub(crate) plain: bool,
    /// The type of good deliveries [default: the blueprint's test event]
    #[arg(long, value_name = "TYPE")]
    pub(crate) event: Option<String>,
    /// A file with the data of good deliveries [default: the type's example, or the blueprint's test data]
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,
    /// Seconds that an answer may take
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) timeout: u64,
    /// How to print the findings
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

impl Cli {
    /// From the command line and the environment. A variable that is set to nothing counts as not set, as files for containers write it.
    #[allow(clippy::disallowed_methods, reason = "the one place where settings are read")]
    pub(crate) fn read() -> Self {
        let is_empty = |name: &std::ffi::OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
        let command = Self::command().mut_args(|arg| {
            if arg.get_env().is_some_and(is_empty) { arg.env(clap::builder::Resettable::<clap::builder::OsStr>::Reset) } else { arg }
        });
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}
