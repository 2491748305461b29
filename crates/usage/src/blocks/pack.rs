//! Packing calls.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use indexmap::IndexSet;
use kernel::id::TypedId;
use kernel::{ClientId, KeyId, TenantId};
use store::Value;

use super::{Block, Call, LARGE, MOST, Marks, Packed, marks};
use crate::days::day_of;
use crate::row::{RequestRow, cut};

/// Packs calls, however mixed, into blocks; their values by day, each as whole rows.
pub(crate) fn by_day(rows: Vec<RequestRow>, name: &mut dyn FnMut() -> String) -> BTreeMap<i64, Vec<Value>> {
    let mut out: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
    let mut open: BTreeMap<(i64, Option<TenantId>), Packer> = BTreeMap::new();
    for row in rows {
        let place = (day_of(row.at.millis()), row.tenant);
        let packer = open.entry(place).or_default();
        packer.add(row);
        if packer.calls.len() >= MOST {
            std::mem::take(packer).finish(tenant_text(place.1), name()).into_values(out.entry(place.0).or_default());
        }
    }
    for ((day, tenant), packer) in open {
        if !packer.calls.is_empty() {
            packer.finish(tenant_text(tenant), name()).into_values(out.entry(day).or_default());
        }
    }
    out
}

fn tenant_text(tenant: Option<TenantId>) -> String {
    tenant.map(|tenant| tenant.to_string()).unwrap_or_default()
}

/// A value that was packed, and its place: calls that follow each other mostly have the same.
type Last<T> = Option<(T, u32)>;

/// A block that is being filled.
#[derive(Default)]
pub(crate) struct Packer {
    base: Option<i64>,
    since: i64,
    at: i64,
    ids: IndexSet<[u8; 16]>,
    texts: IndexSet<String>,
    calls: Vec<Call>,
    marks: Marks,
    client: Last<ClientId>,
    key: Last<KeyId>,
    status: Option<u16>,
    method: Last<&'static str>,
    endpoint: Last<Arc<str>>,
    ip: Last<IpAddr>,
    user_agent: Last<Arc<str>>,
    error_code: Last<&'static str>,
    environment: Last<&'static str>,
}

impl Packer {
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Takes a call.
    pub(crate) fn add(&mut self, row: RequestRow) {
        let at = row.at.millis();
        let base = self.reach(at, at);
        if self.status != Some(row.status) {
            self.status = Some(row.status);
            self.marks.kinds |= marks::of_status(row.status);
        }
        let Self { ids, texts, marks, .. } = self;
        let call = Call {
            id: *row.id.uuid().as_bytes(),
            after: at - base,
            status: row.status,
            units: row.units,
            duration_us: row.duration_us,
            request_bytes: row.request_bytes,
            response_bytes: row.response_bytes,
            client: again(&mut self.client, row.client, |client| id_place(ids, marks, *client)),
            key: again(&mut self.key, row.key, |key| id_place(ids, marks, *key)),
            method: again(&mut self.method, Some(row.method), |method| kind_place(texts, marks, (*method).to_owned())),
            endpoint: again(&mut self.endpoint, Some(row.endpoint), |path| kind_place(texts, marks, cut((**path).to_owned()))),
            query: row.query.map_or(0, |query| text_place(texts, cut(query))),
            ip: again(&mut self.ip, row.ip, |ip| text_place(texts, ip.to_string())),
            user_agent: again(&mut self.user_agent, row.user_agent, |agent| text_place(texts, cut((**agent).to_owned()))),
            error_code: again(&mut self.error_code, row.error_code, |code| kind_place(texts, marks, (*code).to_owned())),
            actor: row.actor.map_or(0, |actor| text_place(texts, actor.to_string())),
            environment: again(&mut self.environment, row.environment, |name| kind_place(texts, marks, (*name).to_owned())),
            tags: row.tags.map_or(0, |tags| text_place(texts, tags)),
        };
        self.calls.push(call);
    }

    /// Takes all calls of another block.
    pub(crate) fn append(&mut self, packed: Packed, since: i64, at: i64, marks: Marks) {
        let base = self.reach(since, at);
        self.marks.add(marks);
        let ids: Vec<u32> = packed.ids.iter().map(|id| place(self.ids.insert_full(*id).0)).collect();
        let texts: Vec<u32> = packed.texts.into_iter().map(|text| text_place(&mut self.texts, text)).collect();
        let moved = |table: &[u32], old: u32| old.checked_sub(1).and_then(|old| table.get(old as usize)).copied().unwrap_or(0);
        let (id, text) = (|old| moved(&ids, old), |old| moved(&texts, old));
        let shifted = packed.calls.into_iter().map(|call| Call {
            after: call.after + packed.base - base,
            client: id(call.client),
            key: id(call.key),
            method: text(call.method),
            endpoint: text(call.endpoint),
            query: text(call.query),
            ip: text(call.ip),
            user_agent: text(call.user_agent),
            error_code: text(call.error_code),
            actor: text(call.actor),
            environment: text(call.environment),
            tags: text(call.tags),
            ..call
        });
        self.calls.extend(shifted);
    }

