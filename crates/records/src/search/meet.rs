//! A filter and a search that are both common and seldom meet: a walk in the order of a member would turn down nearly every record there is.
//!
//! What the search finds is a set of places, at hand in bitmaps of 4 KiB for 32,768 records. The places of a value of the filter are read from
//! its index, in the order of creation, without looking at one record. What is in both is little, or the walk would soon have met it: those
//! records are read, compared and sorted.

use std::collections::BTreeMap;

use kernel::Result;
use store::Tx;

use super::Needle;
use super::places::{BLOCK, Places};
use super::walk::{CHUNK, compare};
use crate::query::{Binder, Test};
use crate::records::Plan;

/// Records of a value whose places are read; of a more common one the search is not met.
const MOST: u64 = 1_000_000;
/// So many that are in both are read and sorted; of more of them a walk has its first ones soon.
const DENSE: usize = 10_000;

/// The places that have what is looked for and a value of the filter, newest last. None: a walk in the order of the list is the shorter way.
pub(super) fn places(
    tx: &mut Tx<'_>,
    plan: &Plan,
    needle: &Needle,
    (member, test): (&str, &Test),
    found: &BTreeMap<i64, Places>,
) -> Result<Option<Vec<i64>>> {
    if meets_soon(tx, plan, needle, found)? {
        return Ok(None);
    }
    let mut bind = Binder(plan.params());
    let field = bind.bind(member);
    let held = test.sql("p.value", &mut bind);
    let limit = bind.bind(MOST + 1);
    let sql = format!(
        "SELECT q.place FROM (SELECT p.created_at, p.record_id FROM record_fields p WHERE p.tenant_id = ?1 AND p.resource = ?2 \
         AND p.field = {field} AND {held} LIMIT {limit}) f CROSS JOIN record_places q \
         WHERE q.tenant_id = ?1 AND q.resource = ?2 AND q.created_at = f.created_at AND q.record_id = f.record_id"
    );
    let (mut read, mut both) = (0, Vec::new());
    tx.query(&sql, &bind.0, |row| {
        let place: i64 = row.get(0)?;
        read += 1;
        let at = u16::try_from(place.rem_euclid(BLOCK)).unwrap_or(u16::MAX);
        if both.len() <= DENSE && found.get(&place.div_euclid(BLOCK)).is_some_and(|places| places.contains(at)) {
            both.push(place);
        }
        Ok(())
    })?;
    both.sort_unstable();
    Ok(Some(both).filter(|both| read <= MOST && both.len() <= DENSE))
}

/// Whether some of a few of those that the search finds, taken from everywhere, match the filter too: then every so many records does.
fn meets_soon(tx: &mut Tx<'_>, plan: &Plan, needle: &Needle, found: &BTreeMap<i64, Places>) -> Result<bool> {
    let count: u64 = found.values().map(Places::count).sum();
    let every = count.div_ceil(CHUNK as u64).max(1);
    let all = found.iter().flat_map(|(block, places)| places.ascending().into_iter().map(move |at| block * BLOCK + i64::from(at)));
    let mut wanted = (0..CHUNK as u64).map(|stretch| chosen(stretch, every)).peekable();
    let some: Vec<i64> = all.zip(0..).filter(|(_, n)| wanted.next_if_eq(n).is_some()).map(|(place, _)| place).collect();
    Ok(some.is_empty() || !compare(tx, plan, needle, None, &some)?.is_empty())
}

/// The one that is taken of a stretch of `every`; not always at the same place in it: records often come in a rhythm, and a sample in step with
/// it would see one kind of them. Well spread, and the same each time (the end of SplitMix64).
fn chosen(stretch: u64, every: u64) -> u64 {
    let mut mixed = (stretch + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    stretch * every + (mixed ^ (mixed >> 31)) % every
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_in_step_with_no_rhythm() {
        for every in 2..300 {
            let sample: Vec<u64> = (0..CHUNK as u64).map(|stretch| chosen(stretch, every)).collect();
            assert!(sample.is_sorted() && sample.iter().zip(0..).all(|(n, stretch)| n / every == stretch));
            for rhythm in [2, 3, 4, 5, 7, 8, 10, 12].into_iter().filter(|rhythm| rhythm <= &every) {
                let kinds: std::collections::HashSet<u64> = sample.iter().map(|n| n % rhythm).collect();
                assert!(kinds.len() as u64 * 2 > rhythm, "every {every}, rhythm {rhythm}: {kinds:?}");
            }
        }
    }
}
