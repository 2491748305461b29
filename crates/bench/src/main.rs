//! `bench`: measures the real server binary and proves its promises. `bench all` is what `cargo xtask bench` runs.
#![allow(clippy::print_stdout, reason = "a command-line tool: its tables go to standard output")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::measure::{deliver, gate, graphql, latency, memory, oauth, proxy, store_rows, transform, verify};
use bench::prove::{backlog, fair, fan_out, hanging, jobs, keys, kill, records, usage};
use bench::report::{self, Row};
use bench::server::Place;
use bench::{bare, post};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// The server's allocator as well, so that the references do not differ by theirs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures `tradewind` against bare references in one run, and proves what it promises. Speaks to 127.0.0.1 only.
#[derive(Parser)]
#[command(name = "bench")]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Options {
    /// The server's binary; by default `tradewind` beside this one. Measure a release build.
    #[arg(long = "bin", env = "TRADEWIND_BIN", global = true)]
    server: Option<PathBuf>,
    /// Measure on PostgreSQL: a URL whose role may create databases (needs `psql`). Default: SQLite.
    #[arg(long, global = true)]
    postgres: Option<String>,
    /// Where the result file goes.
    #[arg(long, default_value = "bench", global = true)]
    results: PathBuf,
    /// Print only; write no result file.
    #[arg(long, global = true)]
    no_file: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Requests a second of the gate against a bare axum route with the same bytes.
    Gate(GateArguments),
    /// Keys verified a second against a bare axum route with the same bytes both ways.
    Verify(GateArguments),
    /// Calls a second through an upstream's endpoint against nginx doing the same (needs `nginx`).
    Proxy(GateArguments),
    /// GraphQL's requests a second against PostGraphile on the same data (needs `--postgres`, `psql`, `node` and `npm`).
    Graphql(GateArguments),
    /// Tokens and introspections a second against npm's oidc-provider, and access tokens at the gate against keys (needs `node` and `npm`).
    Oauth(GateArguments),
    /// Delivered events a second against a bare client that posts the same signed bodies.
    Deliver(DeliverArguments),
    /// From accepted to received at a fixed rate.
    Latency(LatencyArguments),
    /// Memory when idle and under load; start to first answer.
    Memory,
    /// Rows accepted a second for a paused webhook against raw inserts.
    Rows,
    /// Delivered events a second with a simple JavaScript transform against none.
    Transform(TransformArguments),
    /// All of these but `proxy`, `graphql` and `oauth`.
    All,
    /// The proofs.
    #[command(subcommand)]
    Prove(Proof),
    /// The gate's reference (started by `gate`).
    #[command(hide = true)]
    Bare {
        /// The file whose bytes are answered.
        #[arg(long)]
        body: PathBuf,
        /// Their type.
        #[arg(long)]
        content_type: String,
    },
    /// The delivery's reference (started by `deliver`).
    #[command(hide = true)]
    Post(PostArguments),
}

