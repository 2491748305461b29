//! Texts with references: `/contacts/{id}`. Nothing here can run: a reference names a value, and where it stands decides how the value is
//! escaped. `{{` and `}}` are braces.

use serde_json::{Map, Value};

use crate::Fault;
use crate::driver::segment;

/// Where a template stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// In a path: each value stays inside of one part.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
    /// In a JSON body.
    Body,
}

/// What a reference names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    Config(String),
    Id,
    Ids,
    Fields,
    Cursor,
    Token,
    Size,
    Offset,
    Number,
    Field,
    Value,
    Record,
    RecordField(String),
    Url,
    Secret,
}

const SIMPLE: &[(&str, Reference)] = &[
    ("id", Reference::Id),
    ("ids", Reference::Ids),
    ("fields", Reference::Fields),
    ("cursor", Reference::Cursor),
    ("page.token", Reference::Token),
    ("page.size", Reference::Size),
    ("page.offset", Reference::Offset),
    ("page.number", Reference::Number),
    ("field", Reference::Field),
    ("value", Reference::Value),
    ("record", Reference::Record),
    ("webhook.url", Reference::Url),
    ("webhook.secret", Reference::Secret),
];

impl Reference {
    fn parse(name: &str) -> Option<Self> {
        if let Some((_, reference)) = SIMPLE.iter().find(|(simple, _)| *simple == name) {
            return Some(reference.clone());
        }
        let (family, member) = name.split_once('.').filter(|(_, member)| !member.is_empty())?;
        match family {
            "config" => Some(Self::Config(member.to_owned())),
            "record" => Some(Self::RecordField(member.to_owned())),
            _ => None,
        }
    }

    /// As it is written.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Config(name) => format!("config.{name}"),
            Self::RecordField(name) => format!("record.{name}"),
            other => SIMPLE.iter().find(|(_, simple)| simple == other).map_or("", |(name, _)| name).to_owned(),
        }
    }

    fn fits(&self, slot: Slot) -> bool {
        match self {
            Self::Record => slot == Slot::Body,
            Self::Secret => matches!(slot, Slot::Body | Slot::Header),
            Self::Ids | Self::Fields | Self::Url => matches!(slot, Slot::Body | Slot::Query),
            Self::Token => slot != Slot::Header,
            _ => true,
        }
    }
}

/// What is wrong with a template, and what was probably meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misread(pub(super) String, pub(super) Option<String>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Reference(Reference),
}

/// A text with references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

impl Template {
    /// Reads a text; `known` are the references that have a value there (`record.` and `config.` stand for all of theirs).
    pub(super) fn parse(text: &str, slot: Slot, known: &[&str]) -> Result<Self, Misread> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(beyond) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = beyond;
                continue;
            }
            let end = after.find('}').filter(|_| brace == "{");
            let end = end.ok_or_else(|| Misread("has a brace without its partner; a brace itself is written twice".to_owned(), None))?;
            let reference = Self::reference(&after[..end], slot, known)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Reference(reference));
            rest = &after[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    fn reference(name: &str, slot: Slot, known: &[&str]) -> Result<Reference, Misread> {
        let is_known = |name: &str| known.iter().any(|one| *one == name || (one.ends_with('.') && name.starts_with(one)));
        match Reference::parse(name).filter(|_| is_known(name)) {
            Some(reference) if reference.fits(slot) => Ok(reference),
            Some(_) => Err(Misread(format!("{{{name}}} cannot stand here"), None)),
            None => {
                let suggestion = blueprint::nearest(name, known.iter().copied().filter(|one| !one.ends_with('.')));
                let braced = |name: &&str| if name.ends_with('.') { format!("{{{name}…}}") } else { format!("{{{name}}}") };
                let choices: Vec<_> = known.iter().map(braced).collect();
                let message = format!("{{{name}}} means nothing here; there is {}", choices.join(", "));
                Err(Misread(message, suggestion.map(|name| format!("{{{name}}}"))))
            }
        }
    }

    /// The references, in order.
    pub(super) fn references(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter().filter_map(|part| if let Part::Reference(reference) = part { Some(reference) } else { None })
    }

    /// The texts between them.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None })
    }

    /// As text; `None` if something that it names has no value.
    pub(super) fn text(&self, values: &Values<'_>) -> Result<Option<String>, Fault> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Reference(reference) => match values.text(reference)? {
                    Some(text) => out.push_str(&text),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(out))
    }

    /// As a path. What an id holds cannot lead out of its part.
    pub(super) fn path(&self, values: &Values<'_>) -> Result<String, Fault> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Reference(reference) => {
                    let missing = || refused("value_missing", format!("{{{}}} has no value, and the path needs one", reference.name()));
                    out.push_str(&segment(&values.text(reference)?.ok_or_else(missing)?)?);
                }
            }
        }
        match out.split('/').skip(1).find(|part| matches!(*part, "." | "..")) {
            Some(_) => Err(refused("unusable_id", "an id made of dots cannot stand in a path".to_owned())),
            None => Ok(out),
        }
    }

    /// As JSON: a reference alone keeps its type; among other text it becomes text. `None`: it has no value.
    fn json(&self, values: &Values<'_>) -> Result<Option<Value>, Fault> {
        match self.0.as_slice() {
            [Part::Reference(reference)] => values.value(reference),
            _ => Ok(self.text(values)?.map(Value::String)),
        }
    }
}

