//! Works the tail into the index. Each step is a transaction of its own and may be done again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::{RecordId, Result, TenantId, TenantScope};
use store::{Store, Tx, Value};
use tokio::sync::Notify;

use super::grams;
use super::places::{BLOCK, Places};

/// So many texts in the tail are worth a step: fewer make more rows for each record.
const WORTH: u64 = 512;
/// Most records of one step, and most bytes of their texts.
const RECORDS: u32 = 4096;
const BYTES: usize = 4 * 1024 * 1024;
/// Rows of the index in one transaction: some milliseconds of the writer.
const ROWS: usize = 512;
/// Grams in one look.
const LOOK: usize = 64;
/// Records so young stay in the tail: one that was made before them may not be committed yet, and places are in the order of creation.
const YOUNG: Duration = Duration::from_secs(2);
/// Changes of this process after which somebody looks whether there is work.
const NOTED: u64 = 256;

/// Tells the worker that texts were written.
#[derive(Clone, Default)]
pub(crate) struct Tidings(Arc<(AtomicU64, Notify)>);

impl Tidings {
    /// A text was committed.
    pub(crate) fn note(&self) {
        if self.0.0.fetch_add(1, Ordering::Relaxed) + 1 >= NOTED {
            self.0.1.notify_one();
        }
    }

    /// Waits until there may be work.
    pub(crate) async fn wait(&self) {
        self.0.1.notified().await;
        self.0.0.store(0, Ordering::Relaxed);
    }
}

/// A record that gets its grams.
struct Shelved {
    id: RecordId,
    place: i64,
    text: String,
}

/// Whose texts, of which resource type.
#[derive(Clone)]
struct Shelf {
    tenant: TenantId,
    resource: String,
}

/// Works in what waits; answers how many records that were. `all`: also what is young and what is hardly worth it.
pub(crate) async fn drain(store: &Store, all: bool) -> Result<u64> {
    let mut done = 0;
    let shelves = store.read(kernel::Scope::system("records"), |tx| {
        tx.query("SELECT tenant_id, resource, COUNT(*) FROM record_tail WHERE kept = 0 GROUP BY tenant_id, resource", &[], |row| {
            Ok((Shelf { tenant: row.get(0)?, resource: row.get(1)? }, row.get::<u64>(2)?))
        })
    });
    for (shelf, count) in shelves.await? {
        let mut left = count;
        while left > 0 && (all || left >= WORTH) {
            let step = step(store, &shelf, all).await?;
            done += step;
            if step == 0 {
                break;
            }
            left = left.saturating_sub(step);
        }
    }
    Ok(done)
}

async fn step(store: &Store, shelf: &Shelf, all: bool) -> Result<u64> {
    let scope = TenantScope::system("records", shelf.tenant);
    let for_places = shelf.clone();
    let (seen, shelved) = store.write(scope.clone(), move |tx| take_places(tx, &for_places, all)).await?;
    let mut rows: BTreeMap<(i64, &str), Vec<u16>> = BTreeMap::new();
    for record in &shelved {
        let at = u16::try_from(record.place % BLOCK).unwrap_or(0);
        for gram in grams::of_text(&record.text) {
            rows.entry((record.place / BLOCK, gram)).or_default().push(at);
        }
    }
    let rows: Vec<(i64, String, Vec<u16>)> = rows.into_iter().map(|((block, gram), places)| (block, gram.to_owned(), places)).collect();
    for part in rows.chunks(ROWS) {
        let (shelf, part) = (shelf.clone(), part.to_vec());
        store.write(scope.clone(), move |tx| add(tx, &shelf, &part)).await?;
    }
    let shelf = shelf.clone();
    store.write(scope, move |tx| forget_tail(tx, &shelf, &shelved)).await?;
    Ok(seen)
}

