//! A set of places in a block: a sorted list of 16-bit numbers while that is shorter, a bitmap otherwise.

use kernel::{Error, Result};

/// Places in a block.
pub(super) const BLOCK: i64 = 32_768;
/// Bytes of a bitmap.
const BITMAP: usize = 4096;

/// Places in one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places(Box<[u64; BITMAP / 8]>);

impl Default for Places {
    fn default() -> Self {
        Self(Box::new([0; BITMAP / 8]))
    }
}

impl Places {
    /// Error: internal, when the bytes are none of ours.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut out = Self::default();
        if bytes.len() == BITMAP {
            for (word, chunk) in out.0.iter_mut().zip(bytes.chunks_exact(8)) {
                *word = u64::from_le_bytes(chunk.try_into().map_err(Error::internal)?);
            }
            return Ok(out);
        }
        if bytes.len() > BITMAP || !bytes.len().is_multiple_of(2) {
            return Err(Error::internal("a set of places has an impossible length"));
        }
        for pair in bytes.chunks_exact(2) {
            out.insert(u16::from_le_bytes([pair[0], pair[1]]));
        }
        Ok(out)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        if self.count() * 2 < BITMAP as u64 {
            return self.ascending().into_iter().flat_map(u16::to_le_bytes).collect();
        }
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Numbers past the block are left out.
    pub(super) fn insert(&mut self, at: u16) {
        if let Some(word) = self.0.get_mut(usize::from(at) / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(super) fn contains(&self, at: u16) -> bool {
        self.0.get(usize::from(at) / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    /// How many they are.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Keeps what is in the other too.
    pub(super) fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(word, theirs)| *word &= theirs);
    }

    pub(super) fn ascending(&self) -> Vec<u16> {
        let mut out = Vec::new();
        for (base, word) in (0_u16..).step_by(64).zip(self.0.iter()) {
            let mut rest = *word;
            while rest != 0 {
                out.push(base + u16::try_from(rest.trailing_zeros()).unwrap_or(0));
                rest &= rest - 1;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_put_in_comes_out(some in proptest::collection::btree_set(0_u16..32_768, 0..4000), others in proptest::collection::btree_set(0_u16..32_768, 0..200)) {
            let of = |numbers: &std::collections::BTreeSet<u16>| {
                let mut places = Places::default();
                numbers.iter().for_each(|at| places.insert(*at));
                places
            };
            let mut places = of(&some);
            let bytes = places.encode();
            prop_assert!(bytes.len() <= BITMAP);
            prop_assert_eq!(Places::decode(&bytes).unwrap(), places.clone());
            prop_assert_eq!(places.ascending(), some.iter().copied().collect::<Vec<_>>());
            prop_assert!((0..=u16::MAX).all(|at| places.contains(at) == some.contains(&at)));
            places.intersect(&of(&others));
            prop_assert_eq!(places.ascending(), some.intersection(&others).copied().collect::<Vec<_>>());
        }

        #[test]
        fn foreign_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(places) = Places::decode(&bytes) {
                prop_assert!(places.ascending().len() <= bytes.len());
            }
        }
    }
}
