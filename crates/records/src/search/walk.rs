//! What a search finds, in the order of creation: the tail, and the places of the index from one end to the other.

use std::collections::BTreeMap;

use kernel::{RecordId, Result};
use store::Tx;

use super::grams::ASKED;
use super::places::{BLOCK, Places};
use super::{Needle, meet};
use crate::fields;
use crate::query::{Binder, Columns, Test};
use crate::records::{COLUMNS, Found, Place, Plan, Record, arrange, beyond, read_record, rows_of};

/// Candidates that are compared in one statement.
pub(super) const CHUNK: usize = 64;
/// Blocks that are looked at in one statement: first few, so that a common text costs little, then more.
const FIRST: i64 = 1;
const GROWTH: i64 = 4;
const MOST: i64 = 256;

/// At most `most` matches after a place, past `skip` of them.
pub(crate) fn walk(tx: &mut Tx<'_>, plan: &Plan, after: Option<&Place>, skip: usize, most: usize) -> Result<Vec<Found>> {
    let Some(needle) = &plan.needle else { return Ok(Vec::new()) };
    let wanted = skip.saturating_add(most);
    let mut found = in_tail(tx, plan, needle, after, wanted)?;
    let known: std::collections::HashSet<RecordId> = found.iter().map(|(record, _)| record.id).collect();
    let mut indexed = Vec::new();
    let mut candidates = Candidates::begin(tx, plan, needle, after)?;
    while indexed.len() < wanted {
        let chunk = candidates.next(tx, plan, needle)?;
        if chunk.is_empty() {
            break;
        }
        let rows = compare(tx, plan, needle, after, &chunk)?;
        // A text that is being worked in stands in both.
        indexed.extend(rows.into_iter().filter(|(record, _)| !known.contains(&record.id)));
    }
    found.append(&mut indexed);
    arrange(&mut found, &plan.order);
    Ok(found.into_iter().skip(skip).take(most).collect())
}

/// Of so many places one or more has what is common.
const COMMON: u64 = 16;

/// Whether what is looked for is so common that a walk over other records meets it soon; judged by the newest places.
pub(crate) fn is_common(tx: &mut Tx<'_>, plan: &Plan) -> Result<bool> {
    let Some(needle) = &plan.needle else { return Ok(false) };
    let places = places(tx, plan)?;
    let last = (places - 1).div_euclid(BLOCK);
    let first = (last - 1).max(0);
    let found: u64 = common(tx, plan, needle, first, last)?.values().map(Places::count).sum();
    let looked = u64::try_from(places - first * BLOCK).unwrap_or(0);
    Ok(looked > 0 && found * COMMON >= looked)
}

/// At most `most` matches in the order of a member, after a place and past `skip` of them. `filter`: the condition of the list that holds of
/// the fewest records. None: they are so many that a walk in that order is shorter than looking at all of them.
pub(crate) fn sorted(
    tx: &mut Tx<'_>,
    plan: &Plan,
    filter: Option<(&str, &Test)>,
    after: Option<&Place>,
    skip: usize,
    most: usize,
) -> Result<Option<Vec<Found>>> {
    let (Some(needle), Some(field)) = (&plan.needle, &plan.order.field) else { return Ok(None) };
    let wanted = skip.saturating_add(most);
    // A walk looks at (places / matches) records for each that it wants.
    let (all, places) = everywhere(tx, plan, needle)?;
    let found: u64 = all.values().map(Places::count).sum();
    let mut met = None;
    if found > RARE && found.saturating_mul(found) > places.saturating_mul(wanted as u64) {
        let Some(filter) = filter else { return Ok(None) };
        met = meet::places(tx, plan, needle, filter, &all)?;
        if met.is_none() {
            return Ok(None);
        }
    }
    drop(all);
    let mut best = Vec::new();
    let keep = |best: &mut Vec<Found>, rows: Vec<Found>| {
        best.extend(rows.into_iter().map(|(record, _)| with_value(record, field)).filter(|found| plan.order.is_beyond(after, found)));
        if best.len() > 4 * wanted.max(CHUNK) {
            arrange(best, &plan.order);
            best.truncate(wanted);
        }
    };
    let rows = in_tail(tx, plan, needle, None, usize::MAX)?;
    let known: std::collections::HashSet<RecordId> = rows.iter().map(|(record, _)| record.id).collect();
    keep(&mut best, rows);
    let mut candidates = match met {
        Some(ready) => Candidates::only(ready),
        None => Candidates::begin(tx, plan, needle, None)?,
    };
    loop {
        let chunk = candidates.next(tx, plan, needle)?;
        if chunk.is_empty() {
            break;
        }
        let mut rows = compare(tx, plan, needle, None, &chunk)?;
        rows.retain(|(record, _)| !known.contains(&record.id));
        keep(&mut best, rows);
    }
    arrange(&mut best, &plan.order);
    Ok(Some(best.into_iter().skip(skip).take(most).collect()))
}

