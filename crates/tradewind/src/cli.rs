//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
    /// Start a complete system with sample data and a receiver, and print what to try
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Run the server
    Serve,
    /// Make and manage service keys, the credentials of host backends
    #[command(subcommand)]
    ServiceKey(ServiceKeyCommand),
    /// Bring the database up to date, and stop
    Migrate,
    /// Look at blueprints
    #[command(subcommand)]
    Blueprint(BlueprintCommand),
    /// Print the OpenAPI document of the configured blueprint
    Openapi,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Seconds between two changes that the demo makes by itself
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) every: u64,
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
    /// Print a built-in blueprint
    Show {
        /// Its name
        name: String,
    },
    /// Check a file; says every fault
    Check {
        /// The file
        file: PathBuf,
    },
}
