//! A request that waits: who may answer it, how often, and how fresh their sign-in must be.

use access::people::Role;
use oauth::requests::{Approval, Denial, Look};

use crate::bed::{Bed, CALLBACK, ISSUER, challenge, parameter, request};

testkit::engines! {
    /// RFC 9700 §4.7: nobody is made to answer a request that is not theirs.
    async fn the_first_person_who_looks_owns_it(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let ada = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let eve = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let (client, challenge) = (app.id.to_string(), challenge());
        let handle = bed.asked(&request(&client, &challenge, "leads:read")).await;
        bed.node.oauth.look(&ada, &bed.signed(), &handle).await.unwrap();
        assert_eq!(bed.node.oauth.look(&eve, &bed.signed(), &handle).await.unwrap_err().code(), "not_found");
        assert_eq!(bed.node.oauth.approve(&eve, &bed.signed(), &handle, Approval::default()).await.unwrap_err().code(), "not_found");
        assert_eq!(bed.node.oauth.deny(Some(&eve), &handle, Denial::AccessDenied).await.unwrap_err().code(), "not_found");
        assert_eq!(bed.node.oauth.deny(None, &handle, Denial::LoginRequired).await.unwrap_err().code(), "not_found");
        bed.node.oauth.approve(&ada, &bed.signed(), &handle, Approval::default()).await.unwrap();
    }

    async fn it_is_answered_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let (client, challenge) = (app.id.to_string(), challenge());
        let handle = bed.asked(&request(&client, &challenge, "leads:read")).await;
        let answer = async || bed.node.oauth.approve(&who, &bed.signed(), &handle, Approval::default()).await;
        let (one, two) = tokio::join!(answer(), answer());
        assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1, "{one:?} {two:?}");
        assert_eq!(bed.node.oauth.pending(&handle).await.unwrap_err().code(), "not_found");
        assert_eq!(bed.count("oauth_codes").await, 1);
        for nonsense in ["", "twq_live_x", "../../etc/passwd", "twc_live_0123456789ab_x"] {
            assert_eq!(bed.node.oauth.pending(nonsense).await.unwrap_err().code(), "not_found");
        }
    }

    async fn a_refusal_tells_the_client(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Viewer).await, &tenant, Role::Viewer);
        let (client, challenge) = (app.id.to_string(), challenge());
        let handle = bed.asked(&request(&client, &challenge, "leads:read")).await;
        let location = bed.node.oauth.deny(Some(&who), &handle, Denial::AccessDenied).await.unwrap();
        assert!(location.starts_with(&format!("{CALLBACK}?")));
        let told = ["error", "state", "iss"].map(|name| parameter(&location, name).unwrap());
        assert_eq!(told, ["access_denied", "s t&=1", ISSUER]);
        assert_eq!(bed.count("oauth_requests").await, 0);
    }

    async fn a_sign_in_is_as_fresh_as_it_is_asked_for(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let (client, challenge) = (app.id.to_string(), challenge());
        let before = bed.signed();
        bed.advance(600);
        let asked = async |name, value| {
            let mut query = request(&client, &challenge, "leads:read");
            query.push((name, value));
            bed.asked(&query).await
        };
        for (name, value) in [("prompt", "login"), ("max_age", "300")] {
            let handle = asked(name, value).await;
            assert!(matches!(bed.node.oauth.look(&who, &before, &handle).await.unwrap(), Look::SignInAgain), "{name}");
            let early = bed.node.oauth.approve(&who, &before, &handle, Approval::default()).await.unwrap_err();
            assert_eq!(early.code(), "reauthentication_required", "{name}: looking is not the only way");
            assert!(matches!(bed.node.oauth.look(&who, &bed.signed(), &handle).await.unwrap(), Look::Ask(_)), "{name}");
        }
        let handle = asked("max_age", "3600").await;
        assert!(matches!(bed.node.oauth.look(&who, &before, &handle).await.unwrap(), Look::Ask(_)));
    }

    async fn a_request_that_asks_nobody_is_refused_in_the_clients_words(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let (client, challenge) = (app.id.to_string(), challenge());
        let mut query = request(&client, &challenge, "leads:read");
        query.push(("prompt", "none"));
        for (denial, error) in [(Denial::LoginRequired, "login_required"), (Denial::AccountSelectionRequired, "account_selection_required")] {
            let handle = bed.asked(&query).await;
            let location = bed.node.oauth.deny(None, &handle, denial).await.unwrap();
            assert_eq!(parameter(&location, "error").unwrap(), error);
        }
    }

    async fn it_waits_for_half_an_hour(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let (client, challenge) = (app.id.to_string(), challenge());
        let handle = bed.asked(&request(&client, &challenge, "leads:read")).await;
        bed.advance(1799);
        bed.node.oauth.pending(&handle).await.unwrap();
        bed.advance(1);
        assert_eq!(bed.node.oauth.look(&who, &bed.signed(), &handle).await.unwrap_err().code(), "not_found");
    }
}