    /// Notes from when to when its calls are; answers the moment from which their times are counted.
    fn reach(&mut self, since: i64, at: i64) -> i64 {
        let is_first = self.base.is_none();
        (self.since, self.at) = if is_first { (since, at) } else { (self.since.min(since), self.at.max(at)) };
        *self.base.get_or_insert(since)
    }

    /// The block. One that is large enough is not merged with others any more.
    pub(crate) fn finish(self, tenant: String, id: String) -> Block {
        let calls = self.calls.len();
        let packed = Packed {
            base: self.base.unwrap_or_default(),
            ids: self.ids.into_iter().collect(),
            texts: self.texts.into_iter().collect(),
            calls: self.calls,
        };
        let (is_loose, packed) = (calls < LARGE, packed.to_bytes());
        Block { id, tenant, at: self.at, since: self.since, calls, marks: self.marks, is_loose, packed }
    }
}

/// The place of a value: that of the last call, if it is the same, or what `find` says.
fn again<T: PartialEq>(last: &mut Last<T>, value: Option<T>, find: impl FnOnce(&T) -> u32) -> u32 {
    let Some(value) = value else { return 0 };
    match last {
        Some((known, place)) if *known == value => *place,
        _ => {
            let place = find(&value);
            *last = Some((value, place));
            place
        }
    }
}

fn place(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(0)
}

fn id_place<T: TypedId>(ids: &mut IndexSet<[u8; 16]>, marks: &mut Marks, id: T) -> u32 {
    let bytes = *id.uuid().as_bytes();
    marks.subjects |= marks::of_id(bytes);
    place(ids.insert_full(bytes).0)
}

fn kind_place(texts: &mut IndexSet<String>, marks: &mut Marks, text: String) -> u32 {
    marks.kinds |= marks::of_text(&text);
    text_place(texts, text)
}

fn text_place(texts: &mut IndexSet<String>, text: String) -> u32 {
    place(texts.insert_full(text).0)
}

#[cfg(test)]
mod tests {
    use kernel::Ambient;

    use super::*;

    fn calls(blocks: &[Packer]) -> usize {
        blocks.iter().map(Packer::len).sum()
    }

    fn packed(packer: Packer) -> (Block, Packed) {
        let block = packer.finish("ten_x".into(), "b".into());
        let packed = Packed::read(&block.packed).unwrap();
        (block, packed)
    }

    #[test]
    fn what_is_appended_is_what_was_packed() {
        let ambient = Ambient::system();
        let row = |n: i64, endpoint: &str| {
            let mut row = RequestRow::new(ambient.id(), kernel::Timestamp::from_millis(1_000_000 - n), "GET", Arc::from(endpoint));
            (row.client, row.query, row.error_code) = (Some(ambient.id()), Some(format!("q={n}")), (n % 2 == 0).then_some("not_found"));
            row
        };
        let (mut first, mut second) = (Packer::default(), Packer::default());
        (0..10).for_each(|n| first.add(row(n, "/a")));
        (10..30).for_each(|n| second.add(row(n, "/b")));
        assert_eq!(calls(&[]), 0);
        let (a, of_a) = packed(first);
        let (b, of_b) = packed(second);
        let tell = |packed: &Packed| -> Vec<_> {
            let one = |call: &Call| {
                let texts = [call.endpoint, call.query, call.error_code].map(|place| packed.text(place).map(str::to_owned));
                (call.id, packed.base + call.after, packed.id(call.client), texts)
            };
            packed.calls.iter().map(one).collect()
        };
        let expected = [tell(&of_a), tell(&of_b)].concat();
        let mut both = Packer::default();
        both.append(of_a, a.since, a.at, a.marks);
        both.append(of_b, b.since, b.at, b.marks);
        let (merged, of_merged) = packed(both);
        assert_eq!(tell(&of_merged), expected);
        assert_eq!((merged.since, merged.at, merged.calls), (1_000_000 - 29, 1_000_000, 30));
        assert_eq!(merged.marks.kinds, a.marks.kinds | b.marks.kinds);
    }

    #[test]
    fn a_call_takes_few_bytes() {
        let ambient = Ambient::system();
        let (client, key) = (ambient.id(), ambient.id());
        let mut packer = Packer::default();
        for n in 0..1000 {
            let mut row =
                RequestRow::new(ambient.id(), kernel::Timestamp::from_millis(1_700_000_000_000 + n), "GET", Arc::from("/api/v1/leads"));
            (row.client, row.key, row.duration_us, row.response_bytes) = (Some(client), Some(key), 700, 1200);
            (row.ip, row.user_agent) = (Some([192, 0, 2, 1].into()), Some(crate::agent("some-client/1.0")));
            packer.add(row);
        }
        let (block, _) = packed(packer);
        assert!(block.packed.len() < 45 * 1000, "{} bytes", block.packed.len());
    }
}