/// A body with references. Members and items without a value are left out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Literal(Value),
    Text(Template),
    Array(Vec<Shape>),
    Object(Vec<(String, Shape)>),
}

impl Shape {
    /// The body; `null` if there is nothing in it.
    pub(super) fn json(&self, values: &Values<'_>) -> Result<Value, Fault> {
        Ok(self.rendered(values)?.unwrap_or_default())
    }

    fn rendered(&self, values: &Values<'_>) -> Result<Option<Value>, Fault> {
        match self {
            Self::Literal(value) => Ok(Some(value.clone())),
            Self::Text(template) => template.json(values),
            Self::Array(items) => {
                let mut out = Vec::new();
                for item in items {
                    out.extend(item.rendered(values)?);
                }
                Ok(Some(Value::Array(out)))
            }
            Self::Object(members) => {
                let mut out = Map::new();
                for (name, shape) in members {
                    if let Some(value) = shape.rendered(values)? {
                        out.insert(name.clone(), value);
                    }
                }
                Ok(Some(Value::Object(out)))
            }
        }
    }

    /// The templates in it.
    pub(super) fn templates<'a>(&'a self, into: &mut Vec<&'a Template>) {
        match self {
            Self::Literal(_) => {}
            Self::Text(template) => into.push(template),
            Self::Array(items) => items.iter().for_each(|item| item.templates(into)),
            Self::Object(members) => members.iter().for_each(|(_, shape)| shape.templates(into)),
        }
    }
}

/// What references stand for in one call.
#[derive(Clone, Default)]
pub(super) struct Values<'a> {
    pub(super) config: Option<&'a Map<String, Value>>,
    pub(super) defaults: &'a [crate::Setting],
    pub(super) id: Option<&'a str>,
    pub(super) ids: Option<&'a [String]>,
    pub(super) fields: Option<&'a [String]>,
    pub(super) cursor: Option<Value>,
    pub(super) token: Option<&'a str>,
    pub(super) size: Option<u32>,
    pub(super) offset: Option<u64>,
    pub(super) number: Option<u64>,
    pub(super) field: Option<&'a str>,
    pub(super) value: Option<&'a Value>,
    pub(super) record: Option<&'a Map<String, Value>>,
    pub(super) url: Option<&'a str>,
    pub(super) secret: Option<&'a str>,
}

impl Values<'_> {
    fn value(&self, reference: &Reference) -> Result<Option<Value>, Fault> {
        let list = |texts: &[String]| Value::from(texts.to_vec());
        Ok(match reference {
            Reference::Config(name) => self.configured(name)?,
            Reference::Id => self.id.map(Value::from),
            Reference::Ids => self.ids.map(list),
            Reference::Fields => self.fields.map(list),
            Reference::Cursor => self.cursor.clone(),
            Reference::Token => self.token.map(Value::from),
            Reference::Size => self.size.map(Value::from),
            Reference::Offset => self.offset.map(Value::from),
            Reference::Number => self.number.map(Value::from),
            Reference::Field => self.field.map(Value::from),
            Reference::Value => self.value.cloned(),
            Reference::Record => self.record.cloned().map(Value::Object),
            Reference::RecordField(name) => self.record.and_then(|record| record.get(name)).cloned(),
            Reference::Url => self.url.map(Value::from),
            Reference::Secret => self.secret.map(Value::from),
        })
    }

    /// A member of the configuration, or what holds without it.
    fn configured(&self, name: &str) -> Result<Option<Value>, Fault> {
        let setting = self.defaults.iter().find(|setting| setting.name == name);
        let given = self.config.and_then(|config| config.get(name)).filter(|value| !value.is_null() && value.as_str() != Some(""));
        let Some(given) = given else { return Ok(setting.and_then(|setting| setting.default.clone()).map(Value::String)) };
        let options = setting.map(|setting| setting.options.as_slice()).unwrap_or_default();
        let fits = options.is_empty() || given.as_str().is_some_and(|text| options.iter().any(|option| option == text));
        if given.is_object() || given.is_array() || !fits {
            return Err(refused("config_invalid", format!("`{name}` of the configuration is none of its choices, or no text")));
        }
        Ok(Some(given.clone()))
    }

    /// A value as text: what is a list becomes one text with commas.
    pub(super) fn text(&self, reference: &Reference) -> Result<Option<String>, Fault> {
        let Some(value) = self.value(reference)? else { return Ok(None) };
        text(&value).map_err(|()| refused("value_not_text", format!("{{{}}} is no text here", reference.name())))
    }
}

