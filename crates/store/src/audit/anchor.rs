//! What the log was like at some time, small enough to be kept elsewhere.

use std::fmt;
use std::str::FromStr;

use kernel::{Error, Result};

use super::append::{head_context, head_text};
use crate::Tx;

/// The last row of a chain, as it once was: `<chain> <seq> <hash>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The chain: a tenant's id, or `operator`.
    pub chain: String,
    /// The number of its last row.
    pub seq: i64,
    /// The hash of that row, in lower-case hexadecimal digits.
    pub hash: String,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.chain, self.seq, self.hash)
    }
}

impl FromStr for Anchor {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self> {
        let wrong = || Error::invalid("invalid_anchor", format!("{line:?} is not a chain, a number and a hash."));
        let mut parts = line.split_ascii_whitespace();
        let (Some(chain), Some(seq), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let seq = seq.parse().ok().filter(|seq: &i64| *seq > 0 && is_hash).ok_or_else(wrong)?;
        Ok(Self { chain: chain.to_owned(), seq, hash: hash.to_ascii_lowercase() })
    }
}

/// The last rows of all chains as they are now.
pub fn anchors(tx: &mut Tx<'_>) -> Result<Vec<Anchor>> {
    let heads = tx.query("SELECT chain, seq, hash FROM audit_heads ORDER BY chain", &[], |row| {
        Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<Vec<u8>>(2)?))
    })?;
    Ok(heads.into_iter().map(|(chain, seq, hash)| Anchor { chain, seq, hash: hex(&hash) }).collect())
}

/// Whether the row is there still, as it was. Whether what follows it is whole is for [`super::verify_chains`] to say.
pub fn is_held(tx: &mut Tx<'_>, anchor: &Anchor) -> Result<bool> {
    let sql = "SELECT hash FROM audit_log WHERE chain = ?1 AND seq = ?2";
    let hash: Option<Vec<u8>> = tx.query_opt(sql, &[anchor.chain.as_str().into(), anchor.seq.into()], |row| row.get(0))?;
    Ok(hash.is_some_and(|hash| hex(&hash) == anchor.hash))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How many chains have a head that this installation sealed.
pub(super) fn sealed_heads(tx: &mut Tx<'_>) -> Result<u64> {
    let heads = tx.query("SELECT chain, seq, hash, seal FROM audit_heads", &[], |row| {
        Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<Vec<u8>>(2)?, row.get::<Option<Vec<u8>>>(3)?))
    })?;
    let is_ours = |(chain, seq, hash, seal): &(String, i64, Vec<u8>, Option<Vec<u8>>)| {
        let plain = seal.as_ref().and_then(|seal| tx.sealer().open(&head_context(chain), seal).ok());
        plain.as_deref() == Some(&head_text(*seq, hash))
    };
    Ok(heads.iter().filter(|head| is_ours(head)).count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let anchor = Anchor { chain: "operator".into(), seq: 12, hash: "ab".repeat(32) };
        assert_eq!(anchor.to_string().parse::<Anchor>().unwrap(), anchor);
        for line in ["", "operator 12", "operator x 00", "operator 0 00", "operator 12 zz", &format!("{anchor} more")] {
            assert_eq!(line.parse::<Anchor>().unwrap_err().code(), "invalid_anchor", "{line}");
        }
    }
}
