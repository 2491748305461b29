//! Logs on standard error: for people on a terminal, JSON otherwise. Beside it, once the settings are known, by OTLP.

use std::io::IsTerminal as _;

use telemetry::LogBridge;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

/// Where the bridge to OTLP goes when there is one.
pub(crate) type Socket = reload::Handle<Option<LogBridge>, Registry>;

/// Starts logging. `RUST_LOG` chooses what is logged; without it, warnings and Tradewind's own notices.
pub(crate) fn start() -> Socket {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,hyper=warn,rustls=warn,postgres=warn,tokio_postgres=warn"));
    // These libraries log whole messages: tenants' payloads. What matters of them is in the log of attempts, and in that of requests.
    let filter = ["lapin=off", "rmcp=off"].iter().filter_map(|off| off.parse().ok()).fold(filter, EnvFilter::add_directive);
    let (bridge, socket) = reload::Layer::new(None);
    let plain = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let plain =
        if std::io::stderr().is_terminal() { plain.with_target(false).compact().boxed() } else { plain.json().flatten_event(true).boxed() };
    tracing_subscriber::registry().with(bridge).with(plain).with(filter).init();
    socket
}
