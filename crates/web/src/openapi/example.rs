//! Examples made of schemas: what a schema says by itself (`example`, `const`, `default`, `enum`), else something plausible for the member's
//! name and format.

use serde_json::{Map, Value, json};

/// Which members of objects an example has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// All of them: an answer.
    All,
    /// Those that are required, and those of which the schema gives an example: a request.
    Needed,
}

/// Schemas refer to each other in circles; what lies deeper is left out.
const DEPTH: usize = 12;
/// How many members a request shows of which none is required.
const SHOWN: usize = 4;
/// When examples happened.
const TIME: &str = "2026-01-31T12:00:00.000Z";

/// An example of `schema`, whose references lead to `#/components/schemas/…`, the names in `known`.
pub fn example(schema: &Value, known: &Map<String, Value>, fill: Fill) -> Value {
    Maker { known, fill }.make(schema, "", 0)
}

struct Maker<'a> {
    known: &'a Map<String, Value>,
    fill: Fill,
}

impl Maker<'_> {
    fn make(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth > DEPTH {
            return Value::Null;
        }
        if let Some(said) = said(schema) {
            return said;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let known = target.strip_prefix("#/components/schemas/").and_then(|name| self.known.get(name));
            return known.map_or(Value::Null, |schema| self.make(schema, name, depth + 1));
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.merged(schema, parts, name, depth);
        }
        let one_of = ["oneOf", "anyOf"].iter().find_map(|word| schema.get(word).and_then(Value::as_array));
        if let Some(choices) = one_of
            && schema.get("properties").is_none()
        {
            let choice = choices.iter().find(|choice| choice["type"] != "null").or(choices.first());
            return choice.map_or(Value::Null, |choice| self.make(choice, name, depth + 1));
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "string" => Value::String(text(schema, name)),
            "integer" | "number" => number(schema, name),
            "boolean" => json!(true),
            "null" => Value::Null,
            _ => json!({}),
        }
    }

    fn merged(&self, schema: &Value, parts: &[Value], name: &str, depth: usize) -> Value {
        let mut out = Map::new();
        let own = schema.get("properties").map(|_| self.object(schema, depth));
        let made = parts.iter().map(|part| self.make(part, name, depth + 1)).chain(own);
        let mut other = None;
        for part in made {
            match part {
                Value::Object(members) => out.extend(members),
                plain => other = other.or(Some(plain)),
            }
        }
        if out.is_empty() { other.unwrap_or_else(|| json!({})) } else { Value::Object(out) }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required = required(schema, 0);
        let wanted = |name: &str, member: &Value| self.fill == Fill::All || required.contains(&name) || is_shown(member);
        let members = || {
            schema.get("properties").and_then(Value::as_object).into_iter().flatten().filter(|(_, member)| **member != Value::Bool(false))
        };
        let make = |(name, member): (&String, &Value)| (name.clone(), self.make(member, name, depth + 1));
        let out: Map<String, Value> = members().filter(|(name, member)| wanted(name, member)).map(make).collect();
        // A request that shows nothing explains nothing.
        if out.is_empty() && depth == 0 { members().take(SHOWN).map(make).collect() } else { Value::Object(out) }
    }

    fn array(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let Some(items) = schema.get("items") else { return json!([]) };
        let least = schema["minItems"].as_u64().unwrap_or(1).clamp(1, 5);
        let single = name.strip_suffix('s').unwrap_or(name);
        (0..least).map(|_| self.make(items, single, depth + 1)).collect()
    }
}

/// The members that must be there: those that the schema requires, those of all its parts, and those of the first of its forms.
fn required(schema: &Value, depth: usize) -> Vec<&str> {
    if depth > DEPTH {
        return Vec::new();
    }
    let list = |word: &str| schema.get(word).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let forms = ["anyOf", "oneOf"].into_iter().filter_map(|word| list(word).iter().find(|form| form["type"] != "null"));
    let within = list("allOf").iter().chain(forms).flat_map(|part| required(part, depth + 1));
    list("required").iter().filter_map(Value::as_str).chain(within).collect()
}

/// What the schema says itself.
fn said(schema: &Value) -> Option<Value> {
    let first = |word: &str| schema.get(word).and_then(Value::as_array).and_then(|list| list.iter().find(|one| !one.is_null())).cloned();
    let given = schema.get("example").cloned().or_else(|| first("examples")).or_else(|| schema.get("const").cloned());
    given.or_else(|| schema.get("default").filter(|default| !default.is_null()).cloned()).or_else(|| first("enum"))
}

/// Whether a request's example shows a member that it need not have.
fn is_shown(member: &Value) -> bool {
    member.get("example").is_some() || member.get("examples").is_some()
}

fn kind(schema: &Value) -> &str {
    let written = match schema.get("type") {
        Some(Value::String(one)) => Some(one.as_str()),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).find(|one| *one != "null"),
        _ => None,
    };
    let implied = if schema.get("properties").is_some() { "object" } else { "" };
    written.unwrap_or(implied)
}

fn number(schema: &Value, name: &str) -> Value {
    let plausible: u32 = match name {
        "status" | "statusCode" => 200,
        "port" => 443,
        "score" | "successRate" => 80,
        "limit" => 20,
        "total" | "count" => 3,
        "premium" | "amount" | "price" => 120,
        "year" => 2026,
        _ => 1,
    };
    let bound = |word: &str| schema.get(word).filter(|value| value.is_number());
    let value = f64::from(plausible);
    if let Some(least) = bound("minimum").or_else(|| bound("exclusiveMinimum"))
        && least.as_f64().is_some_and(|least| least > value)
    {
        return least.clone();
    }
    if let Some(most) = bound("maximum")
        && most.as_f64().is_some_and(|most| most < value)
    {
        return most.clone();
    }
    json!(plausible)
}

