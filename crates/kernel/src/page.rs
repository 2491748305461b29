//! Lists: a limit, and either an opaque keyset cursor (stable under inserts) or a page number.
//!
//! A cursor is bound to its list and to the filters that it was made under ([`binding`]): with another list it would lead to a wrong place
//! without anybody noticing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Rows in a list when nothing is said.
pub const DEFAULT_LIMIT: u32 = 20;
/// Most rows in a list.
pub const MAX_LIMIT: u32 = 100;
/// Highest page number; past it, use a cursor.
pub const MAX_PAGE: u32 = 1_000_000;

/// The place after which a list goes on: the sort value and the id of the last row. Opaque on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The sort column's value (often a time in ms, or 0 when the id alone sorts).
    pub key: i64,
    /// The id of the last row.
    pub id: String,
}

impl Cursor {
    /// As it goes over the wire, bound to a list.
    pub fn encode(&self, bound: u32) -> String {
        URL_SAFE_NO_PAD.encode(format!("{bound:x}.{}.{}", self.key, self.id))
    }

    /// Reads what [`Cursor::encode`] wrote, of whichever list. Error: 400 `malformed_cursor`.
    pub fn decode(text: &str) -> Result<Self> {
        Self::read(text).map(|(_, cursor)| cursor)
    }

    /// The same of this list only. Errors: 400 `malformed_cursor`, 400 `invalid_cursor`.
    pub fn decode_for(text: &str, bound: u32) -> Result<Self> {
        let (found, cursor) = Self::read(text)?;
        if found != bound {
            let detail = "This cursor belongs to another list, or to this one with other filters. Begin again without a cursor.";
            return Err(Error::malformed("invalid_cursor", detail));
        }
        Ok(cursor)
    }

    fn read(text: &str) -> Result<(u32, Self)> {
        let fault = || Error::malformed("malformed_cursor", "Send the cursor exactly as nextCursor gave it, or none to begin again.");
        if text.len() > 512 {
            return Err(fault());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| fault())?;
        let text = String::from_utf8(bytes).map_err(|_| fault())?;
        let (bound, rest) = text.split_once('.').ok_or_else(fault)?;
        let (key, id) = rest.split_once('.').ok_or_else(fault)?;
        if id.contains('\0') {
            return Err(fault());
        }
        let bound = u32::from_str_radix(bound, 16).map_err(|_| fault())?;
        Ok((bound, Self { key: key.parse().map_err(|_| fault())?, id: id.to_owned() }))
    }
}

/// What a cursor of this list is bound to: its name (the path) and its parameters, in whatever order, but for those that choose the part.
/// A checksum, not a secret: a cursor opens nothing that the list would not show.
pub fn binding(list: &str, parameters: impl IntoIterator<Item = (String, String)>) -> u32 {
    let mut rest: Vec<_> = parameters.into_iter().filter(|(name, _)| !matches!(name.as_str(), "limit" | "cursor" | "page")).collect();
    rest.sort();
    let words = std::iter::once(list.to_owned()).chain(rest.into_iter().flat_map(|(name, value)| [name, value]));
    // FNV-1a; a byte that UTF-8 never has ends each word.
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    words.fold(0x811c_9dc5, |hash, word| step(word.bytes().fold(hash, step), 0xff))
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows, 1 to [`MAX_LIMIT`].
    pub limit: u32,
    /// Go on after here.
    pub cursor: Option<Cursor>,
    /// Or: this page, from 1.
    pub page: Option<u32>,
    /// What cursors of this list are bound to; see [`binding`].
    pub bound: u32,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, cursor: None, page: None, bound: 0 }
    }
}

