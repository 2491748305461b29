//! Rows of tokens whose time is over go.

use kernel::{Result, Timestamp};
use store::Tx;

use super::sql;

/// Most rows in one step.
const STEP: u32 = 500;

/// Removes tokens that ended before `before`, a few at a time; answers whether there may be more. Runs under a system scope.
pub fn lapse(tx: &mut Tx<'_>, before: Timestamp) -> Result<bool> {
    Ok(sql::delete_ended(tx, before, STEP)? == u64::from(STEP))
}
