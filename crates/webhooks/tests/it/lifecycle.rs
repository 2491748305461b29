//! Clients with an address, and what goes with clients and tenants.

use access::clients::ClientInput;
use kernel::{Caller, IdRef, PageRequest};
use serde_json::json;
use testkit::receiver::Receiver;

use crate::bed::{Bed, SOON};

/// A purge and the outcome of a delivery under way may block each other on PostgreSQL: one of them is told 503 and tries again.
async fn patiently(act: impl AsyncFn() -> kernel::Result<()>) {
    testkit::wait::until("the purge", SOON, async || match act().await {
        Ok(()) => Some(()),
        Err(error) if error.kind() == kernel::Kind::Unavailable => None,
        Err(error) => panic!("{error:?}"),
    })
    .await;
}

testkit::engines! {
    /// A client that is made with an address gets everything there; a refused address makes no client.
    async fn an_address_subscribes(bed: Bed) {
        let receiver = Receiver::start();
        let with = |url: &str| ClientInput { name: "Hooked".into(), webhook_url: Some(url.into()), ..ClientInput::default() };
        let client = bed.access.create_client(&bed.caller(), with(&receiver.url("/all"))).await.unwrap().client.id;
        let page = bed.webhooks.list(&bed.caller(), IdRef::Id(client), PageRequest::default()).await.unwrap();
        assert_eq!((page.data.len(), page.data[0].events.as_slice()), (1, &["*".to_owned()][..]));
        assert_eq!(bed.publish("lead.created", json!({})).await.deliveries, 1);
        assert_eq!(receiver.wait_for(1, SOON).await[0].path, "/all");
        let error = bed.access.create_client(&bed.caller(), with("http://169.254.169.254/latest")).await.unwrap_err();
        assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("url_refused", "/webhookUrl"));
    }

    /// A client's webhooks go with it, a tenant's with the tenant; nobody else's.
    async fn they_go_with_their_owners(bed: Bed) {
        let body = json!({"url": "http://127.0.0.1:9/", "events": ["*"]});
        let made = bed.create(body.clone()).await.unwrap();
        bed.webhooks.create(&bed.stranger, IdRef::Id(bed.strange_client), crate::bed::input(body)).await.unwrap();
        patiently(async || bed.access.delete_client(&bed.caller(), IdRef::Id(bed.client)).await).await;
        assert!(bed.webhooks.get(&bed.caller(), made.id.into()).await.is_err());
        assert_eq!(bed.publish("lead.created", json!({})).await.deliveries, 0);
        let theirs = || bed.events.publish(&bed.stranger, crate::bed::event("lead.created", json!({})));
        assert_eq!(theirs().await.unwrap().deliveries, 1);
        let operator = Caller::system("test", None);
        patiently(async || bed.access.delete_tenant(&operator, IdRef::Id(bed.stranger.tenant().unwrap())).await).await;
        assert_eq!(theirs().await.unwrap().deliveries, 0);
        bed.dispatch.drain(SOON).await;
    }
}
