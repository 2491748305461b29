//! The connectors that are part of the program.

use std::sync::Arc;

use crate::{Connector, HubSpot, Pipedrive, Salesforce, Zoho};

/// Every built-in connector, in the order of the catalogue. Ids are not used twice.
pub fn built_in() -> Vec<Arc<dyn Connector>> {
    vec![Arc::new(Salesforce::new()), Arc::new(HubSpot::new()), Arc::new(Pipedrive::new()), Arc::new(Zoho::new())]
}