fn text(value: &Value) -> Result<Option<String>, ()> {
    Ok(match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(items) => {
            let texts: Result<Vec<_>, ()> = items.iter().map(|item| if item.is_array() { Err(()) } else { text(item) }).collect();
            Some(texts?.into_iter().flatten().collect::<Vec<_>>().join(","))
        }
        Value::Object(_) => return Err(()),
    })
}

/// A refusal of ours, before the vendor is asked or because of what it answered.
pub(super) fn refused(code: &str, message: String) -> Fault {
    Fault::Refused { code: code.to_owned(), message, field: None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const KNOWN: &[&str] = &["config.", "id", "fields", "page.token", "record", "record.", "value"];

    fn template(text: &str, slot: Slot) -> Template {
        Template::parse(text, slot, KNOWN).unwrap()
    }

    #[test]
    fn references_are_read_and_faults_say_what_there_is() {
        assert_eq!(template("a{{b}}", Slot::Query).text(&Values::default()), Ok(Some("a{b}".to_owned())));
        for (text, slot, part) in [
            ("{idd}", Slot::Path, "means nothing here"),
            ("{now()}", Slot::Body, "means nothing here"),
            ("{{{id}", Slot::Path, ""),
            ("{id", Slot::Path, "without its partner"),
            ("id}", Slot::Path, "without its partner"),
            ("{record}", Slot::Query, "cannot stand here"),
            ("{config.}", Slot::Query, "means nothing here"),
        ] {
            match Template::parse(text, slot, KNOWN) {
                Ok(_) => assert_eq!(part, "", "{text}"),
                Err(Misread(message, _)) => assert!(!part.is_empty() && message.contains(part), "{text}: {message}"),
            }
        }
        assert_eq!(Template::parse("{page.tokn}", Slot::Query, KNOWN).unwrap_err().1.as_deref(), Some("{page.token}"));
    }

    #[test]
    fn values_are_escaped_for_where_they_stand() {
        let (record, fields) = (json!({"email": "a\"b", "n": 4, "none": null}), ["a".to_owned(), "b".to_owned()]);
        let values = Values { id: Some("x/../y?z"), fields: Some(&fields), record: record.as_object(), ..Values::default() };
        assert_eq!(template("/c/{id}/n", Slot::Path).path(&values).unwrap(), "/c/x%2F..%2Fy%3Fz/n");
        assert_eq!(template("{fields}", Slot::Query).text(&values), Ok(Some("a,b".to_owned())));
        assert_eq!(template("{page.token}", Slot::Query).text(&values), Ok(None), "without a value it is left out");
        let body = Shape::Object(vec![
            ("all".to_owned(), Shape::Text(template("{record}", Slot::Body))),
            ("mixed".to_owned(), Shape::Text(template("<{record.email}>", Slot::Body))),
            ("number".to_owned(), Shape::Text(template("{record.n}", Slot::Body))),
            ("none".to_owned(), Shape::Text(template("{page.token}", Slot::Body))),
        ]);
        assert_eq!(body.json(&values).unwrap(), json!({"all": record, "mixed": "<a\"b>", "number": 4}));
        for id in ["..", ".", ""] {
            assert!(template("/c/{id}", Slot::Path).path(&Values { id: Some(id), ..Values::default() }).is_err(), "{id}");
        }
        assert!(template("/c/{value}", Slot::Path).path(&Values { value: Some(&record), ..Values::default() }).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_a_fault(text in "[{}a-z.]{0,30}|\\PC{0,30}") {
            let _ = Template::parse(&text, Slot::Body, KNOWN);
        }

        #[test]
        fn no_value_leads_out_of_its_part(id in "\\PC{0,30}") {
            let values = Values { id: Some(&id), ..Values::default() };
            if let Ok(path) = template("/a/{id}/b", Slot::Path).path(&values) {
                prop_assert_eq!(path.split('/').count(), 4);
                let url = url::Url::parse("https://vendor.example").unwrap().join(&path).unwrap();
                prop_assert_eq!((url.path_segments().unwrap().count(), url.query()), (3, None));
            }
        }
    }
}