#[derive(Args)]
struct GateArguments {
    /// Callers, each on its own connection.
    #[arg(long, default_value_t = 64)]
    callers: usize,
    /// Seconds of one run.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Runs of each side, alternating.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Args)]
struct DeliverArguments {
    /// Events of one run.
    #[arg(long, default_value_t = 40_000)]
    events: u64,
    /// Runs of each kind, alternating.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Args)]
struct TransformArguments {
    /// Events of one run.
    #[arg(long, default_value_t = 40_000)]
    events: u64,
    /// Runs of each kind, alternating.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Args)]
struct LatencyArguments {
    /// Events a second.
    #[arg(long, default_value_t = 300)]
    rate: u64,
    /// For how many seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

#[derive(Subcommand)]
enum Proof {
    /// A dead receiver with a great backlog: bounded memory, and a healthy receiver unharmed.
    Backlog {
        /// Deliveries to queue.
        #[arg(long, default_value_t = 1_000_000)]
        count: u64,
        /// How the receiver is dead.
        #[arg(long, value_enum, default_value_t = Dead::Refusing)]
        dead: Dead,
    },
    /// A dead and a slow receiver among 1,000 healthy ones: those do not notice.
    Fair,
    /// One tenant's receiver hangs with 1,000 events waiting: another tenant's are not late.
    Hanging,
    /// One event for 10,000 webhooks.
    FanOut,
    /// A month's usage with 100,000,000 calls logged, and retention of a day of them.
    Usage {
        /// Calls of each of the 90 days.
        #[arg(long, default_value_t = 1_111_112)]
        calls: u64,
    },
    /// A million keys: those in use cost what they cost among a thousand, in bounded memory.
    Keys {
        /// Keys of the large table.
        #[arg(long, default_value_t = 1_000_000)]
        count: usize,
    },
    /// Lists among many records cost what they cost among few; an export is flat.
    Records {
        /// Records of the large tenant.
        #[arg(long, default_value_t = 1_000_000)]
        count: u64,
    },
    /// Workers are killed at random over 5,000 jobs: none is lost or done twice; and whole cycles against raw inserts.
    Jobs {
        /// Jobs of the chaos.
        #[arg(long, default_value_t = 5000)]
        count: usize,
    },
    /// `kill -9` at random moments while events are published: nothing accepted is lost.
    Kill {
        /// How often.
        #[arg(long, default_value_t = 1000)]
        kills: u64,
        /// Events in all.
        #[arg(long, default_value_t = 500_000)]
        events: u64,
        /// Chooses the moments; by default a random one, which is printed.
        #[arg(long)]
        seed: Option<u64>,
        /// The proof ends within so many minutes.
        #[arg(long, default_value_t = 120)]
        minutes: u64,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Dead {
    Refusing,
    Hanging,
}

#[derive(Args)]
struct PostArguments {
    /// How.
    #[arg(long, value_enum)]
    kind: post::Kind,
    /// A captured delivery, as JSON.
    #[arg(long)]
    template: PathBuf,
    /// The receiver.
    #[arg(long)]
    to: SocketAddr,
    /// How many posts.
    #[arg(long)]
    count: u64,
    /// How many at a time.
    #[arg(long)]
    in_flight: usize,
    /// What ids begin with.
    #[arg(long)]
    prefix: String,
    /// No new post begins after so many seconds.
    #[arg(long)]
    seconds: u64,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Cli { options, command } = Cli::parse();
    let (name, rows) = match command {
        Command::Bare { body, content_type } => return bare::serve(&body, &content_type).await.map(|()| ExitCode::SUCCESS),
        Command::Post(arguments) => return post(arguments).await,
        measured => measure(&options.place()?, measured).await?,
    };
    println!("\n{}\n{}", report::NOISE, report::table(&rows));
    if !options.no_file {
        println!("written: {}", report::write(&options.results, name, options.engine(), &rows)?.display());
    }
    Ok(if report::all_met(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Options {
    fn place(&self) -> Result<Place> {
        let tool = std::env::current_exe().context("where this binary is")?;
        let server = match &self.server {
            Some(path) => path.clone(),
            None => tool.parent().unwrap_or(Path::new(".")).join("tradewind"),
        };
        ensure!(server.is_file(), "there is no server binary at {}: build it (cargo build --release) or say --bin", server.display());
        // The server runs in its data directory, so a relative path would point elsewhere.
        Ok(Place { server: server.canonicalize()?, tool, postgres: self.postgres.clone() })
    }

    fn engine(&self) -> &'static str {
        if self.postgres.is_some() { "PostgreSQL" } else { "SQLite, synchronous=FULL" }
    }
}

async fn measure(place: &Place, command: Command) -> Result<(&'static str, Vec<Row>)> {
    Ok(match command {
        Command::Gate(GateArguments { callers, seconds, rounds }) => {
            let config = gate::Config { callers, run: Duration::from_secs(seconds), rounds: rounds.max(1) };
            ("gate", gate::run(place, &config).await?)
        }
        Command::Verify(GateArguments { callers, seconds, rounds }) => {
            let config = verify::Config { callers, run: Duration::from_secs(seconds), rounds: rounds.max(1) };
            ("verify", verify::run(place, &config).await?)
        }
        Command::Proxy(GateArguments { callers, seconds, rounds }) => {
            let config = proxy::Config { callers, run: Duration::from_secs(seconds), rounds: rounds.max(1) };
            ("proxy", proxy::run(place, &config).await?)
        }
        Command::Graphql(GateArguments { callers, seconds, rounds }) => {
            let config = graphql::Config { callers, run: Duration::from_secs(seconds), rounds: rounds.max(1) };
            ("graphql", graphql::run(place, &config).await?)
        }
        Command::Oauth(GateArguments { callers, seconds, rounds }) => {
            let config = oauth::Config { callers, run: Duration::from_secs(seconds), rounds: rounds.max(1) };
            ("oauth", oauth::run(place, &config).await?)
        }
        Command::Deliver(DeliverArguments { events, rounds }) => {
            let config = deliver::Config { events, rounds: rounds.max(1), ..deliver::Config::default() };
            ("deliver", deliver::run(place, &config).await?)
        }
        Command::Latency(LatencyArguments { rate, seconds }) => {
            let config = latency::Config { rate, time: Duration::from_secs(seconds), ..latency::Config::default() };
            ("latency", latency::run(place, &config).await?)
        }
        Command::Transform(TransformArguments { events, rounds }) => {
            let config = transform::Config { events, rounds: rounds.max(1), ..transform::Config::default() };
            ("transform", transform::run(place, &config).await?)
        }
        Command::Rows => ("rows", store_rows::run(place, &store_rows::Config::default()).await?),
        Command::Memory => ("memory", memory::run(place, &memory::Config::default()).await?),
        Command::Prove(proof) => prove(place, proof).await?,
        Command::All | Command::Bare { .. } | Command::Post(_) => ("all", all(place).await?),
    })
}

/// Everything; a part that fails becomes a row of its own, so that the others' results are not lost with it.
async fn all(place: &Place) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let parts = [
        ("gate", gate::run(place, &gate::Config::default()).await),
        ("verify", verify::run(place, &verify::Config::default()).await),
        ("deliver", deliver::run(place, &deliver::Config::default()).await),
        ("latency", latency::run(place, &latency::Config::default()).await),
        ("memory", memory::run(place, &memory::Config::default()).await),
        ("rows", store_rows::run(place, &store_rows::Config::default()).await),
        ("transform", transform::run(place, &transform::Config::default()).await),
    ];
    for (name, part) in parts {
        match part {
            Ok(found) => rows.extend(found),
            Err(error) => {
                bench::progress::say(format!("{name} failed: {error:#}"));
                rows.push(Row::bound(name, "could not be measured", "a result", false));
            }
        }
    }
    Ok(rows)
}

async fn prove(place: &Place, proof: Proof) -> Result<(&'static str, Vec<Row>)> {
    Ok(match proof {
        Proof::Backlog { count, dead } => {
            let death = match dead {
                Dead::Refusing => backlog::Death::Refusing,
                Dead::Hanging => backlog::Death::Hanging,
            };
            let config = backlog::Config { count, death, patience: Duration::from_secs(1800), ..backlog::Config::ci() };
            ("prove-backlog", backlog::run(place, &config).await?.rows())
        }
        Proof::Fair => ("prove-fair", fair::run(place, &fair::Config::full()).await?.rows()),
        Proof::Hanging => ("prove-hanging", hanging::run(place, &hanging::Config::ci()).await?.rows()),
        Proof::FanOut => ("prove-fan-out", fan_out::run(place, &fan_out::Config::full()).await?.rows()),
        Proof::Usage { calls } => ("prove-usage", usage::run(&usage::Config { calls, ..usage::Config::full() }).await?.rows()),
        Proof::Keys { count } => ("prove-keys", keys::run(place, &keys::Config { keys: count, ..keys::Config::full() }).await?.rows()),
        Proof::Records { count } => {
            let config = records::Config { many: count, postgres: place.postgres.clone(), ..records::Config::full() };
            ("prove-records", records::prove(&config).await?.rows())
        }
        Proof::Jobs { count } => {
            let config = jobs::Config { chaos: count, ..jobs::Config::full() };
            ("prove-jobs", jobs::run(place.postgres.as_deref(), &config).await?.rows())
        }
        Proof::Kill { kills, events, seed, minutes } => {
            let fresh = kill::Config::ci();
            let patience = Duration::from_secs(minutes * 60);
            let config = kill::Config { kills, events, seed: seed.unwrap_or(fresh.seed), patience, ..fresh };
            bench::progress::say(format!("seed {}", config.seed));
            ("prove-kill", kill::run(place, &config).await?.rows())
        }
    })
}

async fn post(arguments: PostArguments) -> Result<ExitCode> {
    let PostArguments { kind, template, to, count, in_flight, prefix, seconds } = arguments;
    let template = serde_json::from_slice(&std::fs::read(template).context("reading the template")?)?;
    let config = post::Config { kind, to, count, in_flight, prefix, time: Duration::from_secs(seconds) };
    println!("{}", serde_json::to_string(&post::run(&config, &template).await?)?);
    Ok(ExitCode::SUCCESS)
}
