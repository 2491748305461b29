//! What remains of a tenant: nothing.

use kernel::Scope;
use serde_json::json;
use store::{Lifecycle as _, Subject};

use crate::bed::{Bed, lead};

testkit::engines! {
    /// A tenant goes with its records, and with nobody else's; a client and an event take none along.
    async fn a_tenant_goes_with_its_records(bed: Bed) {
        bed.lead("a@example.com", json!({})).await;
        bed.records.create(&bed.stranger(), "lead", lead("a@example.com", json!({}))).await.unwrap();
        let fields = bed.count("record_fields").await;
        for (subject, left) in [(Subject::Client(bed.ambient.id()), 2), (Subject::Tenant, 1)] {
            let (records, tenant) = (bed.records.clone(), bed.tenant);
            bed.store.write(Scope::system("test"), move |tx| records.purge(tx, tenant, &subject)).await.unwrap();
            assert_eq!((bed.count("records").await, bed.count("record_uniques").await), (left, left));
            assert_eq!(bed.count("record_fields").await, fields / 2 * left);
        }
    }
}
