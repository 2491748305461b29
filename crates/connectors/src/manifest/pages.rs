//! How pages follow each other. All that a run needs to go on stands in the page's token, as JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::errors::Judge;
use super::form::{PageKind, Pages};
use super::model::Request;
use super::record::scalar;
use super::template::{Values, refused};
use super::unexpected;
use crate::driver::{self, Answer, Watermark};
use crate::{Call, Fault, Session, Target};

/// Most pages of one run, where the manifest names no other number.
const MAX_PAGES: u64 = 100_000;
/// Most records of one page, whatever was asked for.
const MAX_ITEMS: usize = 10_000;
/// Most pages in a row without a record.
const MAX_EMPTY: u32 = 50;
/// Longest token or link of a vendor.
const MAX_TOKEN: usize = 4096;

/// Where a run stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Place {
    /// The vendor's token or link.
    #[serde(rename = "t", skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Records so far.
    #[serde(rename = "o")]
    offset: u64,
    /// Pages so far.
    #[serde(rename = "n")]
    pages: u64,
    /// Empty ones in a row.
    #[serde(rename = "e", default, skip_serializing_if = "is_zero")]
    empty: u32,
    /// What was seen of time.
    #[serde(rename = "w")]
    pub(super) watermark: Watermark,
    /// A page that was remembered, and how many came since; the next one is remembered after twice as many (Brent's search for a cycle).
    #[serde(rename = "h", default)]
    remembered: u64,
    #[serde(rename = "s", default)]
    since: u64,
    #[serde(rename = "p", default)]
    power: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A page as it came.
pub(super) struct Sheet {
    pub(super) answer: Answer,
    pub(super) items: Vec<Value>,
    /// There is another one.
    pub(super) more: bool,
}

/// What is asked for, page by page.
pub(super) struct Paged<'a> {
    pub(super) request: &'a Request,
    pub(super) pages: &'a Pages,
    pub(super) records: &'a str,
    pub(super) total: Option<&'a str>,
}

impl Place {
    /// From the token of the page before.
    pub(super) fn read(token: Option<&str>) -> Result<Self, Fault> {
        let stale = |_| Fault::Stale { message: "the page's token cannot be read".to_owned() };
        token.map_or_else(|| Ok(Self::default()), |token| serde_json::from_str(token).map_err(stale))
    }

    /// As the next page's token.
    pub(super) fn token(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers")
    }

    /// Asks for the page that begins here and goes on to the next one's place.
    pub(super) async fn turn(
        &mut self,
        session: &Session,
        judge: &Judge<'_>,
        paged: &Paged<'_>,
        values: Values<'_>,
        query: Vec<(String, String)>,
    ) -> Result<Sheet, Fault> {
        let first = paged.pages.first.unwrap_or(u64::from(paged.pages.kind == PageKind::Number));
        let token = self.token.clone();
        let values = Values {
            token: token.as_deref(),
            size: paged.pages.size,
            offset: Some(self.offset),
            number: Some(first + self.pages),
            ..values
        };
        let mut call = match (&self.token, paged.pages.kind) {
            (Some(link), PageKind::Link | PageKind::LinkHeader) => linked(link, paged.request, &values)?,
            _ => paged.request.call(&values)?,
        };
        if !matches!((&self.token, paged.pages.kind), (Some(_), PageKind::Link | PageKind::LinkHeader)) {
            call.query.extend(query);
        }
        let asked = session.ambient.now();
        let mut answer = driver::ask(session, judge, call).await?;
        self.watermark.began(&answer, asked);
        let items = items(&mut answer, paged.records)?;
        let more = self.advance(paged, &answer, &items)?;
        Ok(Sheet { answer, items, more })
    }

    /// Whether there is a next page; this is its place then.
    fn advance(&mut self, paged: &Paged<'_>, answer: &Answer, items: &[Value]) -> Result<bool, Fault> {
        let pages = paged.pages;
        self.pages += 1;
        let overlap = u64::from(pages.overlap.unwrap_or(0));
        let before = self.offset;
        self.offset += items.len() as u64;
        self.empty = if items.is_empty() { self.empty + 1 } else { 0 };
        let has_more = pages.more.as_ref().map(|pointer| answer.json.pointer(pointer).is_some_and(truth));
        let next = match pages.kind {
            PageKind::None => None,
            PageKind::Token | PageKind::Link => pages.next.as_ref().and_then(|pointer| scalar(answer.json.pointer(pointer)?)),
            PageKind::LinkHeader => answer.header("link").and_then(next_link),
            PageKind::Offset | PageKind::Number => {
                let total = paged.total.and_then(|pointer| answer.json.pointer(pointer)?.as_u64());
                // A page that is not full does not end the run: a vendor may give less than was asked for.
                let goes_on = has_more.unwrap_or(!items.is_empty()) && total.is_none_or(|total| self.offset < total) && !items.is_empty();
                // What is deleted meanwhile moves the rest forward: the next page begins a little before this one's end.
                self.offset = self.offset.saturating_sub(overlap).max(before + 1);
                goes_on.then(String::new)
            }
        };
        let next =
            next.filter(|next| has_more != Some(false) && (!next.is_empty() || matches!(pages.kind, PageKind::Offset | PageKind::Number)));
        let Some(next) = next else { return Ok(false) };
        let endless = |why: String| Err(refused("endless_pages", why));
        if next.len() > MAX_TOKEN {
            return endless(format!("the next page's token is longer than {MAX_TOKEN} bytes"));
        }
        let most = pages.max.unwrap_or(MAX_PAGES);
        if self.pages >= most {
            return endless(format!("there are more than {most} pages"));
        }
        if self.empty > MAX_EMPTY {
            return endless(format!("there were {MAX_EMPTY} pages in a row without a record, and the vendor says that there are more"));
        }
        let mark = if next.is_empty() { fingerprint(items.iter().map(Value::to_string)) } else { fingerprint([next.clone()]) };
        if self.repeats(mark) {
            return endless("the pages repeat themselves: the vendor gave the same one again".to_owned());
        }
        self.token = (!next.is_empty()).then_some(next);
        Ok(true)
    }

