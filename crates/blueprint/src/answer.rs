//! What an endpoint answers, told as a template: constants, and references into what its operation found.
//!
//! * `"$"` is what the operation answers in the plain form (an object, or `{data, pagination}`), `"$.key.name"` a member inside of it;
//!   `"$query.period"` a query parameter, `"$path.id"` a part of the path, `"$now"` the time. With `?` at its end (`"$.secret?"`) the
//!   member is left out where there is nothing; otherwise it is null. `"$$"` at the beginning is a dollar.
//! * A text with references in braces, `"{$.from} to {$.to}"`, is a text.
//! * `{ each = "$.data", item = … }` is a list, in whose `item` `$` is one of its items.
//! * `{ when = "$.success", then = …, else = … }` chooses: nothing, null, false, 0 and what is empty are no.

use serde_json::{Map, Value};

/// A template.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Itself.
    Constant(Value),
    /// What a reference leads to.
    Reference(Reference),
    /// Pieces of text.
    Text(Vec<Piece>),
    /// An object.
    Object(Vec<(String, Answer)>),
    /// A list of as many items as stand here.
    List(Vec<Answer>),
    /// A list of as many items as there are.
    Each {
        /// The list.
        of: Reference,
        /// What becomes of an item.
        item: Box<Answer>,
    },
    /// One of two.
    When {
        /// Whether there is something.
        condition: Reference,
        /// If there is.
        then: Box<Answer>,
        /// If not.
        otherwise: Box<Answer>,
    },
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Itself.
    Plain(String),
    /// What a reference leads to, as text.
    Reference(Reference),
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// In what.
    pub source: Source,
    /// The way inside: names of members, or places in a list.
    pub path: Vec<String>,
    /// Whether the member is left out if there is nothing.
    pub optional: bool,
}

/// What a reference looks into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// What the operation answers, or the item of a list.
    Answer,
    /// The query of the request.
    Query,
    /// The path of the request.
    Path,
    /// The time, which has nothing inside.
    Now,
}

/// What references look into.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What the operation answers, in the plain form.
    pub answer: &'a Value,
    /// The query of the request, as an object of texts.
    pub query: &'a Value,
    /// The names in the path and what they stand for, as an object of texts.
    pub path: &'a Value,
    /// The time.
    pub now: kernel::Timestamp,
}

impl Answer {
    /// Reads a template. The error says where (a dotted path inside of it, perhaps empty) and what is wrong.
    ///
    /// # Errors
    /// A reference that cannot be read; `each` or `when` with other members than theirs.
    pub fn parse(value: &Value) -> Result<Self, (String, String)> {
        match value {
            Value::String(text) => text_of(text).map_err(|why| (String::new(), why)),
            Value::Array(items) => {
                let items = items.iter().enumerate().map(|(i, item)| Self::parse(item).map_err(|fault| within(&format!("[{i}]"), fault)));
                Ok(Self::List(items.collect::<Result<_, _>>()?))
            }
            Value::Object(members) if members.contains_key("each") => each(members),
            Value::Object(members) if members.contains_key("when") => when(members),
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| {
                    let inner = Self::parse(value).map_err(|fault| within(&format!(".{name}"), fault))?;
                    Ok::<_, (String, String)>((name.clone(), inner))
                };
                Ok(Self::Object(members.iter().map(member).collect::<Result<_, _>>()?))
            }
            plain => Ok(Self::Constant(plain.clone())),
        }
    }

    /// What the template says.
    pub fn render(&self, context: &Context<'_>) -> Value {
        self.maybe(context).unwrap_or(Value::Null)
    }

    /// The same; none for an optional reference that leads nowhere.
    fn maybe(&self, context: &Context<'_>) -> Option<Value> {
        Some(match self {
            Self::Constant(value) => value.clone(),
            Self::Reference(reference) => return reference.find(context).or_else(|| (!reference.optional).then_some(Value::Null)),
            Self::Text(pieces) => Value::String(pieces.iter().map(|piece| piece.text(context)).collect()),
            Self::Object(members) => {
                Value::Object(members.iter().filter_map(|(name, value)| Some((name.clone(), value.maybe(context)?))).collect())
            }
            Self::List(items) => Value::Array(items.iter().filter_map(|item| item.maybe(context)).collect()),
            Self::Each { of, item } => {
                let found = of.find(context);
                let items = found.as_ref().and_then(Value::as_array).into_iter().flatten();
                Value::Array(items.filter_map(|one| item.maybe(&Context { answer: one, ..*context })).collect())
            }
            Self::When { condition, then, otherwise } => {
                let branch = if condition.find(context).is_some_and(|value| is_something(&value)) { then } else { otherwise };
                return branch.maybe(context);
            }
        })
    }

    /// Every reference in it that looks into `source`, those inside of `each` apart.
    pub fn references(&self, source: Source) -> Vec<&Reference> {
        let mut found = Vec::new();
        self.collect(source, &mut found);
        found
    }

    fn collect<'a>(&'a self, source: Source, found: &mut Vec<&'a Reference>) {
        match self {
            Self::Constant(_) => {}
            Self::Reference(reference) => found.extend((reference.source == source).then_some(reference)),
            Self::Text(pieces) => found.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Reference(reference) if reference.source == source => Some(reference),
                _ => None,
            })),
            Self::Object(members) => members.iter().for_each(|(_, value)| value.collect(source, found)),
            Self::List(items) => items.iter().for_each(|item| item.collect(source, found)),
            Self::Each { of, item } => {
                found.extend((of.source == source).then_some(of));
                if source != Source::Answer {
                    item.collect(source, found);
                }
            }
            Self::When { condition, then, otherwise } => {
                found.extend((condition.source == source).then_some(condition));
                then.collect(source, found);
                otherwise.collect(source, found);
            }
        }
    }

    /// The JSON Schema of what it says, where `answer` is the schema of what the operation answers: what a reference leads to has the
    /// schema that is found there, or none.
    pub fn schema(&self, answer: &Value) -> Value {
        match self {
            Self::Constant(value) => serde_json::json!({ "const": value }),
            Self::Reference(reference) => reference.schema(answer),
            Self::Text(_) => serde_json::json!({ "type": "string" }),
            Self::Object(members) => {
                let always = |value: &Answer| !matches!(value, Self::Reference(reference) if reference.optional);
                let required: Vec<&str> = members.iter().filter(|(_, value)| always(value)).map(|(name, _)| name.as_str()).collect();
                let properties: Map<String, Value> = members.iter().map(|(name, value)| (name.clone(), value.schema(answer))).collect();
                serde_json::json!({ "type": "object", "required": required, "properties": properties })
            }
            Self::List(items) => {
                let items: Vec<Value> = items.iter().map(|item| item.schema(answer)).collect();
                serde_json::json!({ "type": "array", "prefixItems": items })
            }
            Self::Each { of, item } => {
                let list = of.schema(answer);
                let inner = list.get("items").cloned().unwrap_or_else(|| Value::Object(Map::new()));
                serde_json::json!({ "type": "array", "items": item.schema(&inner) })
            }
            Self::When { then, otherwise, .. } => serde_json::json!({ "anyOf": [then.schema(answer), otherwise.schema(answer)] }),
        }
    }
}

