//! SOQL: results by pages of 2000, the next one by a locator.

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::ids;
use super::org::{Org, Scene};
use super::records::attributes;
use super::schema::Object;
use crate::soql::{self, Condition, Item, Literal, Query};
use crate::stand::Answer;
use crate::tables::Row;

/// Rows of a page, unless `Sforce-Query-Options: batchSize=` says otherwise.
const PAGE: usize = 2000;
/// Locators that are kept; the oldest is forgotten.
const LOCATORS: usize = 1000;

/// A query's result that is read by pages: the rows are those that were found when it was asked.
#[derive(Debug)]
pub(super) struct Locator {
    object: String,
    fields: Vec<String>,
    rows: Vec<u64>,
    page: usize,
    expires_at: i64,
}

pub(super) fn answer(org: &mut Org, scene: &Scene<'_>, rest: &[&str]) -> Result<Answer, Failure> {
    if let [locator] = rest {
        return next(org, scene, locator);
    }
    let text = scene.call.param("q").ok_or_else(|| Failure::new(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null"))?;
    let all = scene.call.segments.get(3).is_some_and(|name| name == "queryAll");
    let query = soql::parse(text).map_err(|why| Failure::new(400, "MALFORMED_QUERY", format!("\n{text}\n^\nERROR: {why}")))?;
    let found = org.select(&query, all, scene.at.stand.now())?;
    if query.items.iter().any(|item| matches!(item, Item::Aggregate(..))) {
        return aggregated(org, scene, &query, &found);
    }
    let object = org.object(&query.object)?;
    let fields = expanded(object, &query)?;
    let page = page_size(scene);
    let locator =
        Locator { object: object.name.clone(), fields, rows: query.bounded(found), page, expires_at: scene.change.at + 172_800_000 };
    let name = scene.at.stand.token::<7>("01g5");
    let answer = org.page(scene, &name, &locator, 0)?;
    if locator.rows.len() > page {
        if org.locators.len() >= LOCATORS {
            org.locators.clear();
        }
        org.locators.insert(name, locator);
    }
    Ok(answer)
}

fn page_size(scene: &Scene<'_>) -> usize {
    let asked = scene.call.header("sforce-query-options").and_then(|text| text.split_once("batchSize=")?.1.trim().parse().ok());
    asked.unwrap_or(PAGE).clamp(200, PAGE)
}

fn next(org: &mut Org, scene: &Scene<'_>, locator: &str) -> Result<Answer, Failure> {
    let invalid = || Failure::new(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
    let (name, at) = locator.rsplit_once('-').ok_or_else(invalid)?;
    let at: usize = at.parse().map_err(|_| invalid())?;
    let known = org.locators.remove(name).filter(|known| scene.change.at < known.expires_at).ok_or_else(invalid)?;
    let answer = org.page(scene, name, &known, at);
    org.locators.insert(name.to_owned(), known);
    answer
}

/// The names of the fields that are selected, checked.
fn expanded(object: &Object, query: &Query) -> Result<Vec<String>, Failure> {
    let mut fields = Vec::new();
    for item in &query.items {
        match item {
            Item::Field(name) => fields.push(name.clone()),
            Item::Fields(which) => {
                if query.limit.is_none_or(|limit| limit > 200) {
                    let message = "The SOQL FIELDS function must have a LIMIT of at most 200";
                    return Err(Failure::new(400, "MALFORMED_QUERY", message));
                }
                let wanted = object.fields.iter().filter(|field| match which.as_str() {
                    "CUSTOM" => field.is_custom(),
                    "STANDARD" => !field.is_custom(),
                    _ => true,
                });
                fields.extend(wanted.map(|field| field.name.clone()));
            }
            Item::Aggregate(..) => {}
        }
    }
    Ok(fields)
}

impl Org {
    /// The rows that a query finds, in its order, before its bounds.
    pub(super) fn select(&self, query: &Query, all: bool, now: i64) -> Result<Vec<u64>, Failure> {
        let Ok(object) = self.object(&query.object) else {
            let message = format!("sObject type '{}' is not supported.", query.object);
            return Err(Failure::new(400, "INVALID_TYPE", message));
        };
        self.check_names(object, query)?;
        let table = self.table(&object.name);
        let rows: Box<dyn Iterator<Item = &Row<Value>>> =
            match query.condition.as_ref().and_then(|condition: &Condition| condition.since("SystemModstamp")) {
                Some(since) => Box::new(table.changed((since, 0)..)),
                None => Box::new(table.all(..)),
            };
        let seen = rows.filter(|row| (all || row.gone.is_none()) && row.searched(now).is_some());
        let known = |row: &Row<Value>, name: &str| self.looked_up(object, row, name, now).expect("names were checked");
        let mut found: Vec<_> = seen
            .filter(|row| query.condition.as_ref().is_none_or(|condition| soql::matches(condition, &|name| known(row, name))))
            .map(|row| {
                let keys: Vec<_> = query.orders.iter().map(|order| known(row, &order.field)).collect();
                (keys, row.id)
            })
            .collect();
        found.sort_by(|(one, a), (other, b)| {
            let mut orders = query.orders.iter().zip(one.iter().zip(other));
            let decided = orders.find_map(|(order, (one, other))| {
                let nulls = one.value.is_null() != other.value.is_null();
                let plain = soql::compare(one, other);
                let plain = if nulls && order.nulls_last { plain.reverse() } else { plain };
                let ordered = if order.is_descending && !nulls { plain.reverse() } else { plain };
                ordered.is_ne().then_some(ordered)
            });
            decided.unwrap_or_else(|| a.cmp(b))
        });
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    /// Whether every field is there, and times are not compared with text.
    fn check_names(&self, object: &Object, query: &Query) -> Result<(), Failure> {
        let items = query.items.iter().filter_map(|item| match item {
            Item::Field(name) | Item::Aggregate(_, Some(name), _) => Some((name.as_str(), None)),
            _ => None,
        });
        for (name, literal) in items.chain(query.named()) {
            let Some(kind) = self.kind(object, name) else {
                let message = format!(
                    "No such column '{name}' on entity '{}'. If you are attempting to use a custom field, be sure to append the '__c' after \
                     the custom field name.",
                    object.name
                );
                return Err(Failure::new(400, "INVALID_FIELD", message));
            };
            let is_quoted = matches!(literal, Some(Literal::Text(_)));
            if is_quoted && matches!(kind.as_str(), "date" | "datetime" | "boolean" | "double" | "currency" | "int" | "percent") {
                let message =
                    format!("value of filter criterion for field '{name}' must be of type {kind} and should not be enclosed in quotes");
                return Err(Failure::new(400, "INVALID_FIELD", message));
            }
        }
        Ok(())
    }

    fn kind(&self, object: &Object, path: &str) -> Option<String> {
        let path = path.strip_prefix(&format!("{}.", object.name)).unwrap_or(path);
        let Some((relation, name)) = path.split_once('.') else { return object.field(path).map(|field| field.kind.clone()) };
        let target = object.relationship(relation)?.refers_to.as_ref()?;
        let parent = self.objects.iter().find(|one| one.name == *target)?;
        parent.field(name).map(|field| field.kind.clone())
    }

    fn page(&self, scene: &Scene<'_>, name: &str, locator: &Locator, at: usize) -> Result<Answer, Failure> {
        let object = self.object(&locator.object)?;
        let table = self.table(&object.name);
        let start = if scene.call.repeats_rows() { at.saturating_sub(1) } else { at };
        let end = locator.rows.len().min(at + locator.page);
        let rows = locator.rows.get(start..end).unwrap_or_default();
        let records: Vec<_> =
            rows.iter().filter_map(|id| table.any(*id)).map(|row| self.selected(scene, object, row, &locator.fields)).collect();
        let mut value = json!({"totalSize": locator.rows.len(), "done": end >= locator.rows.len(), "records": records});
        if end < locator.rows.len() {
            value["nextRecordsUrl"] = json!(format!("/services/data/{}/query/{name}-{end}", scene.version));
        }
        Ok(Answer::json(200, &value))
    }

    /// One row with the fields that a query selects; referred rows in objects of their own.
    fn selected(&self, scene: &Scene<'_>, object: &Object, row: &Row<Value>, fields: &[String]) -> Value {
        let mut map = Map::new();
        map.insert("attributes".to_owned(), attributes(object, &ids::id(&object.prefix, row.id), scene.version));
        for path in fields {
            let Some(known) = self.looked_up(object, row, path, scene.at.stand.now()) else { continue };
            match path.split_once('.').filter(|(first, _)| !first.eq_ignore_ascii_case(&object.name)) {
                None => {
                    let plain = path.rsplit('.').next().unwrap_or(path);
                    let name = object.field(plain).map_or(plain, |field| &field.name);
                    map.insert(name.to_owned(), known.value);
                }
                Some((relation, name)) => self.put_related(scene, object, row, (relation, name), known.value, &mut map),
            }
        }
        Value::Object(map)
    }

    fn put_related(
        &self,
        scene: &Scene<'_>,
        object: &Object,
        row: &Row<Value>,
        (relation, name): (&str, &str),
        value: Value,
        map: &mut Map<String, Value>,
    ) {
        let Some(reference) = object.relationship(relation) else { return };
        let relation = reference.relationship().unwrap_or_default();
        let id = row.get(&reference.name).and_then(Value::as_str).unwrap_or_default();
        let Some((parent, _)) = self.anywhere(id) else {
            map.insert(relation, Value::Null);
            return;
        };
        let name = parent.field(name).map_or(name, |field| &field.name).to_owned();
        let inner = map.entry(relation).or_insert_with(|| json!({"attributes": attributes(parent, id, scene.version)}));
        inner[name] = value;
    }

    /// Rows of a query as they are written to CSV.
    pub(super) fn plain_rows(&self, object: &str, rows: &[u64], fields: &[String], now: i64) -> Vec<Vec<Value>> {
        let Ok(object) = self.object(object) else { return Vec::new() };
        let table = self.table(&object.name);
        let one = |row: &Row<Value>| {
            fields.iter().map(|path| self.looked_up(object, row, path, now).map_or(Value::Null, |known| known.value)).collect()
        };
        rows.iter().filter_map(|id| table.any(*id)).map(one).collect()
    }
}

fn aggregated(org: &Org, scene: &Scene<'_>, query: &Query, found: &[u64]) -> Result<Answer, Failure> {
    if query.items == [Item::Aggregate("COUNT".to_owned(), None, None)] {
        return Ok(Answer::json(200, &json!({"totalSize": found.len(), "done": true, "records": []})));
    }
    let object = org.object(&query.object)?;
    let table = org.table(&object.name);
    let mut row = json!({"attributes": {"type": "AggregateResult"}});
    for (index, item) in query.items.iter().enumerate() {
        let Item::Aggregate(function, field, alias) = item else {
            return Err(Failure::new(400, "MALFORMED_QUERY", "Grouped query must have a GROUP BY clause, which this double does not know"));
        };
        let now = scene.at.stand.now();
        let values = found.iter().filter_map(|id| org.looked_up(object, table.any(*id)?, field.as_deref().unwrap_or("Id"), now));
        let values: Vec<_> = values.filter(|known| !known.value.is_null()).collect();
        let result = match function.as_str() {
            "COUNT" => json!(values.len()),
            "MIN" => values.iter().min_by(|a, b| soql::compare(a, b)).map_or(Value::Null, |known| known.value.clone()),
            _ => values.iter().max_by(|a, b| soql::compare(a, b)).map_or(Value::Null, |known| known.value.clone()),
        };
        row[alias.clone().unwrap_or_else(|| format!("expr{index}"))] = result;
    }
    Ok(Answer::json(200, &json!({"totalSize": 1, "done": true, "records": [row]})))
}

/// The fields of a bulk query.
pub(super) fn bulk_fields(org: &Org, query: &Query) -> Result<Vec<String>, Failure> {
    let fields = expanded(org.object(&query.object)?, query)?;
    if fields.is_empty() {
        Err(Failure::new(400, "API_ERROR", "Aggregate functions are not supported in Bulk API 2.0"))
    } else {
        Ok(fields)
    }
}

/// A value in CSV.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
