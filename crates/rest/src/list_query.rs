//! The query string of a list of records.

use kernel::{Error, PageRequest, Result};
use records::{ListQuery, ResourceType, Sort};

/// What a list allows.
pub(crate) struct Rules {
    /// Rows when nothing is said, and at most.
    pub(crate) limit: (u32, u32),
    /// Whether lists go on by cursor too; if not, a cursor is an unknown parameter.
    pub(crate) cursors: bool,
    /// Whether a list without a cursor is its first page, with a page number.
    pub(crate) numbered: bool,
    /// Whether all matches are counted.
    pub(crate) total: Total,
}

/// When to count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// Always.
    Always,
    /// When a page is asked for by number.
    WithPages,
    /// Never.
    Never,
}

/// Reads a query string. Parameters that are not declared are ignored, as the page of each product says of its filters.
///
/// Errors: 422 `validation_failed` with the parameter as pointer, 400 `malformed_cursor`, 400 `invalid_cursor`.
pub(crate) fn parse(query: &str, kind: &ResourceType, rules: &Rules) -> Result<ListQuery> {
    let (mut limit, mut cursor, mut page, mut search, mut sort) = (None, None, None, None, None);
    let mut filters: Vec<(String, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let twice = || Error::field(format!("/{name}"), "must be given once");
        let slot = match name.as_ref() {
            "limit" => &mut limit,
            "cursor" if rules.cursors => &mut cursor,
            "page" => &mut page,
            "search" if !kind.resource().search.is_empty() => &mut search,
            "sort" => &mut sort,
            other if kind.resource().filters.iter().any(|filter| filter == other) => {
                if filters.iter().any(|(known, _)| known == other) {
                    return Err(twice());
                }
                filters.push((other.to_owned(), value.into_owned()));
                continue;
            }
            _ => continue,
        };
        if slot.replace(value.into_owned()).is_some() {
            return Err(twice());
        }
    }
    let named = |name: &str, value: &Option<String>| value.clone().map(|value| (name.to_owned(), value));
    let parameters = filters.iter().cloned().chain(named("search", &search)).chain(named("sort", &sort));
    let bound = kernel::page::binding(kind.name(), parameters);
    let mut part = PageRequest::parse(limit.as_deref(), cursor.as_deref(), page.as_deref(), rules.limit, bound)?;
    if rules.numbered && part.cursor.is_none() {
        part.page = part.page.or(Some(1));
    }
    let total = match rules.total {
        Total::Always => true,
        Total::WithPages => part.page.is_some(),
        Total::Never => false,
    };
    Ok(ListQuery { filters, search, sort: sort.as_deref().filter(|text| !text.is_empty()).map(order), page: part, total })
}

/// `score`: smallest first; `-score`: largest first.
fn order(text: &str) -> Sort {
    match text.strip_prefix('-') {
        Some(field) => Sort { field: field.to_owned(), descending: true },
        None => Sort { field: text.to_owned(), descending: false },
    }
}

/// The parameters for the documentation.
pub(crate) fn parameters(kind: &ResourceType, rules: &Rules) -> Vec<(String, String)> {
    let resource = kind.resource();
    let (default, most) = rules.limit;
    let mut list: Vec<(String, String)> =
        resource.filters.iter().map(|name| (name.clone(), format!("Only those whose {name} is this"))).collect();
    if !resource.search.is_empty() {
        list.push(("search".into(), format!("Text to look for in {}, whatever the case", resource.search.join(", "))));
    }
    let orders: Vec<&str> = resource.sort.iter().chain([&resource.created_field]).map(String::as_str).collect();
    list.push(("sort".into(), format!("Order: one of {}; with - before it, largest first. Default: newest first", orders.join(", "))));
    list.push(("limit".into(), format!("Rows in the answer (default {default}, most {most})")));
    list.push(("page".into(), "The page, from 1".into()));
    if rules.cursors {
        list.push(("cursor".into(), "Instead of a page: go on where the last answer's cursor points".into()));
    }
    list
}