impl Piece {
    fn text(&self, context: &Context<'_>) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Reference(reference) => match reference.find(context) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text,
                Some(other) => other.to_string(),
            },
        }
    }
}

impl Reference {
    fn parse(text: &str) -> Result<Self, String> {
        let (text, optional) = text.strip_suffix('?').map_or((text, false), |text| (text, true));
        let mut parts = text.split('.');
        let source = match parts.next().unwrap_or_default() {
            "$" => Source::Answer,
            "$query" => Source::Query,
            "$path" => Source::Path,
            "$now" => Source::Now,
            other => return Err(format!("{other:?} is nothing to refer to; there are $, $query, $path and $now ($$ is a dollar)")),
        };
        let path: Vec<String> = parts.map(str::to_owned).collect();
        if path.iter().any(|part| part.is_empty() || part.contains(['{', '}', ' '])) {
            return Err(format!("{text:?} is no reference: write $.member.member"));
        }
        let fits = match source {
            Source::Answer => true,
            Source::Query | Source::Path => path.len() == 1,
            Source::Now => path.is_empty(),
        };
        if fits {
            Ok(Self { source, path, optional })
        } else {
            Err(format!("{text:?} is no reference: write $query.name, $path.name or $now"))
        }
    }

    fn find(&self, context: &Context<'_>) -> Option<Value> {
        let from = match self.source {
            Source::Answer => context.answer,
            Source::Query => context.query,
            Source::Path => context.path,
            Source::Now => return Some(Value::String(context.now.to_string())),
        };
        let step = |value: &'_ Value, part: &String| match value {
            Value::Object(members) => members.get(part).cloned(),
            Value::Array(items) => items.get(part.parse::<usize>().ok()?).cloned(),
            _ => None,
        };
        let mut parts = self.path.iter();
        let Some(first) = parts.next() else { return Some(from.clone()) };
        parts.try_fold(step(from, first)?, |value, part| step(&value, part))
    }

    fn schema(&self, answer: &Value) -> Value {
        let nothing = || Value::Object(Map::new());
        match self.source {
            Source::Now => serde_json::json!({ "type": "string", "format": "date-time" }),
            Source::Query | Source::Path => serde_json::json!({ "type": "string" }),
            Source::Answer => {
                let found = self.path.iter().try_fold(answer, |schema, part| schema.get("properties")?.get(part));
                found.cloned().unwrap_or_else(nothing)
            }
        }
    }
}

