//! What the gate is told of a session's cookie.

use access::people::{PersonRequest, Role, Sessions as _};
use http::{HeaderMap, HeaderValue, header};
use kernel::{Credential, Permission};
use people::sessions::PeopleSessions;

use crate::bed::Bed;

testkit::engines! {
    async fn a_cookie_stands_for_its_person_and_writes_only_with_its_token(bed: Bed) {
        let (mine, other) = (bed.tenant("Acme").await, bed.tenant("Globex").await);
        let user = bed.person("ada@example.com", Some((&mine, Role::Developer))).await;
        let (begun, signed_in) = bed.signed_in("ada@example.com").await;
        let sessions = PeopleSessions(bed.people.clone());
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::try_from(format!("tradewind_session={}", begun.token.reveal())).unwrap());
        let token = sessions.token(&headers).unwrap();
        let ask = |is_safe, csrf, tenant| sessions.person(PersonRequest { token, is_safe, csrf, tenant });
        let principal = ask(true, None, None).await.unwrap();
        assert_eq!(principal.tenant, Some(mine.id), "the only tenant need not be named");
        let default = blueprint::load("insurance-leads").unwrap().default_tier;
        assert_eq!((principal.tier.as_deref(), &*principal.limit_id), (Some(default.as_str()), user.id.to_string().as_str()));
        let caller = principal.caller();
        assert!(matches!(caller.credential(), Credential::User { user: who, operator: false, .. } if *who == user.id));
        assert!(caller.allow(Permission::KeysWrite).is_ok() && caller.allow(Permission::MembersWrite).is_err());
        for csrf in [None, Some("")] {
            assert_eq!(ask(false, csrf, None).await.unwrap_err().code(), "csrf_token_missing");
        }
        for csrf in [Some("x"), Some(token)] {
            assert_eq!(ask(false, csrf, None).await.unwrap_err().code(), "csrf_token_wrong");
        }
        ask(false, Some(signed_in.csrf()), None).await.unwrap();
        let wrong = ask(false, Some("x"), None).await.unwrap_err();
        assert!(wrong.detail().contains("each proof of identity changes it"), "{}", wrong.detail());
        assert_eq!(ask(true, None, Some(other.id)).await.unwrap_err().code(), "not_found");
        bed.people.sign_out(begun.token.reveal()).await.unwrap();
        assert_eq!(ask(true, None, None).await.unwrap_err().code(), "session_over");
    }
}
