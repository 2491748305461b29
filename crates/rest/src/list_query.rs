//! The query string of a list of records.

use kernel::{Error, PageRequest, Result};
use records::{Filter, Op, Operand, Query, ResourceType, Sort, Term};

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
    /// Whether a parameter that is not known is refused; if not, it is ignored, as the pages of some products say of their filters.
    pub(crate) strict: bool,
}

/// When to count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// Always.
    Always,
    /// When a page is asked for by number, or `total=true`.
    WithPages,
    /// Never.
    Never,
}

/// The parameters as they came.
#[derive(Default)]
struct Given {
    limit: Option<String>,
    cursor: Option<String>,
    page: Option<String>,
    search: Option<String>,
    sort: Option<String>,
    fields: Option<String>,
    filter: Option<String>,
    total: Option<String>,
    /// Filters of single members: name, operator, value.
    members: Vec<(String, Op, String)>,
}

/// Reads a query string.
///
/// Errors: 422 `validation_failed` with the parameter as pointer, 400 `malformed_cursor`, 400 `invalid_cursor`.
pub(crate) fn parse(query: &str, kind: &ResourceType, rules: &Rules) -> Result<Query> {
    let given = given(query, kind, rules)?;
    let mut filter = match &given.filter {
        Some(text) => Filter::from_text(text)?,
        None => Filter::default(),
    };
    for (field, op, value) in &given.members {
        filter = filter.and(Filter::Is(Term { field: field.clone(), op: *op, values: operands(*op, value) }));
    }
    let fields = given.fields.as_deref().map(|text| fields(kind, text)).transpose()?;
    let mut page = PageRequest::parse(
        given.limit.as_deref(),
        given.cursor.as_deref(),
        given.page.as_deref(),
        rules.limit,
        kernel::page::binding(kind.name(), given.bound()),
    )?;
    if rules.numbered && page.cursor.is_none() {
        page.page = page.page.or(Some(1));
    }
    let asked = given.total.as_deref().map(|text| text.parse().map_err(|_| Error::field("/total", "must be true or false"))).transpose()?;
    let total = match rules.total {
        Total::Always => true,
        Total::WithPages => asked.unwrap_or(page.page.is_some()),
        Total::Never => false,
    };
    let sort = given.sort.as_deref().filter(|text| !text.is_empty()).map(Sort::parse);
    Ok(Query { filter, search: given.search, sort, fields, page, total })
}

impl Given {
    /// What a cursor is bound to: what chooses the rows and their order.
    fn bound(&self) -> impl Iterator<Item = (String, String)> {
        let named = |name: &str, value: &Option<String>| value.clone().map(|value| (name.to_owned(), value));
        let members = self.members.iter().map(|(name, op, value)| (format!("{name}[{op:?}]"), value.clone()));
        let rest = [named("search", &self.search), named("sort", &self.sort), named("filter", &self.filter)];
        members.chain(rest.into_iter().flatten()).collect::<Vec<_>>().into_iter()
    }
}

fn given(query: &str, kind: &ResourceType, rules: &Rules) -> Result<Given> {
    let mut given = Given::default();
    let is_filter = |name: &str| kind.resource().filters.iter().any(|filter| filter == name);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let twice = || Error::field(format!("/{name}"), "must be given once");
        let slot = match name.as_ref() {
            "limit" => &mut given.limit,
            "cursor" if rules.cursors => &mut given.cursor,
            "page" => &mut given.page,
            "search" if rules.strict || !kind.resource().search.is_empty() => &mut given.search,
            "sort" => &mut given.sort,
            "fields" => &mut given.fields,
            "filter" => &mut given.filter,
            "total" if rules.total == Total::WithPages => &mut given.total,
            other => {
                let (member, op) = operator(other)?;
                let bracketed = member.len() < other.len();
                let is_known = if rules.strict || bracketed { kind.is_filter(member) } else { is_filter(member) };
                if !is_known && member != kind.resource().created_field {
                    if rules.strict || bracketed {
                        return Err(unknown(other, member, kind));
                    }
                    continue;
                }
                if given.members.iter().any(|(known, known_op, _)| known == member && *known_op == op) {
                    return Err(twice());
                }
                given.members.push((member.to_owned(), op, value.into_owned()));
                continue;
            }
        };
        if slot.replace(value.into_owned()).is_some() {
            return Err(twice());
        }
    }
    Ok(given)
}