fn text(schema: &Value, name: &str) -> String {
    let by_format = match schema["format"].as_str().unwrap_or_default() {
        "date-time" => Some(TIME),
        "date" => Some("2026-01-31"),
        "time" => Some("12:00:00Z"),
        "email" => Some("ada@example.com"),
        "uri" | "url" | "iri" => Some("https://example.com/hooks"),
        "uri-reference" => Some("/api/v1/leads"),
        "uuid" => Some("5f0c2a9e-6d1b-4c56-9a51-0f6d2f0b7a11"),
        "ipv4" => Some("203.0.113.7"),
        "ipv6" => Some("2001:db8::7"),
        "hostname" => Some("example.com"),
        _ => None,
    };
    let mut text = by_format.unwrap_or_else(|| by_name(name)).to_owned();
    let bound = |word: &str| schema[word].as_u64().and_then(|bound| usize::try_from(bound).ok());
    if let Some(most) = bound("maxLength") {
        text = text.chars().take(most).collect();
    }
    if let Some(least) = bound("minLength").filter(|least| *least <= 64) {
        while text.chars().count() < least {
            text.push('x');
        }
    }
    text
}

/// A text for a member of this name.
fn by_name(name: &str) -> &'static str {
    const TEXTS: &[(&str, &str)] = &[
        ("email", "ada@example.com"),
        ("firstname", "Ada"),
        ("lastname", "Byron"),
        ("phone", "+15550100"),
        ("url", "https://example.com/hooks"),
        ("website", "https://example.com"),
        ("city", "Springfield"),
        ("zip", "62701"),
        ("postal", "62701"),
        ("country", "US"),
        ("currency", "USD"),
        ("timezone", "Europe/Berlin"),
        ("language", "en"),
        ("transcript", "Agent: Hello, how are you?"),
        ("endpoint", "/api/v1/leads"),
        ("path", "/api/v1/leads"),
        ("method", "GET"),
        ("description", "What it is for"),
        ("note", "Called back on Monday"),
        ("message", "Hello"),
        ("title", "An example"),
        ("subject", "An example"),
        ("company", "Example Ltd"),
        ("name", "An example"),
        ("period", "24h"),
        ("address", "1 Main Street"),
        ("date", "2026-01-31"),
    ];
    let small = name.to_ascii_lowercase().replace('_', "");
    if (small.ends_with("at") || small.ends_with("time")) && name.len() > 3 && !small.ends_with("format") {
        return TIME;
    }
    // As a word: `script` and `recipient` are no addresses.
    if small == "ip" || name.ends_with("Ip") || name.ends_with("_ip") || small.starts_with("ipaddress") {
        return "203.0.113.7";
    }
    TEXTS.iter().find(|(part, _)| small.contains(part)).map_or("text", |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else { return Map::new() };
        members
    }

    #[test]
    fn requests_have_what_they_need_and_answers_have_all() {
        let schema = json!({"type": "object", "required": ["email"], "properties": {
            "email": {"type": "string"}, "tier": {"enum": ["basic"]}, "shown": {"type": "string", "example": "yes"},
            "size": {"type": ["null", "integer"], "minimum": 7}, "tags": {"type": "array", "items": {"type": "string", "maxLength": 2}},
        }});
        assert_eq!(example(&schema, &Map::new(), Fill::Needed), json!({"email": "ada@example.com", "shown": "yes"}));
        let all = json!({"email": "ada@example.com", "tier": "basic", "shown": "yes", "size": 7, "tags": ["te"]});
        assert_eq!(example(&schema, &Map::new(), Fill::All), all);
    }

    #[test]
    fn a_request_has_the_first_of_its_forms() {
        let members = json!({"id": {"type": "string"}, "transcript": {"type": "string"}, "url": {"type": "string", "format": "uri"}});
        let forms = json!([{"required": ["transcript"]}, {"required": ["url"]}]);
        for schema in [
            json!({"type": "object", "required": ["id"], "properties": members, "anyOf": forms}),
            json!({"type": "object", "required": ["id"], "properties": members, "oneOf": forms}),
            json!({"type": "object", "properties": members, "allOf": [{"required": ["id"]}, {"anyOf": forms}]}),
        ] {
            assert_eq!(
                example(&schema, &Map::new(), Fill::Needed),
                json!({"id": "text", "transcript": "Agent: Hello, how are you?"}),
                "{schema}"
            );
        }
    }

    #[test]
    fn addresses_are_told_by_whole_words() {
        assert_eq!(["ip", "clientIp", "client_ip", "ipAddress"].map(by_name), ["203.0.113.7"; 4]);
        assert_eq!(["script", "recipient", "shipment"].map(by_name), ["text"; 3]);
    }

    #[test]
    fn references_are_followed_and_circles_end() {
        let known = known(json!({
            "A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}},
            "B": {"oneOf": [{"type": "null"}, {"allOf": [{"$ref": "#/components/schemas/C"}, {"properties": {"more": {"type": "boolean"}}}]}]},
            "C": {"type": "object", "properties": {"at": {"type": "string", "format": "date"}, "again": {"$ref": "#/components/schemas/C"}}},
        }));
        let made = example(&json!({"$ref": "#/components/schemas/A"}), &known, Fill::All);
        assert_eq!((&made["b"]["at"], &made["b"]["more"]), (&json!("2026-01-31"), &json!(true)));
    }
}
