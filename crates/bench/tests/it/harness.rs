//! The harness against a stand-in for the server that can be honest or forgetful: the proofs must tell the two apart.

use std::path::PathBuf;
use std::time::Duration;

use bench::measure::{deliver, gate, latency, memory, transform};
use bench::prove::{backlog, kill};
use bench::report::Row;
use bench::server::Place;
use tempfile::TempDir;

use crate::place::tool;

/// The stand-in under a name, which decides how it behaves.
fn double(name: &str) -> (TempDir, Place) {
    let directory = tempfile::tempdir().unwrap();
    let server: PathBuf = directory.path().join(name);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_server-double"), &server).unwrap();
    (directory, Place { server, tool: tool(), postgres: None })
}

const KILLS: kill::Config = kill::Config { kills: 6, events: 3_000, callers: 8, seed: 7, patience: Duration::from_secs(60) };

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_server_passes_the_kills() {
    let (_directory, place) = double("honest");
    let report = kill::run(&place, &KILLS).await.unwrap();
    assert_eq!((report.kills, report.accepted, report.delivered, report.lost), (6, 3_000, 3_000, 0), "{report:?}");
    // It delivers everything again after each start, and the harness must see that.
    assert!(report.duplicates > 0 && report.repeats > 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgetful_server_is_found_out() {
    let (_directory, place) = double("forgetful");
    let report = kill::run(&place, &kill::Config { patience: Duration::from_secs(8), ..KILLS }).await.unwrap();
    assert!(report.lost > 0 && !report.lost_ids.is_empty(), "{report:?}");
    assert_eq!(report.accepted - report.delivered, report.lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backlog_reaches_only_the_dead() {
    let (_directory, place) = double("honest");
    let probe = latency::Config { rate: 100, time: Duration::from_secs(1), callers: 4 };
    let config = backlog::Config { count: 2_000, death: backlog::Death::Refusing, probe, patience: Duration::from_secs(60) };
    let report = backlog::run(&place, &config).await.unwrap();
    assert_eq!(report.queued, 2_000);
    assert!(report.before > 0 && report.greatest >= report.before && report.healthy_alone > Duration::ZERO, "{report:?}");
}

fn measured<'a>(rows: &'a [Row], name: &str) -> &'a str {
    &rows.iter().find(|row| row.name.contains(name)).unwrap_or_else(|| panic!("no row {name}: {rows:?}")).measured
}

#[tokio::test(flavor = "multi_thread")]
async fn every_measurement_runs_to_its_end() {
    let (_directory, place) = double("honest");
    let run = Duration::from_millis(200);
    let rows = gate::run(&place, &gate::Config { callers: 4, run, rounds: 1 }).await.unwrap();
    assert!(measured(&rows, "requests").ends_with("/s"));
    let config = deliver::Config { events: 1_000, callers: 8, batch_callers: 2, batch: 100, rounds: 1 };
    let rows = deliver::run(&place, &config).await.unwrap();
    assert_eq!(measured(&rows, "lost / duplicates, one by one"), "0 / 0");
    assert_eq!(measured(&rows, "lost / duplicates, in batches"), "0 / 0");
    let rows = latency::run(&place, &latency::Config { rate: 100, time: Duration::from_secs(1), callers: 4 }).await.unwrap();
    assert!(measured(&rows, "accepted → received").contains("p99"));
    let config = transform::Config { events: 500, callers: 2, batch: 100, rounds: 1 };
    let rows = transform::run(&place, &config).await.unwrap();
    assert_eq!(measured(&rows, "lost, with and without"), "0");
    let rows = memory::run(&place, &memory::Config { starts: 1, events: 500 }).await.unwrap();
    assert!(measured(&rows, "memory, idle").ends_with(" MB"));
}
