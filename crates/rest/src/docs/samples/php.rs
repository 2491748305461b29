//! PHP 8, without extensions: streams speak HTTP.

use std::fmt::Write as _;

use serde_json::Value;

use super::Call;

pub(super) fn write(call: &Call) -> String {
    let mut out = String::from("<?php\n");
    let mut headers = Vec::new();
    if call.guarded {
        headers.push("        'Authorization: Bearer ' . getenv('TRADEWIND_API_KEY'),".to_owned());
    }
    if call.dual {
        headers.push("        'X-API-Secret: ' . getenv('TRADEWIND_API_SECRET'),".to_owned());
    }
    if call.body.is_some() {
        headers.push(format!("        {},", quoted(&format!("Content-Type: {}", call.media()))));
    }
    let _ = writeln!(out, "$context = stream_context_create(['http' => [\n    'method' => {},", quoted(&call.method));
    let _ = writeln!(out, "    'ignore_errors' => true,");
    if !headers.is_empty() {
        let _ = writeln!(out, "    'header' => [\n{}\n    ],", headers.join("\n"));
    }
    if let Some(value) = call.json() {
        let _ = writeln!(out, "    'content' => json_encode({}),", literal(value, 4));
    } else if let Some(text) = call.text() {
        let _ = writeln!(out, "    'content' => {},", quoted(&text));
    }
    let _ = writeln!(out, "]]);\n$answer = file_get_contents(getenv('TRADEWIND_URL') . {}, false, $context);", quoted(&call.path));
    out.push_str("preg_match('{ (\\d{3})}', $http_response_header[0], $status);\n");
    out.push_str("if ($status[1] >= 400) {\n    fwrite(STDERR, \"$status[1]: $answer\\n\");\n    exit(1);\n}\n");
    out.push_str("echo $status[1], ' ', $answer, \"\\n\";\n");
    out
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// JSON as PHP writes it. An object without members must not become a list.
fn literal(value: &Value, indent: usize) -> String {
    let (pad, end) = (" ".repeat(indent + 4), " ".repeat(indent));
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items) => {
            let items: String = items.iter().fold(String::new(), |all, item| all + &pad + &literal(item, indent + 4) + ",\n");
            format!("[\n{items}{end}]")
        }
        Value::Object(members) if members.is_empty() => "(object) []".to_owned(),
        Value::Object(members) => {
            let entry = |name: &str, value: &Value| format!("{pad}{} => {},\n", quoted(name), literal(value, indent + 4));
            let members: String = members.iter().map(|(name, value)| entry(name, value)).collect();
            format!("[\n{members}{end}]")
        }
        plain => plain.to_string(),
    }
}
