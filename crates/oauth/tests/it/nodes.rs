//! Two servers over one database.

use std::time::Duration;

use access::people::Role;

use crate::bed::{Bed, text};

/// How soon another server must know.
const SOON: Duration = Duration::from_secs(1);

async fn until(what: &str, is_good: impl AsyncFn() -> bool) {
    testkit::wait::until(what, SOON, || async { (!is_good().await).then_some(()) }).await;
}

testkit::engines! {
    async fn what_one_server_issues_the_other_honours_and_what_one_ends_ends_there(bed: Bed) {
        let other = bed.second().await;
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let code = bed.allowed(&app, &who, "leads:read").await;
        let tokens = other.redeem(&app, &code).await.ok();
        let access = text(&tokens, "access_token");
        assert!(bed.node.is_good(access).await && other.is_good(access).await);
        let next = bed.node.refresh(&app, text(&tokens, "refresh_token")).await.ok();
        assert!(other.is_good(text(&next, "access_token")).await);

        assert_eq!(bed.node.post(&app, "/oauth/revoke", &[("token", access)]).await.status, 200);
        until("the other server refuses the token", async || other.is_good(access).await).await;
        assert!(other.is_good(text(&next, "access_token")).await);
        // The family ends on one server, by a token that was used up; the other refuses all of it.
        assert_eq!(other.refresh(&app, text(&tokens, "refresh_token")).await.error(), (400, "invalid_grant"));
        until("this server refuses the family", async || bed.node.is_good(text(&next, "access_token")).await).await;
        assert_eq!(bed.node.refresh(&app, text(&next, "refresh_token")).await.error(), (400, "invalid_grant"));
    }
}
