//! What may be used up in a month.

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};

/// Most that a quota allows: as many as every JSON library reads exactly, and room above.
const MAX_LIMIT: u64 = 1_000_000_000_000;

/// What may be used up between one refill and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonthlyQuota {
    /// The sum of the costs of requests: 1 to 1,000,000,000,000.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub limit: u64,
    /// The day of the month (1 to 31, UTC) on which it is whole again; in a shorter month its last day. Default: 1.
    #[serde(default = "first")]
    #[schema(minimum = 1, maximum = 31, default = 1)]
    pub refill_day: u8,
}

fn first() -> u8 {
    1
}

impl MonthlyQuota {
    /// Error: 422 `validation_failed` with the place.
    pub(crate) fn check(&self, pointer: &str) -> Result<()> {
        if !(1..=MAX_LIMIT).contains(&self.limit) {
            return Err(Error::field(format!("{pointer}/limit"), format!("must be a whole number from 1 to {MAX_LIMIT}")));
        }
        if !(1..=31).contains(&self.refill_day) {
            return Err(Error::field(format!("{pointer}/refillDay"), "must be a day of a month, 1 to 31"));
        }
        Ok(())
    }
}

impl From<blueprint::model::MonthlyQuota> for MonthlyQuota {
    fn from(declared: blueprint::model::MonthlyQuota) -> Self {
        Self { limit: declared.limit, refill_day: declared.refill_day }
    }
}

impl From<MonthlyQuota> for blueprint::model::MonthlyQuota {
    fn from(quota: MonthlyQuota) -> Self {
        Self { limit: quota.limit, refill_day: quota.refill_day }
    }
}
