//! Python 3, nothing but its standard library.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Call, quoted};

pub(super) fn write(call: &Call) -> String {
    let mut out = String::from("import json\nimport os\nimport urllib.request\n\n");
    let mut headers = Vec::new();
    if call.guarded {
        headers.push("    \"Authorization\": f\"Bearer {os.environ['TRADEWIND_API_KEY']}\",".to_owned());
    }
    if call.dual {
        headers.push("    \"X-API-Secret\": os.environ[\"TRADEWIND_API_SECRET\"],".to_owned());
    }
    if call.body.is_some() {
        headers.push(format!("    \"Content-Type\": {},", quoted(call.media())));
    }
    let _ = writeln!(out, "request = urllib.request.Request(");
    let _ = writeln!(out, "    os.environ[\"TRADEWIND_URL\"] + {},", quoted(&call.path));
    let _ = writeln!(out, "    method={},", quoted(&call.method));
    if !headers.is_empty() {
        let _ = writeln!(out, "    headers={{\n    {}\n    }},", headers.join("\n    "));
    }
    if let Some(value) = call.json() {
        let _ = writeln!(out, "    data=json.dumps({}).encode(),", literal(value, 4));
    } else if let Some(text) = call.text() {
        let _ = writeln!(out, "    data={}.encode(),", quoted(&text));
    }
    out.push_str(")\nwith urllib.request.urlopen(request) as response:\n    print(response.status, response.read().decode())\n");
    out
}

/// JSON as Python writes it.
fn literal(value: &Value, indent: usize) -> String {
    let (pad, end) = (" ".repeat(indent + 4), " ".repeat(indent));
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items) => {
            let items: String = items.iter().fold(String::new(), |all, item| all + &pad + &literal(item, indent + 4) + ",\n");
            format!("[\n{items}{end}]")
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let entry = |name: &str, value: &Value| format!("{pad}{}: {},\n", quoted(name), literal(value, indent + 4));
            let members: String = members.iter().map(|(name, value)| entry(name, value)).collect();
            format!("{{\n{members}{end}}}")
        }
        plain => plain.to_string(),
    }
}
