//! An event in words for people: what a message in Slack or an e-mail says. Alerts have a form of their own; of any other event the type and the
//! first members of its data are shown.

use dispatch::AttemptInput;
use kernel::Event;
use serde_json::Value;

/// Most members that are shown.
const MAX_LINES: usize = 10;
/// Longest title, and longest value of a member, in characters.
const MAX_TITLE: usize = 140;
const MAX_VALUE: usize = 300;

/// How it is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// To be known.
    Plain,
    /// To be looked at.
    Warning,
    /// To be looked at now.
    Critical,
    /// It is over.
    Good,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) tone: Tone,
    /// One line.
    pub(crate) title: String,
    /// A sentence or two; empty: there is no more to say than the lines.
    pub(crate) summary: String,
    /// Names and values.
    pub(crate) lines: Vec<(String, String)>,
    /// What it is about, for those who look for it: type, id, time.
    pub(crate) foot: String,
}

impl Notice {
    pub(crate) fn of(input: &AttemptInput<'_>) -> Self {
        Self::of_event(input.event)
    }

    fn of_event(event: &Event) -> Self {
        let data: Value = serde_json::from_slice(&event.data).unwrap_or_default();
        let foot = format!("{} · {} · {}", event.event_type, event.id, event.occurred_at);
        let name = event.event_type.as_str();
        match name.strip_prefix("alert.").filter(|_| data["rule"].is_string() && data["summary"].is_string()) {
            Some(change) => Self::of_alert(change, &data, foot),
            None => {
                let members = data.as_object().into_iter().flatten();
                let lines = members.take(MAX_LINES).map(|(name, value)| (line(name, MAX_TITLE), line(&shown(value), MAX_VALUE))).collect();
                Self { tone: Tone::Plain, title: name.to_owned(), summary: String::new(), lines, foot }
            }
        }
    }

    fn of_alert(change: &str, data: &Value, foot: String) -> Self {
        let text = |name: &str| line(&shown(&data[name]), MAX_VALUE);
        let severity = text("severity");
        let tone = match (change, severity.as_str()) {
            ("closed", _) => Tone::Good,
            (_, "critical") => Tone::Critical,
            (_, "warning") => Tone::Warning,
            _ => Tone::Plain,
        };
        let head = match change {
            "opened" => severity.clone(),
            "closed" => format!("closed, {}", text("closedReason")),
            _ => format!("{severity}, {}", text("status")),
        };
        let rule = text("rule").replace('_', " ");
        let unit = text("unit");
        let lines = vec![
            ("Subject".to_owned(), text("subject")),
            ("Measured".to_owned(), format!("{} {unit} (threshold {})", text("value"), text("threshold"))),
            ("Open since".to_owned(), text("openedAt")),
            ("Alert".to_owned(), text("alertId")),
        ];
        Self { tone, title: line(&format!("[{head}] {rule}"), MAX_TITLE), summary: text("summary"), lines, foot }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().filter(|n| n.fract() == 0.0).map_or_else(|| number.to_string(), |n| format!("{n:.0}")),
        other => other.to_string(),
    }
}

/// In one line, and not for ever.
fn line(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut out: String = text.chars().take(most).map(plain).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kernel::Ambient;
    use serde_json::json;

    use super::*;

    fn notice(event_type: &str, data: &Value) -> Notice {
        let ambient = Ambient::system();
        Notice::of_event(&Event {
            tenant: ambient.id(),
            id: ambient.event_id(),
            event_type: event_type.parse().unwrap(),
            occurred_at: ambient.now(),
            created_at: ambient.now(),
            data: Bytes::from(data.to_string()),
            client: None,
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: None,
        })
    }

    #[test]
    fn an_alert_says_what_is_wrong() {
        let mut data = json!({
            "alertId": "alr_1", "rule": "webhook_success_rate", "severity": "critical", "status": "open", "subject": "wh_1", "summary": "3 of 40",
            "value": 7.5, "threshold": 90.0, "unit": "percent", "openedAt": "2026-01-01T00:00:00.000Z", "closedReason": null,
        });
        let opened = notice("alert.opened", &data);
        assert_eq!((opened.tone, opened.title.as_str()), (Tone::Critical, "[critical] webhook success rate"));
        assert_eq!((opened.summary.as_str(), opened.lines[1].1.as_str()), ("3 of 40", "7.5 percent (threshold 90)"));
        (data["status"], data["closedReason"]) = (json!("closed"), json!("recovered"));
        let closed = notice("alert.closed", &data);
        assert_eq!((closed.tone, closed.title.as_str()), (Tone::Good, "[closed, recovered] webhook success rate"));
    }

    #[test]
    fn another_event_shows_its_first_members_in_one_line_each() {
        let data = json!({"leadId": "1", "note": "a\nb", "long": "x".repeat(1000), "more": {"deep": [1]}});
        let seen = notice("lead.created", &data);
        assert_eq!((seen.tone, seen.title.as_str(), seen.lines.len()), (Tone::Plain, "lead.created", 4));
        assert_eq!((seen.lines[1].1.as_str(), seen.lines[2].1.chars().count()), ("a b", MAX_VALUE + 1));
        assert_eq!(seen.lines[3].1, "{\"deep\":[1]}");
        assert!(notice("alert.opened", &json!("none of ours")).lines.is_empty());
    }
}
