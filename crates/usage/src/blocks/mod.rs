//! Blocks: calls of one tenant, packed. What is logged of a call is much the same as what is logged of the one before it, so a block keeps each
//! text and each id once and its calls as short numbers: a call costs some fifty bytes, and a fraction of a row's price to write.
//!
//! ```text
//! block = 1, packed        packed (postcard) = base · ids · texts · calls
//! ```
//!
//! A group of the writer becomes a block per tenant and day ([`pack`]). Quiet tenants have many small ones: those of an hour that is over
//! are merged ([`merge`]). Who reads passes over blocks by their marks, and unpacks the others (`request_logs::list`).

mod marks;
mod merge;
mod pack;

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use store::Value;

pub(crate) use marks::{Marks, of_class, of_id, of_status, of_text};
pub(crate) use merge::merge_regularly;
pub(crate) use pack::{Packer, by_day};

/// Most calls of a block.
pub(crate) const MOST: usize = 4096;
/// A block of so many calls is not merged with others.
const LARGE: usize = 2048;
/// The form of what is packed: the first byte of every block.
const FORM: u8 = 1;

/// The columns of a block, in the order of [`Block::into_values`].
pub(crate) const COLUMNS: [&str; 9] = ["id", "tenant_id", "at", "since", "calls", "subjects", "kinds", "is_loose", "packed"];

/// A row.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) id: String,
    pub(crate) tenant: String,
    /// Its newest call, in ms.
    pub(crate) at: i64,
    /// Its oldest call, in ms.
    pub(crate) since: i64,
    pub(crate) calls: usize,
    pub(crate) marks: Marks,
    pub(crate) is_loose: bool,
    pub(crate) packed: Vec<u8>,
}

impl Block {
    pub(crate) fn into_values(self, out: &mut Vec<Value>) {
        out.extend([self.id.into(), self.tenant.into(), self.at.into(), self.since.into(), (self.calls as u64).into()]);
        out.extend([self.marks.subjects.into(), self.marks.kinds.into(), self.is_loose.into(), self.packed.into()]);
    }
}

/// What a block holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Packed {
    /// The moment from which its calls' times are counted, in ms.
    pub(crate) base: i64,
    /// Clients and keys, as UUIDs.
    pub(crate) ids: Vec<[u8; 16]>,
    /// Every text.
    pub(crate) texts: Vec<String>,
    pub(crate) calls: Vec<Call>,
}

/// A call of a block. What refers to an id or a text is its place, from 1; 0: there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) id: [u8; 16],
    /// Milliseconds after the base.
    pub(crate) after: i64,
    pub(crate) status: u16,
    pub(crate) units: u32,
    pub(crate) duration_us: u64,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    pub(crate) client: u32,
    pub(crate) key: u32,
    pub(crate) method: u32,
    pub(crate) endpoint: u32,
    pub(crate) query: u32,
    pub(crate) ip: u32,
    pub(crate) user_agent: u32,
    pub(crate) error_code: u32,
    pub(crate) actor: u32,
    pub(crate) environment: u32,
    pub(crate) tags: u32,
}

impl Packed {
    fn to_bytes(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![FORM]).expect("a vector takes everything, and every part has a form")
    }

    /// Reads a block. Error: internal, if it is none.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        match bytes.split_first() {
            Some((&FORM, rest)) => postcard::from_bytes(rest).map_err(|error| Error::internal(format!("a block of calls: {error}"))),
            Some((form, _)) => Err(Error::internal(format!("a block of calls has the form {form}, which this version does not know"))),
            None => Err(Error::internal("a block of calls is empty")),
        }
    }

    /// The text at a place.
    pub(crate) fn text(&self, place: u32) -> Option<&str> {
        self.texts.get(usize::try_from(place).ok()?.checked_sub(1)?).map(String::as_str)
    }

    /// The id at a place.
    pub(crate) fn id(&self, place: u32) -> Option<[u8; 16]> {
        self.ids.get(usize::try_from(place).ok()?.checked_sub(1)?).copied()
    }

    /// The place of a text; none if no call has it.
    pub(crate) fn place_of_text(&self, text: &str) -> Option<u32> {
        place(self.texts.iter().position(|known| known == text))
    }

    /// The place of an id; none if no call has it.
    pub(crate) fn place_of_id(&self, id: [u8; 16]) -> Option<u32> {
        place(self.ids.iter().position(|known| *known == id))
    }
}

fn place(index: Option<usize>) -> Option<u32> {
    index.and_then(|index| u32::try_from(index + 1).ok())
}