    /// Brent: remembers one page at a time, each for twice as long as the one before, so that a cycle of any length is met.
    fn repeats(&mut self, mark: u64) -> bool {
        if self.power > 0 && mark == self.remembered {
            return true;
        }
        self.since += 1;
        if self.since >= self.power {
            (self.remembered, self.since, self.power) = (mark, 0, (self.power * 2).max(1));
        }
        false
    }
}

/// The list of records, taken out of the answer.
pub(super) fn items(answer: &mut Answer, pointer: &str) -> Result<Vec<Value>, Fault> {
    if answer.json.is_null() {
        // 204 and 304: there is nothing.
        return Ok(Vec::new());
    }
    let place = || if pointer.is_empty() { "its top".to_owned() } else { pointer.to_owned() };
    match answer.json.pointer_mut(pointer).map(Value::take) {
        Some(Value::Array(items)) if items.len() > MAX_ITEMS => {
            let message = format!("the vendor gave {} records in one page; at most {MAX_ITEMS} are taken", items.len());
            Err(refused("page_too_large", message))
        }
        Some(Value::Array(items)) => Ok(items),
        Some(Value::Null) => Ok(Vec::new()),
        _ => Err(unexpected(&format!("there is no list at {}", place()))),
    }
}

/// The call for an address that the vendor gave. One of another host is refused by the carrier, one that is a path stays under the base.
fn linked(link: &str, request: &Request, values: &Values<'_>) -> Result<Call, Fault> {
    let target = if link.starts_with('/') && !link.starts_with("//") {
        let (path, _) = link.split_once('?').unwrap_or((link, ""));
        if path.split('/').any(|part| matches!(part.to_lowercase().replace("%2e", ".").as_str(), "." | "..")) || path.contains('\\') {
            return Err(refused("address_refused", "the next page's address leads out of its own path".to_owned()));
        }
        Target::Path(path.to_owned())
    } else if link.starts_with("https://") || link.starts_with("http://") {
        Target::Url(link.to_owned())
    } else {
        return Err(refused("address_refused", "the next page's address is neither a URL nor a path".to_owned()));
    };
    let query = match &target {
        Target::Path(_) => link.split_once('?').map_or("", |(_, query)| query),
        Target::Url(_) => "",
    };
    let mut call = Call::new(request.method.clone(), target);
    call.query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    request.fill(&mut call, values)?;
    Ok(call)
}

/// RFC 8288: the target of `rel="next"`.
fn next_link(header: &str) -> Option<String> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("rel")
                && value.trim().trim_matches('"').split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
        };
        parameters.split(';').any(is_next).then(|| target.to_owned())
    })
}

/// What most vendors mean by yes.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.to_lowercase().as_str(), "" | "0" | "false" | "no"),
        Value::Null => false,
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// FNV-1a: the same on every node and in every version, as tokens must be.
fn fingerprint(texts: impl IntoIterator<Item = String>) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    texts.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, text| fold(text.bytes().fold(hash, fold), 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_are_found_in_headers() {
        let header = r#"<https://v.example/a?page=1>; rel="prev", <https://v.example/a?page=3>; title="x"; rel="last next""#;
        assert_eq!(next_link(header).as_deref(), Some("https://v.example/a?page=3"));
        for none in ["", "<x>; rel=\"prev\"", "x; rel=next", "<x"] {
            assert_eq!(next_link(none), None, "{none}");
        }
    }

    #[test]
    fn a_place_travels_as_text() {
        let place = Place { token: Some("x".to_owned()), offset: 7, pages: 2, ..Place::default() };
        let again = Place::read(Some(&place.token())).unwrap();
        assert_eq!((again.token.as_deref(), again.offset, again.pages), (Some("x"), 7, 2));
        assert!(matches!(Place::read(Some("{")), Err(Fault::Stale { .. })));
    }

    proptest! {
        #[test]
        fn every_cycle_is_met_and_nothing_else(before in 0_u64..200, length in 1_u64..200) {
            let mut place = Place::default();
            let page = |n: u64| if n < before { n } else { before + (n - before) % length };
            let met = (0..10_000).find(|n| place.repeats(page(*n)));
            prop_assert!(met.is_some_and(|n| n >= before + length && n <= 4 * (before + length) + 4), "{met:?}");
            let mut straight = Place::default();
            prop_assert!((0..1000).all(|n| !straight.repeats(n)));
        }
    }
}