fn within(step: &str, (place, why): (String, String)) -> (String, String) {
    (format!("{step}{place}"), why)
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

fn text_of(text: &str) -> Result<Answer, String> {
    if let Some(rest) = text.strip_prefix("$$") {
        return Ok(Answer::Constant(Value::String(format!("${rest}"))));
    }
    if text.starts_with('$') {
        return Reference::parse(text).map(Answer::Reference);
    }
    if !text.contains("{$") {
        return Ok(Answer::Constant(Value::String(text.to_owned())));
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once("{$") {
        let (reference, tail) = after.split_once('}').ok_or("a reference in braces has no end: {$.member}")?;
        pieces.extend((!plain.is_empty()).then(|| Piece::Plain(plain.to_owned())));
        pieces.push(Piece::Reference(Reference::parse(&format!("${reference}"))?));
        rest = tail;
    }
    pieces.extend((!rest.is_empty()).then(|| Piece::Plain(rest.to_owned())));
    Ok(Answer::Text(pieces))
}

fn reference(members: &Map<String, Value>, name: &str) -> Result<Reference, (String, String)> {
    let fault = |why: String| (format!(".{name}"), why);
    let text = members.get(name).and_then(Value::as_str).ok_or_else(|| fault("must be a reference such as $.data".to_owned()))?;
    Reference::parse(text).map_err(fault)
}

fn each(members: &Map<String, Value>) -> Result<Answer, (String, String)> {
    only(members, &["each", "item"])?;
    let item = Answer::parse(&members["item"]).map_err(|fault| within(".item", fault))?;
    Ok(Answer::Each { of: reference(members, "each")?, item: Box::new(item) })
}

fn when(members: &Map<String, Value>) -> Result<Answer, (String, String)> {
    only(members, &["when", "then", "else"])?;
    let branch = |name: &str| Answer::parse(&members[name]).map(Box::new).map_err(|fault| within(&format!(".{name}"), fault));
    Ok(Answer::When { condition: reference(members, "when")?, then: branch("then")?, otherwise: branch("else")? })
}

/// Exactly these members.
fn only(members: &Map<String, Value>, names: &[&str]) -> Result<(), (String, String)> {
    if let Some(missing) = names.iter().find(|name| !members.contains_key(**name)) {
        return Err((String::new(), format!("{missing} is missing")));
    }
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(other) => Err((format!(".{other}"), format!("does not belong here: {} is written with {} only", names[0], names.join(", ")))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "literals read better without borrows")]
    fn rendered(template: Value, answer: Value) -> Value {
        let context = Context {
            answer: &answer,
            query: &json!({"period": "7d"}),
            path: &json!({"keyId": "key_1"}),
            now: kernel::Timestamp::from_millis(0),
        };
        Answer::parse(&template).unwrap().render(&context)
    }

    #[test]
    fn templates_say_what_they_say() {
        let page = json!({"data": [{"id": "a", "n": 1}, {"id": "b", "n": null}], "pagination": {"page": 2}});
        for (template, expected) in [
            (json!({"success": true, "all": "$"}), json!({"success": true, "all": page})),
            (json!("$.data.1.id"), json!("b")),
            (json!({"x": "$.no", "y": "$.no?", "z": "$.data.0.n?"}), json!({"x": null, "z": 1})),
            (
                json!({"each": "$.data", "item": {"key": "$.id", "page": "$query.period"}}),
                json!([{"key": "a", "page": "7d"}, {"key": "b", "page": "7d"}]),
            ),
            (json!({"each": "$.no", "item": "$"}), json!([])),
            (json!("page {$.pagination.page} of {$path.keyId}{$.no}"), json!("page 2 of key_1")),
            (json!(["$now", "$$5", "$.no?", 5]), json!(["1970-01-01T00:00:00.000Z", "$5", 5])),
            (json!({"when": "$.data.1.n", "then": 1, "else": "none"}), json!("none")),
        ] {
            assert_eq!(rendered(template.clone(), page.clone()), expected, "{template}");
        }
    }

    #[test]
    fn faults_have_their_place() {
        for (template, place) in [
            (json!("$key"), ""),
            (json!({"a": [1, "$query"]}), ".a[1]"),
            (json!({"a": {"each": "$.x"}}), ".a"),
            (json!({"each": "x", "item": 1}), ".each"),
            (json!({"each": "$", "item": 1, "more": 1}), ".more"),
            (json!({"when": "$", "then": "$.", "else": 1}), ".then"),
            (json!("{$.open"), ""),
        ] {
            assert_eq!(Answer::parse(&template).unwrap_err().0, place, "{template}");
        }
    }

    #[test]
    fn a_schema_follows_the_references() {
        let answer = json!({"properties": {"data": {"items": {"properties": {"id": {"type": "string"}}}}, "key": {"type": "integer"}}});
        let template = json!({"success": true, "k": "$.key", "rows": {"each": "$.data", "item": {"id": "$.id", "note": "$.note?"}}});
        let schema = Answer::parse(&template).unwrap().schema(&answer);
        assert_eq!(schema["properties"]["k"], json!({"type": "integer"}));
        assert_eq!(schema["properties"]["rows"]["items"]["properties"]["id"], json!({"type": "string"}));
        assert_eq!(schema["properties"]["rows"]["items"]["required"], json!(["id"]));
        assert_eq!(schema["required"], json!(["success", "k", "rows"]));
    }
}
