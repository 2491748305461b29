//! The number of all matches.

use kernel::{PageRequest, Result};
use store::Tx;

use super::choose::{self, Source};
use super::plan::Plan;
use crate::query::{Binder, Columns};

/// How many records match in all, given that a part of the list came to `found` rows of at most one more than its limit. If that was the end,
/// nothing is read; otherwise every match is.
pub(super) fn all(tx: &mut Tx<'_>, plan: &Plan, page: &PageRequest, found: usize) -> Result<u64> {
    let is_end = found <= page.limit as usize && (found > 0 || page.offset() == 0);
    if is_end && page.cursor.is_none() {
        return Ok(page.offset() + found as u64);
    }
    let mut bind = Binder(plan.params());
    let needle = |id: &str, bind: &mut Binder| match &plan.needle {
        Some(needle) => {
            let pattern = bind.bind(&needle.pattern);
            format!(" AND (SELECT t.search_text FROM records t WHERE t.tenant_id = ?1 AND t.id = {id}) LIKE {pattern} ESCAPE '!'")
        }
        None => String::new(),
    };
    let sql = match choose::source(tx, plan)? {
        Source::Values(at) | Source::Rare(at) => {
            let (member, test) = choose::test(plan, at).unwrap_or(("", &crate::query::Test::Present));
            let field = bind.bind(member);
            let held = test.sql("p.value", &mut bind);
            let columns = Columns { id: "p.record_id", created: "p.created_at", own: Some((member, "p.value")) };
            let rest = conditions(plan, Some(at), columns, &mut bind);
            let needle = needle("p.record_id", &mut bind);
            format!(
                "SELECT COUNT(*) FROM record_fields p WHERE p.tenant_id = ?1 AND p.resource = ?2 AND p.field = {field} AND {held}{rest}{needle}"
            )
        }
        _ => {
            let columns = Columns { id: "r.id", created: "r.created_at", own: None };
            let mut rest = conditions(plan, None, columns, &mut bind);
            if let Some(needle) = &plan.needle {
                rest.push_str(&format!(" AND r.search_text LIKE {} ESCAPE '!'", bind.bind(&needle.pattern)));
            }
            format!("SELECT COUNT(*) FROM records r WHERE r.tenant_id = ?1 AND r.resource = ?2{rest}")
        }
    };
    tx.query_one(&sql, &bind.0, |row| row.get(0))
}

fn conditions(plan: &Plan, but: Option<usize>, columns: Columns<'_>, bind: &mut Binder) -> String {
    let rest = plan.conditions.iter().enumerate().filter(|(at, _)| Some(*at) != but);
    rest.map(|(_, condition)| format!(" AND {}", condition.sql(columns, bind))).collect()
}
