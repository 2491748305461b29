//! The proofs, in CI size, against the real server. They are ignored unless asked for (`--run-ignored all`), because they need its
//! binary; `cargo xtask ci` builds it, sets `TRADEWIND_BIN` and asks.

use bench::prove::{backlog, fair, fan_out, hanging, jobs, keys, kill, records, usage};
use bench::server::Place;

use crate::place;

async fn nothing_accepted_is_lost(place: &Place) {
    let config = kill::Config::ci();
    let report = kill::run(place, &config).await.unwrap();
    assert_eq!((report.accepted, report.kills), (config.events, config.kills), "{report:?}");
    assert_eq!(report.lost, 0, "{report:?}");
    // Crashes may repeat deliveries that were under way, at most those; a server that repeats everything would pass without this.
    assert!(report.duplicates < config.events / 2, "{report:?}");
}

async fn a_dead_receiver_harms_nobody(place: &Place, death: backlog::Death) {
    let report = backlog::run(place, &backlog::Config { death, ..backlog::Config::ci() }).await.unwrap();
    assert_eq!(report.queued, 100_000);
    assert!(report.is_bounded() && report.is_fair(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the server's binary: TRADEWIND_BIN"]
async fn heavy_kills_on_sqlite() {
    nothing_accepted_is_lost(&place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the server's binary: TRADEWIND_BIN"]
async fn heavy_kills_on_postgres() {
    let Some(place) = place::postgres() else { return };
    nothing_accepted_is_lost(&place).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the server's binary: TRADEWIND_BIN"]
async fn heavy_backlog_of_a_refusing_receiver_on_sqlite() {
    a_dead_receiver_harms_nobody(&place::sqlite(), backlog::Death::Refusing).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the server's binary: TRADEWIND_BIN"]
async fn heavy_backlog_of_a_hanging_receiver_on_sqlite() {
    a_dead_receiver_harms_nobody(&place::sqlite(), backlog::Death::Hanging).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the server's binary: TRADEWIND_BIN"]
async fn heavy_backlog_on_postgres() {
    let Some(place) = place::postgres() else { return };
    a_dead_receiver_harms_nobody(&place, backlog::Death::Refusing).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the server's binary: TRADEWIND_BIN"]
async fn heavy_dead_and_slow_receivers_on_sqlite() {
    let report = fair::run(&place::sqlite(), &fair::Config::ci()).await.unwrap();
    assert!(report.is_fair(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the server's binary: TRADEWIND_BIN"]
async fn heavy_hanging_receiver_on_sqlite() {
    let report = hanging::run(&place::sqlite(), &hanging::Config::ci()).await.unwrap();
    assert!(report.is_unhurt(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the server's binary: TRADEWIND_BIN"]
async fn heavy_fan_out_on_sqlite() {
    let report = fan_out::run(&place::sqlite(), &fan_out::Config::ci()).await.unwrap();
    assert!(bench::report::all_met(&report.rows()), "{report:?}");
}

/// A debug build on a busy machine is slower than what is promised; that the answers are right and whole is what this shows. The numbers of
/// the full size are `bench prove usage`'s.
#[tokio::test(flavor = "multi_thread")]
async fn prove_usage() {
    let report = usage::run(&usage::Config { calls: 5000, days: 35 }).await.unwrap();
    assert_eq!((report.calls, report.queries.len()), (175_000, 4));
    for (what, took) in &report.queries {
        assert!(took.as_millis() < 2000, "{what} took {took:?}");
    }
    assert!(report.dropped.as_millis() < 1000, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn prove_lists_among_many_records_read_what_they_show() {
    let report = records::prove(&records::Config::ci()).await.unwrap();
    // Six times the records: a list that reads them all would take about six times as long.
    assert!(report.is_indexed() && report.is_flat(), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures: wants the machine for itself"]
async fn heavy_jobs_are_done_once_each_on_sqlite() {
    let report = jobs::run(None, &jobs::Config::ci()).await.unwrap();
    assert_eq!((report.completed, report.twice, report.backwards), (report.jobs, 0, 0), "{report:?}");
    assert!(report.killed > 0 && report.cycles > 0.0 && report.raw > 0.0, "{report:?}");
}

/// On a busy machine the rates are within a third; a table that is read key by key would be far off.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the server's binary: TRADEWIND_BIN"]
async fn heavy_many_keys_cost_what_few_do() {
    let report = keys::run(&place::sqlite(), &keys::Config::ci()).await.unwrap();
    assert!(report.rates.0 > 0.5 * report.rates.1 && report.cold > 0.0, "{report:?}");
}