/// So few matches are looked at in any case.
const RARE: u64 = 256;

fn with_value(record: Record, field: &str) -> Found {
    let value = record.document.get(field).and_then(fields::canonical).unwrap_or_default();
    (record, value)
}

/// How many places there are.
fn places(tx: &mut Tx<'_>, plan: &Plan) -> Result<i64> {
    let sql = "SELECT next_place FROM record_shelves WHERE tenant_id = ?1 AND resource = ?2";
    Ok(tx.query_opt(sql, &plan.params(), |row| row.get::<i64>(0))?.unwrap_or(0))
}

/// The places that have all grams (a bit for each record there is), and how many places there are.
fn everywhere(tx: &mut Tx<'_>, plan: &Plan, needle: &Needle) -> Result<(BTreeMap<i64, Places>, u64)> {
    let places = places(tx, plan)?;
    let (mut found, mut block) = (BTreeMap::new(), 0);
    while block * BLOCK < places {
        found.append(&mut common(tx, plan, needle, block, block + MOST - 1)?);
        block += MOST;
    }
    Ok((found, u64::try_from(places).unwrap_or(0)))
}

fn in_tail(tx: &mut Tx<'_>, plan: &Plan, needle: &Needle, after: Option<&Place>, most: usize) -> Result<Vec<Found>> {
    let mut bind = Binder(plan.params());
    let pattern = bind.bind(&needle.pattern);
    let columns = Columns { id: "q.record_id", created: "q.created_at", own: None };
    let rest = rest(plan, after, columns, &mut bind);
    let limit = bind.bind(rows_of(most));
    let direction = plan.order.direction();
    // Only those that are shown are looked up.
    let sql = format!(
        "SELECT {COLUMNS} FROM (SELECT q.record_id FROM record_tail q WHERE q.tenant_id = ?1 AND q.resource = ?2 \
         AND q.search_text LIKE {pattern} ESCAPE '!'{rest} ORDER BY q.created_at {direction}, q.record_id {direction} LIMIT {limit}) t \
         CROSS JOIN records r WHERE r.tenant_id = ?1 AND r.id = t.record_id"
    );
    tx.query(&sql, &bind.0, |row| Ok((read_record(row)?, String::new())))
}

/// The plan's conditions and the place after which the list goes on.
fn rest(plan: &Plan, after: Option<&Place>, columns: Columns<'_>, bind: &mut Binder) -> String {
    let mut out: String = plan.conditions.iter().map(|condition| format!(" AND {}", condition.sql(columns, bind))).collect();
    out.push_str(&beyond(&plan.order, after, None, columns.created, columns.id, bind));
    out
}

/// The records of these places that match.
pub(super) fn compare(tx: &mut Tx<'_>, plan: &Plan, needle: &Needle, after: Option<&Place>, places: &[i64]) -> Result<Vec<Found>> {
    let mut bind = Binder(plan.params());
    let pattern = bind.bind(&needle.pattern);
    let rest = rest(plan, after, Columns { id: "r.id", created: "r.created_at", own: None }, &mut bind);
    let last = places.last().copied().unwrap_or(-1);
    let all = places.iter().copied().chain(std::iter::repeat_n(last, CHUNK - places.len()));
    let list: Vec<String> = all.map(|place| bind.bind(place)).collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM record_places q CROSS JOIN records r WHERE q.tenant_id = ?1 AND q.resource = ?2 AND q.place IN ({}) \
         AND r.tenant_id = ?1 AND r.id = q.record_id AND r.search_text LIKE {pattern} ESCAPE '!'{rest}",
        list.join(", ")
    );
    tx.query(&sql, &bind.0, |row| Ok((read_record(row)?, String::new())))
}

/// Places that have every gram, from one end to the other.
struct Candidates {
    descending: bool,
    /// The first place to look at, and the last.
    from: i64,
    to: i64,
    /// The next block, and how many at once.
    block: i64,
    step: i64,
    /// Found, not yet given; the next at the end.
    ready: Vec<i64>,
}