/// `score[gte]` is `score` with an operator; a plain name asks for equality.
fn operator(name: &str) -> Result<(&str, Op)> {
    let Some((member, op)) = name.strip_suffix(']').and_then(|rest| rest.split_once('[')) else { return Ok((name, Op::Eq)) };
    Op::named(op).map(|op| (member, op)).ok_or_else(|| records::unknown_operator(&format!("/{name}")))
}

fn operands(op: Op, value: &str) -> Vec<Operand> {
    if op.takes_many() {
        return value.split(',').map(|one| Operand::Text(one.to_owned())).collect();
    }
    vec![Operand::Text(value.to_owned())]
}

fn unknown(name: &str, member: &str, kind: &ResourceType) -> Error {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    let resource = kind.resource();
    let names: Vec<&str> = resource.filters.iter().chain([&resource.created_field]).map(String::as_str).collect();
    let detail = if resource.schema["properties"].get(member).is_some() {
        format!("is not a filter of this list; its filters are {}", names.join(", "))
    } else {
        format!("is not a parameter of this list; its filters are {}", names.join(", "))
    };
    Error::field(format!("/{}", shown.replace('~', "~0").replace('/', "~1")), detail)
}

/// Names of members, separated by commas.
pub(crate) fn fields(kind: &ResourceType, text: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    names.dedup();
    if names.is_empty() || names.len() > 200 {
        return Err(Error::field("/fields", "must name 1 to 200 members, separated by commas"));
    }
    kind.check_fields(&names)?;
    Ok(names)
}

/// The members that a request for one record asks for. Error: 422.
pub(crate) fn fields_of(kind: &ResourceType, query: &str) -> Result<Option<Vec<String>>> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "fields").map(|(_, text)| fields(kind, &text)).transpose()
}

/// The parameters for the documentation.
pub(crate) fn parameters(kind: &ResourceType, rules: &Rules) -> Vec<(String, String)> {
    let resource = kind.resource();
    let (default, most) = rules.limit;
    let mut list: Vec<(String, String)> = resource
        .filters
        .iter()
        .map(|name| (name.clone(), format!("Only those whose {name} is this; also {name}[gte], [in] and so on")))
        .collect();
    if !resource.search.is_empty() {
        list.push(("search".into(), format!("Text to look for in {}, whatever the case", resource.search.join(", "))));
    }
    let orders: Vec<&str> = resource.sort.iter().chain([&resource.created_field]).map(String::as_str).collect();
    list.push(("sort".into(), format!("Order: one of {}; with - before it, largest first. Default: newest first", orders.join(", "))));
    list.push(("filter".into(), FILTER.into()));
    list.push(("fields".into(), FIELDS.into()));
    list.push(("limit".into(), format!("Rows in the answer (default {default}, most {most})")));
    list.push(("page".into(), "The page, from 1".into()));
    if rules.cursors {
        list.push(("cursor".into(), "Instead of a page: go on where the last answer's cursor points".into()));
    }
    list
}

/// What `filter` is, for the documentation.
pub(crate) const FILTER: &str = "A condition in JSON on the members that the type declares as filters: {\"status\": \"NEW\"}, {\"score\": {\"gte\": 10}}, {\"or\": […]}, \
                                 {\"and\": […]}, {\"not\": {…}}; operators eq, ne, in, nin, gt, gte, lt, lte, exists";
/// What `fields` is, for the documentation.
pub(crate) const FIELDS: &str = "The members to show, separated by commas; id is always shown";
