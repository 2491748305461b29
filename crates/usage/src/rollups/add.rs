//! Adding a group to the rows that are kept.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::LazyLock;

use kernel::histogram::BUCKETS;
use kernel::{NodeId, Result};
use store::{Tx, Value};

use super::{Counted, Grain, Kind, Leaf};
use crate::days::day_of;

/// Columns of a row.
const COLUMNS: usize = 13 + BUCKETS;
const SUMS: [&str; 6] = ["requests", "succeeded", "units", "duration_us", "request_bytes", "response_bytes"];

fn insert(grain: Grain) -> String {
    let buckets: String = (0..BUCKETS).fold(String::new(), |mut text, bucket| {
        // Writing to a String cannot fail.
        let _ = write!(text, ", h{bucket:02}");
        text
    });
    format!("INSERT INTO {} (tenant_id, subject, kind, at, part, node, {}, slowest_us{buckets}) VALUES", grain.table(), SUMS.join(", "))
}

fn add_up(grain: Grain) -> String {
    let table = grain.table();
    let mut sql = String::from("ON CONFLICT (tenant_id, subject, kind, at, part, node) DO UPDATE SET ");
    let buckets: Vec<String> = (0..BUCKETS).map(|bucket| format!("h{bucket:02}")).collect();
    for column in SUMS.iter().copied().chain(buckets.iter().map(String::as_str)) {
        let _ = write!(sql, "{column} = {table}.{column} + excluded.{column}, ");
    }
    let larger = format!("CASE WHEN excluded.slowest_us > {table}.slowest_us THEN excluded.slowest_us ELSE {table}.slowest_us END");
    let _ = write!(sql, "slowest_us = {larger}");
    sql
}

static TEXTS: LazyLock<[(String, String); 2]> = LazyLock::new(|| [Grain::Hour, Grain::Day].map(|grain| (insert(grain), add_up(grain))));

type Key = (String, String, Kind, i64, String);

/// What a group adds, as rows to be inserted.
#[derive(Default)]
pub(crate) struct Counts {
    hours: Vec<Value>,
    days: Vec<Value>,
}

impl Counts {
    /// Spreads counts over subjects, kinds and grains. Rows come in the order of their key, so that two writers lock in one order.
    pub(crate) fn of(leaves: &HashMap<Leaf, Counted>, node: NodeId) -> Self {
        let (mut hours, mut days): (BTreeMap<Key, Counted>, BTreeMap<Key, Counted>) = Default::default();
        for (leaf, counted) in leaves {
            for (subject, kind, part) in places(leaf) {
                let tenant = leaf.tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
                let day = (tenant.clone(), subject.clone(), kind, day_of(leaf.hour), part.clone());
                days.entry(day).or_default().merge(counted);
                hours.entry((tenant, subject, kind, leaf.hour, part)).or_default().merge(counted);
            }
        }
        Self { hours: values(hours, node), days: values(days, node) }
    }
}

/// Subject, kind and part of each row that a leaf adds to.
fn places(leaf: &Leaf) -> Vec<(String, Kind, String)> {
    let (client, key) = (leaf.client.map(|client| client.to_string()), leaf.key.map(|key| key.to_string()));
    let endpoint = format!("{} {}", leaf.endpoint, leaf.method);
    let status = leaf.error_code.map_or_else(|| leaf.status.to_string(), |code| format!("{} {code}", leaf.status));
    let subjects = [(Some(String::new()), client.clone()), (client, key.clone()), (key, None)];
    let mut out = Vec::with_capacity(11);
    for (subject, child) in subjects {
        let Some(subject) = subject else { continue };
        out.extend(child.map(|child| (subject.clone(), Kind::Child, child)));
        out.push((subject.clone(), Kind::Endpoint, endpoint.clone()));
        out.push((subject.clone(), Kind::Status, status.clone()));
        out.push((subject, Kind::Total, String::new()));
    }
    out
}

fn values(counts: BTreeMap<Key, Counted>, node: NodeId) -> Vec<Value> {
    let mut out = Vec::with_capacity(counts.len() * COLUMNS);
    for ((tenant, subject, kind, at, part), counted) in counts {
        out.extend([tenant.into(), subject.into(), kind.as_str().into(), at.into(), part.into(), node.into()]);
        out.extend([counted.requests, counted.succeeded, counted.units, counted.duration_us].map(Value::from));
        out.extend([counted.request_bytes, counted.response_bytes, counted.durations.slowest].map(Value::from));
        out.extend(counted.durations.counts.map(Value::from));
    }
    out
}

/// Adds them. To be run on the logs.
pub(crate) fn write(tx: &mut Tx<'_>, counts: &Counts) -> Result<()> {
    let [(insert_hours, add_hours), (insert_days, add_days)] = &*TEXTS;
    tx.insert_rows(insert_hours, COLUMNS, &counts.hours, add_hours)?;
    tx.insert_rows(insert_days, COLUMNS, &counts.days, add_days).map(drop)
}
