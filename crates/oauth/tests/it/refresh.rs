//! Refresh tokens: used once, and what happens when they are used twice.

use access::people::Role;
use kernel::Scope;
use serde_json::json;

use crate::bed::{Bed, text};

testkit::engines! {
    async fn each_use_gives_the_next_one(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read", "leads:write"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let first = bed.tokens(&app, &who, "leads:read leads:write").await;
        let second = bed.node.refresh(&app, text(&first, "refresh_token")).await.ok();
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        assert_ne!(first["access_token"], second["access_token"]);
        assert!(bed.node.is_good(text(&first, "access_token")).await && bed.node.is_good(text(&second, "access_token")).await);
        bed.node.refresh(&app, text(&second, "refresh_token")).await.ok();
    }

    /// RFC 9700 §4.14.2: one of the two who used it is a thief.
    async fn a_token_that_is_used_twice_ends_its_family(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.public_app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let first = bed.tokens(&app, &who, "leads:read").await;
        let other = bed.tokens(&app, &who, "leads:read").await;
        let second = bed.node.refresh(&app, text(&first, "refresh_token")).await.ok();
        let third = bed.node.refresh(&app, text(&second, "refresh_token")).await.ok();
        for old in [&first, &second] {
            assert_eq!(bed.node.refresh(&app, text(old, "refresh_token")).await.error(), (400, "invalid_grant"));
        }
        for tokens in [&first, &second, &third] {
            assert!(!bed.node.is_good(text(tokens, "access_token")).await);
        }
        assert_eq!(bed.node.refresh(&app, text(&third, "refresh_token")).await.error(), (400, "invalid_grant"));
        assert!(bed.node.is_good(text(&other, "access_token")).await, "another grant goes on");
        bed.node.refresh(&app, text(&other, "refresh_token")).await.ok();
    }

    async fn of_many_uses_at_once_one_wins(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read").await;
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..30 {
            let (node, app, token) = (bed.node.clone(), app.clone(), text(&tokens, "refresh_token").to_owned());
            all.spawn(async move { node.refresh(&app, &token).await.status.as_u16() });
        }
        let statuses = all.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 400].contains(status)));
    }

    async fn a_stranger_cannot_end_a_grant(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let (app, other) = (bed.app(&tenant, &["leads:read"]).await, bed.app(&tenant, &["leads:read"]).await);
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let first = bed.tokens(&app, &who, "leads:read").await;
        let second = bed.node.refresh(&app, text(&first, "refresh_token")).await.ok();
        // Another client shows the used one, and somebody who knows the grant's id makes one up: neither proves to have had it.
        assert_eq!(bed.node.refresh(&other, text(&first, "refresh_token")).await.error(), (400, "invalid_grant"));
        let forged = bed.node.access.renew_handle(access::access_tokens::Handle::RefreshToken, text(&first, "refresh_token").split('_').nth(2).unwrap());
        assert_eq!(bed.node.refresh(&app, forged.text.reveal()).await.error(), (400, "invalid_grant"));
        bed.node.refresh(&app, text(&second, "refresh_token")).await.ok();
    }

    async fn a_refresh_may_narrow_and_never_widens(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read", "leads:write"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read").await;
        let form = |token: &str, scope: &str| vec![("grant_type".to_owned(), "refresh_token".to_owned()), ("refresh_token".to_owned(), token.to_owned()), ("scope".to_owned(), scope.to_owned())];
        let ask = async |token: &str, scope: &str| {
            let form = form(token, scope);
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            bed.node.token(&app, &form).await
        };
        assert_eq!(ask(text(&tokens, "refresh_token"), "leads:read leads:write").await.error(), (400, "invalid_scope"));
        // The refused one was not used up.
        let next = ask(text(&tokens, "refresh_token"), "leads:read").await.ok();

        let both = bed.tokens(&app, &who, "leads:read leads:write").await;
        let less = ask(text(&both, "refresh_token"), "leads:read").await.ok();
        assert_eq!(text(&less, "scope"), "leads:read");
        let all = bed.node.refresh(&app, text(&less, "refresh_token")).await.ok();
        assert_eq!(text(&all, "scope"), "leads:read leads:write", "what was allowed stays allowed");
        assert_eq!(text(&next, "scope"), "leads:read");
    }

    async fn what_is_not_used_ends_and_is_swept(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        bed.set(&tenant, &app, json!({"refreshTokenSeconds": 7200, "accessTokenSeconds": 600})).await.unwrap();
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read").await;
        assert_eq!(tokens["expires_in"], 600);
        bed.advance(7199);
        let next = bed.node.refresh(&app, text(&tokens, "refresh_token")).await.ok();
        bed.advance(7200);
        assert_eq!(bed.node.refresh(&app, text(&next, "refresh_token")).await.error(), (400, "invalid_grant"));
        bed.advance(3600);
        bed.node.oauth.sweep().await.unwrap();
        for table in ["oauth_grants", "oauth_spent_tokens", "oauth_codes", "oauth_requests", "access_tokens"] {
            assert_eq!(bed.count(table).await, 0, "{table}");
        }
    }

    async fn a_grant_lives_for_a_year_at_most(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let mut tokens = bed.tokens(&app, &who, "leads:read").await;
        for _ in 0..17 {
            bed.advance(21 * 86_400);
            tokens = bed.node.refresh(&app, text(&tokens, "refresh_token")).await.ok();
        }
        bed.advance(9 * 86_400);
        assert_eq!(bed.node.refresh(&app, text(&tokens, "refresh_token")).await.error(), (400, "invalid_grant"));
    }

    async fn nothing_is_stored_that_could_be_shown(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read").await;
        for (table, column, token) in [("access_tokens", "hash", "access_token"), ("oauth_grants", "hash", "refresh_token")] {
            let sql = format!("SELECT {column} FROM {table}");
            let stored: Vec<Vec<u8>> = bed.node.store.read(Scope::system("test"), move |tx| tx.query(&sql, &[], |row| row.get(0))).await.unwrap();
            assert_eq!(stored.len(), 1);
            assert_eq!(stored[0].len(), 32);
            assert!(!text(&tokens, token).as_bytes().windows(8).any(|part| stored[0].windows(8).any(|other| part == other)));
        }
    }
}
