//! The connectors that are a part of the program: the one list of them.

use std::sync::Arc;

use connectors::{Connector, HubSpot, Salesforce};

/// All of them.
pub fn built_in() -> Vec<Arc<dyn Connector>> {
    vec![Arc::new(Salesforce::default()), Arc::new(HubSpot::default())]
}