impl PageRequest {
    /// From query parameters. `limits`: of rows when nothing is said, and at most. `bound`: the list's [`binding`].
    ///
    /// Errors: 422 `validation_failed` for a limit or page out of bounds, 400 `malformed_cursor`, 400 `invalid_cursor`, 422 when both cursor and
    /// page are given.
    pub fn parse(limit: Option<&str>, cursor: Option<&str>, page: Option<&str>, limits: (u32, u32), bound: u32) -> Result<Self> {
        let limit = limit.map_or(Ok(limits.0), |text| number(text, "/limit", limits.1))?;
        let page = page.map(|text| number(text, "/page", MAX_PAGE)).transpose()?;
        let cursor = cursor.map(|text| Cursor::decode_for(text, bound)).transpose()?;
        if cursor.is_some() && page.is_some() {
            return Err(Error::field("/page", "send either cursor or page, not both"));
        }
        Ok(Self { limit, cursor, page, bound })
    }

    /// Rows to skip when a page is asked for.
    pub fn offset(&self) -> u64 {
        self.page.map_or(0, |page| u64::from(page - 1) * u64::from(self.limit))
    }
}

fn number(text: &str, pointer: &str, max: u32) -> Result<u32> {
    text.parse::<u32>()
        .ok()
        .filter(|n| (1..=max).contains(n))
        .ok_or_else(|| Error::field(pointer, format!("must be a whole number from 1 to {max}")))
}

/// What a list answers beside its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// The limit that was used.
    pub limit: u32,
    /// Send it as `cursor` for the next rows; null at the end.
    pub next_cursor: Option<String>,
    /// The page, where pages were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// How many rows match in all, where that is cheap to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// A part of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// How to go on.
    pub pagination: Pagination,
}

impl<T> Page<T> {
    /// Makes a page of `rows`, which were read with a limit one above the one asked for, so that the extra row tells whether there is more.
    pub fn from_rows(mut rows: Vec<T>, request: &PageRequest, total: Option<u64>, cursor: impl Fn(&T) -> Cursor) -> Self {
        let limit = request.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = if more { rows.last().map(|row| cursor(row).encode(request.bound)) } else { None };
        Self { data: rows, pagination: Pagination { limit: request.limit, next_cursor, page: request.page, total } }
    }

    /// The same page of other things.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(f).collect(), pagination: self.pagination }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_kept() {
        for bad in ["0", "-1", "101", "99999999999999999999", "ten", "", "1.5"] {
            let error = PageRequest::parse(Some(bad), None, None, (DEFAULT_LIMIT, MAX_LIMIT), 0).unwrap_err();
            assert_eq!(error.fields()[0].pointer, "/limit", "{bad}");
        }
        assert_eq!(PageRequest::parse(Some("100"), None, None, (DEFAULT_LIMIT, MAX_LIMIT), 0).unwrap().limit, 100);
    }

    #[test]
    fn cursors_round_trip_and_refuse_noise() {
        let cursor = Cursor { key: -5, id: "a.b".into() };
        assert_eq!(Cursor::decode(&cursor.encode(7)).unwrap(), cursor);
        assert_eq!(Cursor::decode_for(&cursor.encode(7), 7).unwrap(), cursor);
        assert_eq!(Cursor::decode_for(&cursor.encode(7), 8).unwrap_err().code(), "invalid_cursor");
        for bad in ["", "!!", "AAAA", &"A".repeat(600)] {
            assert!(Cursor::decode(bad).is_err());
        }
    }

    #[test]
    fn a_binding_knows_the_list_and_its_filters_only() {
        let bound = |list: &str, query: &[(&str, &str)]| binding(list, query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let base = bound("/a", &[("status", "failed"), ("from", "x")]);
        assert_eq!(base, bound("/a", &[("from", "x"), ("limit", "5"), ("cursor", "c"), ("status", "failed")]));
        for other in [bound("/b", &[("status", "failed"), ("from", "x")]), bound("/a", &[("status", "failed")]), bound("/a", &[])] {
            assert_ne!(base, other);
        }
        assert_ne!(bound("/a", &[("ab", "c")]), bound("/a", &[("a", "bc")]));
    }
}
