//! From a response to the result of a tool: text for the agent, bounded, and the same as a value.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use kernel::Error;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

/// Most bytes of text in an answer; what is longer is cut, and says so.
pub const MAX_ANSWER: usize = 64 * 1024;
/// Most bytes that are read of a response.
const MAX_READ: usize = 8 * 1024 * 1024;

/// The result of a call that was answered.
pub(crate) async fn of(response: Response) -> CallToolResult {
    let (parts, body) = response.into_parts();
    let (bytes, whole) = read(body).await;
    let text = String::from_utf8_lossy(&bytes);
    if !parts.status.is_success() {
        let code = parts.extensions.get::<web::ErrorCode>().map(|code| code.0);
        return failed(parts.status, code, &parts.headers, &text);
    }
    if text.is_empty() {
        return CallToolResult::success(vec![ContentBlock::text(format!("Done ({}).", parts.status.as_u16()))]);
    }
    let value = serde_json::from_str::<Value>(&text).ok().filter(|_| whole);
    match value {
        Some(value) => fitted(value, text.len()),
        None => cut(&text, bytes.len(), whole),
    }
}

/// The result of a call that was not made.
pub(crate) fn refused(error: &Error) -> CallToolResult {
    let problem = web::problem_value(error, None);
    with_value(CallToolResult::error(vec![ContentBlock::text(problem.to_string())]), problem)
}

/// A refusal of the operation: the problem, in whatever form the product has, with its code beside it.
fn failed(status: StatusCode, code: Option<&str>, headers: &HeaderMap, text: &str) -> CallToolResult {
    let mut problem = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(members)) => Value::Object(members),
        _ => json!({"detail": shortened(text, 4096)}),
    };
    if let Value::Object(members) = &mut problem {
        members.entry("status").or_insert_with(|| status.as_u16().into());
        if let Some(code) = code {
            members.entry("code").or_insert_with(|| code.into());
        }
        if let Some(wait) = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()) {
            members.insert("retryAfterSeconds".into(), wait.into());
        }
    }
    with_value(CallToolResult::error(vec![ContentBlock::text(problem.to_string())]), problem)
}

/// The whole value, or as many items of its list as fit.
fn fitted(mut value: Value, length: usize) -> CallToolResult {
    if length <= MAX_ANSWER {
        let text = value.to_string();
        return with_value(CallToolResult::success(vec![ContentBlock::text(text)]), value);
    }
    let list = match &mut value {
        Value::Array(items) => Some(items),
        Value::Object(members) if members.get("data").is_some_and(Value::is_array) => members.get_mut("data").and_then(Value::as_array_mut),
        Value::Object(members) => members.values_mut().filter_map(Value::as_array_mut).max_by_key(|items| items.len()),
        _ => None,
    };
    let Some(list) = list else { return cut(&value.to_string(), length, true) };
    let all = list.len();
    let items = std::mem::take(list);
    let mut room = MAX_ANSWER / 8 * 7;
    let fitting = items.into_iter().take_while(|item| {
        let size = item.to_string().len() + 1;
        let fits = size <= room;
        room = room.saturating_sub(size);
        fits
    });
    *list = fitting.collect();
    let shown = list.len();
    let text = value.to_string();
    if shown == 0 || text.len() > MAX_ANSWER {
        return cut(&text, length, true);
    }
    let note = format!(
        "Only the first {shown} of {all} items are shown: an answer has at most {MAX_ANSWER} bytes. Ask again with limit = {shown} and go on with \
         the cursor or the page of that answer; the cursor of this one would leave out what is not shown."
    );
    with_value(CallToolResult::success(vec![ContentBlock::text(text), ContentBlock::text(note)]), value)
}

/// The beginning of a text.
fn cut(text: &str, length: usize, whole: bool) -> CallToolResult {
    if text.len() <= MAX_ANSWER && whole {
        return CallToolResult::success(vec![ContentBlock::text(text)]);
    }
    let shown = shortened(text, MAX_ANSWER);
    let size = if whole { length.to_string() } else { format!("more than {length}") };
    let note = format!("Only the first {} of {size} bytes are shown. Ask for less: with a limit, a filter or fewer members.", shown.len());
    CallToolResult::success(vec![ContentBlock::text(shown), ContentBlock::text(note)])
}

/// Objects go along as values too; the protocol's older versions know no others.
fn with_value(mut result: CallToolResult, value: Value) -> CallToolResult {
    if value.is_object() {
        result.structured_content = Some(value);
    }
    result
}

fn shortened(text: &str, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].to_owned()
}

/// A body, at most [`MAX_READ`] bytes of it, and whether that is all.
async fn read(mut body: Body) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return (out, false) };
        let Ok(data) = frame.into_data() else { continue };
        let room = MAX_READ - out.len();
        out.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return (out, false);
        }
    }
    (out, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn result(status: u16, body: impl Into<Body>) -> (Value, String) {
        let response = Response::builder().status(status).header("retry-after", "7").extension(web::ErrorCode("not_found"));
        let result = serde_json::to_value(of(response.body(body.into()).unwrap()).await).unwrap();
        let text = result["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        (result, text)
    }

    #[tokio::test]
    async fn an_answer_is_text_and_a_value() {
        let (result, text) = result(200, r#"{"id":1}"#).await;
        assert_eq!((text.as_str(), &result["structuredContent"]), (r#"{"id":1}"#, &json!({"id": 1})));
        assert_ne!(result["isError"], json!(true));
        assert_eq!(self::result(204, Body::empty()).await.1, "Done (204).");
    }

    #[tokio::test]
    async fn a_long_list_is_cut_between_items_and_says_so() {
        let items: Vec<Value> = (0..2000).map(|n| json!({"n": n, "text": "x".repeat(100)})).collect();
        let (result, text) = result(200, json!({"data": items, "pagination": {"limit": 2000}}).to_string()).await;
        let shown = serde_json::from_str::<Value>(&text).unwrap()["data"].as_array().unwrap().len();
        assert!(text.len() <= MAX_ANSWER && shown > 300, "{shown} in {}", text.len());
        let note = result["content"][1]["text"].as_str().unwrap();
        assert!(note.contains(&format!("first {shown} of 2000")) && note.contains(&format!("limit = {shown}")), "{note}");
        assert_eq!(result["structuredContent"]["data"].as_array().unwrap().len(), shown);
    }

    #[tokio::test]
    async fn one_thing_that_is_too_large_is_cut_at_a_character() {
        for body in [json!({"text": "ä".repeat(60_000)}).to_string(), "é".repeat(5 * 1024 * 1024)] {
            let (result, text) = result(200, body).await;
            assert!(text.len() <= MAX_ANSWER && text.len() > MAX_ANSWER - 4);
            assert!(result["content"][1]["text"].as_str().unwrap().contains("Ask for less"), "{result}");
        }
    }

    #[tokio::test]
    async fn an_error_keeps_its_code_in_every_form() {
        for body in [r#"{"success":false,"error":"Lead not found"}"#, "no JSON"] {
            let (result, text) = result(404, body).await;
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!((&result["isError"], &value["code"], &value["status"]), (&json!(true), &json!("not_found"), &json!(404)));
            assert_eq!((&result["structuredContent"], &value["retryAfterSeconds"]), (&value, &json!("7")));
        }
    }
}
