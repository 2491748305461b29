//! Deliveries that were ended by hand while they stood in memory.

use std::sync::Arc;

use kernel::{DeliveryId, DestinationId};

use super::Engine;

impl Engine {
    /// A delivery was cancelled: what is ready is read again from the database, which does not have it any more; a load that is under way
    /// leaves it out. An attempt that has begun goes on, and its outcome changes nothing.
    pub(crate) fn cancelled(self: &Arc<Self>, destination: DestinationId, id: DeliveryId) {
        let Some(lane) = self.known_lane(destination) else { return };
        let mut state = lane.lock();
        if state.loading {
            state.gone.insert(id);
        }
        if state.holds(id) {
            state.forget_ready();
        }
        // What stood behind it, for the sake of order, may go now.
        state.scanned = None;
        state.leave_to_database();
        drop(state);
        self.visit(&lane);
    }
}