impl Candidates {
    fn begin(tx: &mut Tx<'_>, plan: &Plan, needle: &Needle, after: Option<&Place>) -> Result<Self> {
        let last = places(tx, plan)? - 1;
        let descending = plan.order.descending;
        let (mut from, to) = if descending { (last, 0) } else { (0, last) };
        if let Some(place) = after {
            from = neighbour(tx, plan, place)?.unwrap_or(if descending { -1 } else { last + 1 });
        }
        debug_assert!(!needle.grams.is_empty(), "what is looked for has at least one character");
        Ok(Self { descending, from, to, block: from.div_euclid(BLOCK), step: FIRST, ready: Vec::new() })
    }

    /// Only these.
    fn only(ready: Vec<i64>) -> Self {
        Self { descending: true, from: -1, to: -1, block: -1, step: FIRST, ready }
    }

    /// Up to a chunk of them; none: that was all.
    fn next(&mut self, tx: &mut Tx<'_>, plan: &Plan, needle: &Needle) -> Result<Vec<i64>> {
        let mut out = Vec::with_capacity(CHUNK);
        while out.len() < CHUNK {
            if let Some(place) = self.ready.pop() {
                out.push(place);
                continue;
            }
            let is_over = if self.descending { self.from < 0 || self.block < 0 } else { self.block > self.to.div_euclid(BLOCK) };
            if is_over || self.to < 0 {
                break;
            }
            self.look(tx, plan, needle)?;
        }
        Ok(out)
    }

    fn look(&mut self, tx: &mut Tx<'_>, plan: &Plan, needle: &Needle) -> Result<()> {
        let far = if self.descending { self.block - self.step + 1 } else { self.block + self.step - 1 };
        let (low, high) = (self.block.min(far).max(0), self.block.max(far));
        let mut found: Vec<i64> = Vec::new();
        for (block, places) in common(tx, plan, needle, low, high)? {
            found.extend(places.ascending().into_iter().map(|at| block * BLOCK + i64::from(at)));
        }
        found.retain(|place| if self.descending { *place <= self.from } else { *place >= self.from });
        if !self.descending {
            found.reverse();
        }
        self.ready = found;
        self.block = if self.descending { low - 1 } else { high + 1 };
        self.step = (self.step * GROWTH).min(MOST);
        Ok(())
    }
}

/// The place at which a list goes on after a record: its own or the nearest one beyond.
fn neighbour(tx: &mut Tx<'_>, plan: &Plan, after: &Place) -> Result<Option<i64>> {
    let (compare, direction) = (if plan.order.descending { "<=" } else { ">=" }, plan.order.direction());
    let sql = format!(
        "SELECT place FROM record_places WHERE tenant_id = ?1 AND resource = ?2 AND (created_at, record_id) {compare} (?3, ?4) \
         ORDER BY created_at {direction}, record_id {direction} LIMIT 1"
    );
    let params = [plan.params(), vec![after.created.into(), after.id.into()]].concat();
    tx.query_opt(&sql, &params, |row| row.get(0))
}

/// For each block the places that have every gram of what is looked for.
fn common(tx: &mut Tx<'_>, plan: &Plan, needle: &Needle, low: i64, high: i64) -> Result<BTreeMap<i64, Places>> {
    let mut bind = Binder(plan.params());
    let (low, high) = (bind.bind(low), bind.bind(high));
    let last = needle.grams.last();
    let all = needle.grams.iter().chain(std::iter::repeat_n(last, ASKED - needle.grams.len()).flatten());
    let list: Vec<String> = all.map(|gram| bind.bind(gram)).collect();
    let sql = format!(
        "SELECT block, places FROM record_grams WHERE tenant_id = ?1 AND resource = ?2 AND block >= {low} AND block <= {high} AND gram IN ({})",
        list.join(", ")
    );
    let mut blocks: BTreeMap<i64, (usize, Places)> = BTreeMap::new();
    for (block, bytes) in tx.query(&sql, &bind.0, |row| Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?)))? {
        let places = Places::decode(&bytes)?;
        match blocks.get_mut(&block) {
            Some((count, common)) => {
                *count += 1;
                common.intersect(&places);
            }
            None => {
                blocks.insert(block, (1, places));
            }
        }
    }
    let whole = blocks.into_iter().filter(|(_, (count, _))| *count == needle.grams.len());
    Ok(whole.map(|(block, (_, places))| (block, places)).collect())
}
