//! JavaScript: Node 18 or later, or a browser with the variables written in.

use std::fmt::Write as _;

use super::{Call, indented, pretty, quoted};

pub(super) fn write(call: &Call) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "const response = await fetch(process.env.TRADEWIND_URL + {}, {{", quoted(&call.path));
    let _ = writeln!(out, "  method: {},", quoted(&call.method));
    let mut headers = Vec::new();
    if call.guarded {
        headers.push("    Authorization: `Bearer ${process.env.TRADEWIND_API_KEY}`,".to_owned());
    }
    if call.dual {
        headers.push("    \"X-API-Secret\": process.env.TRADEWIND_API_SECRET,".to_owned());
    }
    if call.body.is_some() {
        headers.push(format!("    \"Content-Type\": {},", quoted(call.media())));
    }
    if !headers.is_empty() {
        let _ = writeln!(out, "  headers: {{\n{}\n  }},", headers.join("\n"));
    }
    if let Some(value) = call.json() {
        let _ = writeln!(out, "  body: JSON.stringify({}),", indented(&pretty(value), 2));
    } else if let Some(text) = call.text() {
        let _ = writeln!(out, "  body: {},", quoted(&text));
    }
    out.push_str("});\nconst text = await response.text();\n");
    out.push_str("if (!response.ok) throw new Error(`${response.status}: ${text}`);\nconsole.log(response.status, text);\n");
    out
}
