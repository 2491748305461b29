//! Rust, with the crate `ureq` 3.

use std::fmt::Write as _;

use super::{Call, quoted};

pub(super) fn write(call: &Call) -> String {
    let mut out = String::from("// [dependencies] ureq = \"3\"\nuse std::env;\n\nfn main() -> Result<(), Box<dyn std::error::Error>> {\n");
    let _ = writeln!(out, "    let url = env::var(\"TRADEWIND_URL\")? + {};", quoted(&call.path));
    let method = call.method.to_ascii_lowercase();
    let _ = writeln!(out, "    let request = ureq::{method}(&url)");
    if call.guarded {
        out.push_str("        .header(\"Authorization\", format!(\"Bearer {}\", env::var(\"TRADEWIND_API_KEY\")?))\n");
    }
    if call.dual {
        out.push_str("        .header(\"X-API-Secret\", env::var(\"TRADEWIND_API_SECRET\")?)\n");
    }
    match call.text() {
        None if matches!(call.method.as_str(), "GET" | "DELETE") => out.push_str("        .call();\n"),
        None => out.push_str("        .send_empty();\n"),
        Some(text) => {
            let _ = writeln!(out, "        .header(\"Content-Type\", {})", quoted(call.media()));
            let _ = writeln!(out, "        .send({});", raw(&text));
        }
    }
    let end = "    let mut response = request?;\n    println!(\"{} {}\", response.status().as_u16(), response.body_mut().read_to_string()?);\n    \
               Ok(())\n}\n";
    out.push_str(end);
    out
}

/// A literal over several lines.
fn raw(text: &str) -> String {
    let mut hashes = String::from("#");
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}