/// Whoever changes the index does it alone.
fn lock(tx: &mut Tx<'_>, shelf: &Shelf) -> Result<(i64, i64, String)> {
    tx.query_one(
        "INSERT INTO record_shelves (tenant_id, resource, next_place, last_created, last_id) VALUES (?1, ?2, 0, -1, '') \
         ON CONFLICT (tenant_id, resource) DO UPDATE SET next_place = record_shelves.next_place RETURNING next_place, last_created, last_id",
        &[shelf.tenant.into(), (&shelf.resource).into()],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// Gives the oldest of the tail their places. One that is older than what has a place already stays in the tail for good, so that places are
/// in the order of creation; that happens when a clock was set back.
fn take_places(tx: &mut Tx<'_>, shelf: &Shelf, all: bool) -> Result<(u64, Vec<Shelved>)> {
    let (mut next, last_created, last_id) = lock(tx, shelf)?;
    let mut last = (last_created, last_id);
    let young = if all { i64::MAX } else { tx.now().minus(YOUNG).millis() };
    let mut waiting: Vec<(i64, RecordId, String)> = tx.query(
        "SELECT created_at, record_id, search_text FROM record_tail WHERE tenant_id = ?1 AND resource = ?2 AND kept = 0 AND created_at < ?3 \
         ORDER BY record_id LIMIT ?4",
        &[shelf.tenant.into(), (&shelf.resource).into(), young.into(), RECORDS.into()],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let mut bytes = 0;
    let fits = waiting.iter().take_while(|(.., text)| {
        bytes += text.len();
        bytes <= BYTES
    });
    waiting.truncate(fits.count().max(1));
    waiting.sort();
    let seen = waiting.len() as u64;
    let (mut shelved, mut fresh) = (Vec::with_capacity(waiting.len()), Vec::new());
    for (created, id, text) in waiting {
        let key = (created, id.to_string());
        let place = if key > last {
            fresh.extend([shelf.tenant.into(), (&shelf.resource).into(), next.into(), created.into(), id.into()]);
            last = key;
            next += 1;
            next - 1
        } else if let Some(place) = place_of(tx, shelf, created, id)? {
            place
        } else {
            tx.exec(
                "UPDATE record_tail SET kept = 1 WHERE tenant_id = ?1 AND resource = ?2 AND record_id = ?3",
                &[shelf.tenant.into(), (&shelf.resource).into(), id.into()],
            )?;
            continue;
        };
        shelved.push(Shelved { id, place, text });
    }
    tx.insert_rows("INSERT INTO record_places (tenant_id, resource, place, created_at, record_id) VALUES", 5, &fresh, "")?;
    tx.exec(
        "UPDATE record_shelves SET next_place = ?3, last_created = ?4, last_id = ?5 WHERE tenant_id = ?1 AND resource = ?2",
        &[shelf.tenant.into(), (&shelf.resource).into(), next.into(), last.0.into(), last.1.into()],
    )?;
    Ok((seen, shelved))
}

fn place_of(tx: &mut Tx<'_>, shelf: &Shelf, created: i64, id: RecordId) -> Result<Option<i64>> {
    tx.query_opt(
        "SELECT place FROM record_places WHERE tenant_id = ?1 AND resource = ?2 AND created_at = ?3 AND record_id = ?4",
        &[shelf.tenant.into(), (&shelf.resource).into(), created.into(), id.into()],
        |row| row.get(0),
    )
}

/// Adds places to grams, all of them in neighbouring blocks.
fn add(tx: &mut Tx<'_>, shelf: &Shelf, part: &[(i64, String, Vec<u16>)]) -> Result<()> {
    lock(tx, shelf)?;
    let mut rows: Vec<Value> = Vec::with_capacity(part.len() * 5);
    for look in part.chunks(LOOK) {
        let known = known(tx, shelf, look)?;
        for (block, gram, fresh) in look {
            let mut places = known.get(&(*block, gram.clone())).map_or_else(|| Ok(Places::default()), |bytes| Places::decode(bytes))?;
            fresh.iter().for_each(|at| places.insert(*at));
            rows.extend([shelf.tenant.into(), (&shelf.resource).into(), gram.into(), (*block).into(), places.encode().into()]);
        }
    }
    let into = "INSERT INTO record_grams (tenant_id, resource, gram, block, places) VALUES";
    tx.insert_rows(into, 5, &rows, "ON CONFLICT (tenant_id, resource, gram, block) DO UPDATE SET places = excluded.places")?;
    Ok(())
}

fn known(tx: &mut Tx<'_>, shelf: &Shelf, look: &[(i64, String, Vec<u16>)]) -> Result<BTreeMap<(i64, String), Vec<u8>>> {
    let Some((first, ..)) = look.first() else { return Ok(BTreeMap::new()) };
    let last = look.last().map_or(*first, |(block, ..)| *block);
    let mut params: Vec<Value> = vec![shelf.tenant.into(), (&shelf.resource).into(), (*first).into(), last.into()];
    let names = look.iter().map(|(_, gram, _)| gram);
    // The last one again fills the list up: one statement for every length.
    let padding = std::iter::repeat_n(look.last().map(|(_, gram, _)| gram), LOOK - look.len()).flatten();
    params.extend(names.chain(padding).map(Value::from));
    let places: Vec<String> = (5..5 + LOOK).map(|n| format!("?{n}")).collect();
    let sql = format!(
        "SELECT block, gram, places FROM record_grams WHERE tenant_id = ?1 AND resource = ?2 AND block >= ?3 AND block <= ?4 AND gram IN ({})",
        places.join(", ")
    );
    let rows = tx.query(&sql, &params, |row| Ok(((row.get(0)?, row.get(1)?), row.get::<Vec<u8>>(2)?)))?;
    Ok(rows.into_iter().collect())
}

/// What is in the index now leaves the tail, unless its text has changed meanwhile.
fn forget_tail(tx: &mut Tx<'_>, shelf: &Shelf, shelved: &[Shelved]) -> Result<()> {
    for record in shelved {
        tx.exec(
            "DELETE FROM record_tail WHERE tenant_id = ?1 AND resource = ?2 AND record_id = ?3 AND search_text = ?4",
            &[shelf.tenant.into(), (&shelf.resource).into(), record.id.into(), (&record.text).into()],
        )?;
    }
    Ok(())
}
