//! How many subscriptions a tenant has on this node: each costs a look at the database whenever something is committed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::{Error, Kind, Result, TenantId};

/// Most subscriptions of one tenant on one node.
const MOST: usize = 200;

/// The subscriptions of all tenants.
#[derive(Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<HashMap<TenantId, usize>>>);

/// One subscription's place; free again when it is dropped.
pub(crate) struct Seat {
    seats: Seats,
    tenant: TenantId,
}

impl Seats {
    /// Takes a place. Error: 429 `too_many_streams`.
    pub(crate) fn sit(&self, tenant: TenantId) -> Result<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(tenant).or_default();
        if *count >= MOST {
            let detail = format!("{MOST} subscriptions of this tenant run already. End one first.");
            return Err(Error::new(Kind::RateLimited, "too_many_streams", detail).retry_after(Duration::from_secs(10)));
        }
        *count += 1;
        Ok(Seat { seats: self.clone(), tenant })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again() {
        let (seats, ambient) = (Seats::default(), kernel::Ambient::system());
        let (one, other): (TenantId, TenantId) = (ambient.id(), ambient.id());
        let mut held: Vec<Seat> = (0..MOST).map(|_| seats.sit(one).unwrap()).collect();
        assert_eq!(seats.sit(one).err().unwrap().code(), "too_many_streams");
        assert!(seats.sit(other).is_ok());
        held.pop();
        assert!(seats.sit(one).is_ok());
        drop(held);
        assert!(seats.0.lock().unwrap().is_empty());
    }
}
