//! The main job, end to end: a service key makes a tenant, a partner's key changes a lead, the change arrives signed.

mod contractor_network;
mod deliveries;
mod insurance_leads;
mod transforms;
