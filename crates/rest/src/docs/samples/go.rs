//! Go, nothing but its standard library.

use std::fmt::Write as _;

use super::{Call, quoted};

pub(super) fn write(call: &Call) -> String {
    let mut out = String::from("package main\n\nimport (\n\t\"fmt\"\n\t\"io\"\n\t\"net/http\"\n\t\"os\"\n");
    let body = call.text();
    out.push_str(if body.is_some() { "\t\"strings\"\n)\n\n" } else { ")\n\n" });
    out.push_str("func main() {\n");
    let reader = match &body {
        None => "nil".to_owned(),
        Some(text) => {
            let _ = writeln!(out, "\tbody := {}", raw(text));
            "strings.NewReader(body)".to_owned()
        }
    };
    let (method, path) = (quoted(&call.method), quoted(&call.path));
    let _ = writeln!(out, "\trequest, err := http.NewRequest({method}, os.Getenv(\"TRADEWIND_URL\")+{path}, {reader})");
    out.push_str("\tif err != nil {\n\t\tpanic(err)\n\t}\n");
    if call.guarded {
        out.push_str("\trequest.Header.Set(\"Authorization\", \"Bearer \"+os.Getenv(\"TRADEWIND_API_KEY\"))\n");
    }
    if call.dual {
        out.push_str("\trequest.Header.Set(\"X-API-Secret\", os.Getenv(\"TRADEWIND_API_SECRET\"))\n");
    }
    if body.is_some() {
        let _ = writeln!(out, "\trequest.Header.Set(\"Content-Type\", {})", quoted(call.media()));
    }
    out.push_str(END);
    out
}

const END: &str = "\tresponse, err := http.DefaultClient.Do(request)\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\tdefer response.Body.Close()\n\
                   \ttext, err := io.ReadAll(response.Body)\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\
                   \tif response.StatusCode >= 400 {\n\t\tfmt.Fprintln(os.Stderr, response.StatusCode, string(text))\n\t\tos.Exit(1)\n\t}\n\
                   \tfmt.Println(response.StatusCode, string(text))\n}\n";

/// A literal over several lines, where the text has no backquote.
fn raw(text: &str) -> String {
    if text.contains('`') { quoted(text) } else { format!("`{text}`") }
}
