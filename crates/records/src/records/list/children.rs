//! The children of many records in one statement: a branch for each parent, which reads the index of its value in the order of the list.

use std::collections::HashMap;

use kernel::{PageRequest, Result};
use store::Tx;

use super::Found;
use super::plan::Plan;
use super::read::{self, COLUMNS};
use crate::query::{Binder, Columns};

/// Most branches of a statement, and the sizes that are filled up to: few statements are prepared.
const SIZES: [usize; 3] = [4, 16, 64];
/// A form that no value has.
const NOBODY: &str = "~";

/// A parent, and a form of the value by which children name it.
pub(super) type Named = (String, String);

/// Whether the first children of many parents can be read so: in the order of creation, and without looking for text.
pub(super) fn fits(plan: &Plan) -> bool {
    plan.needle.is_none() && plan.order.field.is_none()
}

/// At most `most` children of each parent, in the order of the list. `plan` says what else must hold of them.
pub(super) fn first(
    tx: &mut Tx<'_>,
    plan: &Plan,
    member: &str,
    named: &[Named],
    page: &PageRequest,
    most: usize,
) -> Result<HashMap<String, Vec<Found>>> {
    let mut out: HashMap<String, Vec<Found>> = named.iter().map(|(parent, _)| (parent.clone(), Vec::new())).collect();
    let parents: HashMap<&str, &str> = named.iter().map(|(parent, form)| (form.as_str(), parent.as_str())).collect();
    for chunk in named.chunks(SIZES[SIZES.len() - 1]) {
        let (sql, bind) = statement(plan, member, chunk, page, most)?;
        let found = tx.query(&sql, &bind.0, |row| Ok((read::record(row)?, row.get::<String>(7)?)))?;
        for (record, form) in found {
            if let Some(children) = parents.get(form.as_str()).and_then(|parent| out.get_mut(*parent)) {
                children.push((record, String::new()));
            }
        }
    }
    for children in out.values_mut() {
        read::arrange(children, &plan.order);
        children.truncate(most);
    }
    Ok(out)
}

fn statement(plan: &Plan, member: &str, chunk: &[Named], page: &PageRequest, most: usize) -> Result<(String, Binder)> {
    let mut bind = Binder(plan.params());
    let field = bind.bind(member);
    let columns = Columns { id: "p.record_id", created: "p.created_at", own: Some((member, "p.value")) };
    let mut wanted = read::conditions(plan, None, columns, &mut bind);
    let after = page.cursor.as_ref().map(|cursor| plan.place(cursor)).transpose()?;
    wanted.push_str(&read::beyond(&plan.order, after.as_ref(), None, "p.created_at", "p.record_id", &mut bind));
    let (limit, direction) = (bind.bind(read::rows_of(most)), plan.order.direction());
    let size = SIZES.into_iter().find(|size| *size >= chunk.len()).unwrap_or(chunk.len());
    let forms = chunk.iter().map(|(_, form)| form.as_str()).chain(std::iter::repeat(NOBODY)).take(size);
    let branches: Vec<String> = forms
        .map(|form| {
            let form = bind.bind(form);
            format!(
                "SELECT * FROM (SELECT p.record_id, p.value FROM record_fields p WHERE p.tenant_id = ?1 AND p.resource = ?2 AND p.field = {field} \
                 AND p.value = {form}{wanted} ORDER BY p.created_at {direction}, p.record_id {direction} LIMIT {limit}) b"
            )
        })
        .collect();
    let sql = format!(
        "SELECT {COLUMNS}, q.value FROM ({}) q CROSS JOIN records r WHERE r.tenant_id = ?1 AND r.id = q.record_id",
        branches.join(" UNION ALL ")
    );
    Ok((sql, bind))
}
