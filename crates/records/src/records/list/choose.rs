//! Where a list begins to read.

use kernel::Result;
use store::Tx;

use super::plan::Plan;
use crate::query::{Binder, Condition, Test};
use crate::search;

/// What is rarer than this is read whole and sorted; what is not is found soon in the order of the list.
pub(super) const RARE: u32 = 1000;
/// Most values whose records are merged in order.
const MERGED: usize = 8;

/// Where a list begins to read. Numbers are places in the plan's conditions, which that source fulfils by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The records in the order of creation.
    Newest,
    /// The records of a few values, each in the order of creation.
    Values(usize),
    /// The records in the order of a member.
    Sorted,
    /// The few records of a rare value or range: all of them, then sorted.
    Rare(usize),
    /// What the search finds, in the order of creation.
    Search,
    /// What the search finds, if that is little, or little of it has the value; then sorted. Otherwise in the order of a member.
    SearchSorted(Option<usize>),
}

/// Chooses. If there is but one way, nothing is asked.
pub(super) fn source(tx: &mut Tx<'_>, plan: &Plan) -> Result<Source> {
    let leading: Vec<usize> = (0..plan.conditions.len()).filter(|at| test(plan, *at).is_some()).collect();
    let sorted = plan.order.field.is_some();
    let base = if sorted { Source::Sorted } else { Source::Newest };
    if let ([only], 1, false, None) = (leading.as_slice(), plan.conditions.len(), sorted, &plan.needle)
        && is_merged(plan, *only)
    {
        return Ok(Source::Values(*only));
    }
    let mut rarest: Option<(u32, usize)> = None;
    for at in leading {
        let count = count(tx, plan, at, RARE)?;
        if rarest.is_none_or(|(least, known)| (count, !is_merged(plan, at)) < (least, !is_merged(plan, known))) {
            rarest = Some((count, at));
        }
    }
    Ok(match (rarest, &plan.needle) {
        (Some((count, at)), _) if count < RARE => Source::Rare(at),
        (rarest, Some(_)) if sorted => Source::SearchSorted(rarest.map(|(_, at)| at)),
        // Both are common: a walk over the records of the value looks at the fewest rows for each match.
        (Some((_, at)), Some(_)) if is_merged(plan, at) && search::is_common(tx, plan)? => Source::Values(at),
        (_, Some(_)) => Source::Search,
        (Some((_, at)), None) if !sorted && is_merged(plan, at) => Source::Values(at),
        _ => base,
    })
}

/// The test of a condition that a source can fulfil.
pub(super) fn test(plan: &Plan, at: usize) -> Option<(&str, &Test)> {
    match &plan.conditions[at] {
        Condition::Member(name, test @ (Test::OneOf(_) | Test::Between(..))) => Some((name, test)),
        _ => None,
    }
}

fn is_merged(plan: &Plan, at: usize) -> bool {
    matches!(&plan.conditions[at], Condition::Member(_, Test::OneOf(forms)) if forms.len() <= MERGED)
}

/// How many records a condition holds of, counted up to `most`.
fn count(tx: &mut Tx<'_>, plan: &Plan, at: usize, most: u32) -> Result<u32> {
    let Some((name, test)) = test(plan, at) else { return Ok(most) };
    let mut bind = Binder(plan.params());
    let field = bind.bind(name);
    let held = test.sql("f.value", &mut bind);
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM record_fields f WHERE f.tenant_id = ?1 AND f.resource = ?2 AND f.field = {field} AND {held} LIMIT {most}) n"
    );
    let count = tx.query_one(&sql, &bind.0, |row| row.get::<u64>(0))?;
    Ok(u32::try_from(count).unwrap_or(most))
}
