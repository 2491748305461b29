//! What people allow is remembered, listed, withdrawn, and ends with their place in the tenant.

use access::people::Role;
use kernel::{Credential, PageRequest};
use oauth::consents::AppFilter;
use oauth::requests::{Approval, Look};
use serde_json::json;

use crate::bed::{Bed, challenge, parameter, request, text};

testkit::engines! {
    async fn what_was_allowed_is_not_asked_again(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read", "leads:write"]).await;
        let user = bed.person(&tenant, Role::Owner).await;
        let who = bed.signed_in(user, &tenant, Role::Owner);
        let (client, challenge) = (app.id.to_string(), challenge());
        let ask = async |scope: &str, more: &[(&str, &str)]| {
            let mut query = request(&client, &challenge, scope);
            query.extend(more);
            let handle = bed.asked(&query).await;
            (bed.node.oauth.look(&who, &bed.signed(), &handle).await.unwrap(), handle)
        };
        let (_, handle) = ask("leads:read", &[]).await;
        bed.node.oauth.approve(&who, &bed.signed(), &handle, Approval { scopes: None, remember: true }).await.unwrap();
        let (Look::Done { location }, _) = ask("leads:read", &[]).await else { panic!("asked again") };
        bed.node.redeem(&app, &parameter(&location, "code").unwrap()).await.ok();
        let (Look::Done { location }, _) = ask("leads:read", &[("prompt", "none")]).await else { panic!("asked again") };
        assert!(parameter(&location, "code").is_some());
        assert!(matches!(ask("leads:read", &[("prompt", "consent")]).await.0, Look::Ask(_)));
        let (Look::Ask(page), _) = ask("leads:read leads:write", &[]).await else { panic!("more is asked for") };
        assert_eq!(page.remembered, ["leads:read"]);
        let (Look::Done { location }, _) = ask("leads:write", &[("prompt", "none")]).await else { panic!() };
        assert_eq!(parameter(&location, "error").unwrap(), "consent_required");

        // Of a public client on a person's machine anybody may say that it is the one: the person is asked every time (RFC 8252 §8.6).
        let input = json!({"name": "Cli", "redirectUris": ["http://127.0.0.1/cb"], "scopes": ["leads:read"], "confidential": false});
        let local = bed.make(&tenant, input).await.id.to_string();
        let mut query = request(&local, &challenge, "leads:read");
        query.retain(|(name, _)| *name != "redirect_uri");
        query.push(("redirect_uri", "http://127.0.0.1:51004/cb"));
        for _ in 0..2 {
            let handle = bed.asked(&query).await;
            assert!(matches!(bed.node.oauth.look(&who, &bed.signed(), &handle).await.unwrap(), Look::Ask(_)));
            bed.node.oauth.approve(&who, &bed.signed(), &handle, Approval { scopes: None, remember: true }).await.unwrap();
        }
        query.push(("prompt", "none"));
        let handle = bed.asked(&query).await;
        let Look::Done { location } = bed.node.oauth.look(&who, &bed.signed(), &handle).await.unwrap() else { panic!() };
        assert_eq!(parameter(&location, "error").unwrap(), "consent_required");
    }

    async fn a_person_lists_and_withdraws_their_own(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let (ada, eve) = (bed.person(&tenant, Role::Developer).await, bed.person(&tenant, Role::Viewer).await);
        let (who, other) = (bed.signed_in(ada, &tenant, Role::Developer), bed.signed_in(eve, &tenant, Role::Viewer));
        let (client, challenge) = (app.id.to_string(), challenge());
        let handle = bed.asked(&request(&client, &challenge, "leads:read")).await;
        let approval = Approval { scopes: None, remember: true };
        let location = bed.node.oauth.approve(&who, &bed.signed(), &handle, approval).await.unwrap();
        let tokens = bed.node.redeem(&app, &parameter(&location, "code").unwrap()).await.ok();

        let list = async |who| bed.node.oauth.list_consents(who, &AppFilter::default(), PageRequest::default()).await;
        let own = list(&who).await.unwrap().data;
        assert_eq!((own.len(), own[0].client_name.as_str(), own[0].publisher.as_str(), own[0].user_id), (1, "Sync", "Acme", ada));
        assert!(own[0].last_used_at.is_some() && own[0].scopes[0].name == "leads:read");
        assert!(list(&other).await.unwrap().data.is_empty());
        assert_eq!(bed.node.oauth.withdraw_consent(&other, own[0].id).await.unwrap_err().code(), "not_found");
        let stranger = bed.tenant("Other").await;
        assert_eq!(bed.node.oauth.withdraw_consent(&bed.acting(&stranger), own[0].id).await.unwrap_err().code(), "not_found");

        assert!(bed.node.is_good(text(&tokens, "access_token")).await);
        bed.node.oauth.withdraw_consent(&who, own[0].id).await.unwrap();
        assert!(!bed.node.is_good(text(&tokens, "access_token")).await);
        assert_eq!(bed.node.refresh(&app, text(&tokens, "refresh_token")).await.error(), (400, "invalid_grant"));
        assert!(list(&who).await.unwrap().data.is_empty());
        assert_eq!(bed.audited().await, ["consent.give", "grant.create", "grant.revoke", "consent.withdraw"]);
    }

    async fn what_was_not_remembered_is_listed_and_withdrawn_as_well(bed: Bed) {
        let (tenant, elsewhere) = (bed.tenant("Acme").await, bed.tenant("Globex").await);
        let (app, other_app) = (bed.app(&tenant, &["leads:read", "leads:write"]).await, bed.app(&tenant, &["leads:read"]).await);
        let (ada, eve) = (bed.person(&tenant, Role::Owner).await, bed.person(&tenant, Role::Viewer).await);
        let (who, other) = (bed.signed_in(ada, &tenant, Role::Owner), bed.signed_in(eve, &tenant, Role::Viewer));
        let first = bed.tokens(&app, &who, "leads:read").await;
        bed.advance(1);
        let second = bed.tokens(&app, &who, "leads:write leads:read").await;
        bed.advance(1);
        let (kept, foreign) = (bed.tokens(&other_app, &who, "leads:read").await, bed.tokens(&app, &other, "leads:read").await);

        let ask = async |who, everyone| {
            let filter = AppFilter { everyone: Some(everyone) };
            bed.node.oauth.list_consents(who, &filter, PageRequest::default()).await
        };
        let own = ask(&who, false).await.unwrap().data;
        assert_eq!(own.iter().map(|one| one.client_id).collect::<Vec<_>>(), [other_app.id, app.id], "newest first, one row per application");
        let row = &own[1];
        let names: Vec<&str> = row.scopes.iter().map(|scope| scope.name.as_str()).collect();
        assert_eq!((row.remembered, names, row.user_id, row.tenant_id), (false, vec!["leads:read", "leads:write"], ada, tenant.id));
        assert!(row.id.to_string().starts_with("grt_") && row.created_at < row.updated_at && row.last_used_at == Some(row.updated_at));
        assert_eq!(ask(&who, true).await.unwrap().data.len(), 3, "everybody's");
        assert_eq!(ask(&other, false).await.unwrap().data.len(), 1);
        let stranger = bed.signed_in(bed.person(&elsewhere, Role::Owner).await, &elsewhere, Role::Owner);
        assert!(ask(&stranger, true).await.unwrap().data.is_empty());

        for wrong in [&other, &stranger] {
            assert_eq!(bed.node.oauth.withdraw_consent(wrong, row.id).await.unwrap_err().code(), "not_found");
        }
        bed.node.oauth.withdraw_consent(&who, row.id).await.unwrap();
        for tokens in [&first, &second] {
            assert!(!bed.node.is_good(text(tokens, "access_token")).await);
            assert_eq!(bed.node.refresh(&app, text(tokens, "refresh_token")).await.error(), (400, "invalid_grant"));
        }
        for tokens in [&kept, &foreign] {
            assert!(bed.node.is_good(text(tokens, "access_token")).await, "another application's and another person's stay");
        }
        assert_eq!(ask(&who, false).await.unwrap().data.len(), 1);
        assert_eq!(bed.node.oauth.withdraw_consent(&who, row.id).await.unwrap_err().code(), "not_found", "it is withdrawn once");
        assert_eq!(bed.audited().await.iter().filter(|act| *act == "consent.withdraw").count(), 1);
    }

    async fn what_is_remembered_and_what_is_not_is_one_application(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read", "leads:write"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let list = async |page| bed.node.oauth.list_consents(&who, &AppFilter::default(), page).await.unwrap();
        let only = async || {
            let mut apps = list(PageRequest::default()).await.data;
            assert_eq!(apps.len(), 1);
            apps.pop().unwrap()
        };
        let wide = bed.tokens(&app, &who, "leads:write").await;
        let by_grant = only().await.id;
        let (client, challenge) = (app.id.to_string(), challenge());
        let handle = bed.asked(&request(&client, &challenge, "leads:read")).await;
        let approval = Approval { scopes: None, remember: true };
        let location = bed.node.oauth.approve(&who, &bed.signed(), &handle, approval).await.unwrap();
        let row = only().await;
        let names: Vec<&str> = row.scopes.iter().map(|scope| scope.name.as_str()).collect();
        assert_eq!((row.remembered, names), (true, vec!["leads:read", "leads:write"]), "a token may more than what is remembered");

        // By the id of before, from a page that somebody has open; what was remembered goes along, and a code that nobody fetched tokens for.
        bed.node.oauth.withdraw_consent(&who, by_grant).await.unwrap();
        assert!(!bed.node.is_good(text(&wide, "access_token")).await);
        assert_eq!(bed.node.redeem(&app, &parameter(&location, "code").unwrap()).await.error(), (400, "invalid_grant"));
        assert!(list(PageRequest::default()).await.data.is_empty());
        assert_eq!(bed.count("oauth_consents").await, 0);

        // Pages go on where the one before ended, whichever sort a row is of.
        let mut apps = Vec::new();
        for n in 0..5 {
            let app = bed.app(&tenant, &["leads:read"]).await;
            bed.advance(1);
            let client = app.id.to_string();
            let handle = bed.asked(&request(&client, &challenge, "leads:read")).await;
            let approval = Approval { scopes: None, remember: n % 2 == 0 };
            let location = bed.node.oauth.approve(&who, &bed.signed(), &handle, approval).await.unwrap();
            bed.node.redeem(&app, &parameter(&location, "code").unwrap()).await.ok();
            apps.insert(0, app.id);
        }
        let (mut seen, mut request) = (Vec::new(), PageRequest { limit: 2, ..PageRequest::default() });
        loop {
            let page = list(request.clone()).await;
            seen.extend(page.data.iter().map(|one| one.client_id));
            let Some(next) = page.pagination.next_cursor else { break };
            request.cursor = Some(kernel::Cursor::decode(&next).unwrap());
        }
        assert_eq!(seen, apps);

        // What lives no more is no application's any more, but what is remembered is.
        bed.advance(366 * 86_400);
        assert_eq!(list(PageRequest::default()).await.data.len(), 3);
    }

    async fn no_token_lives_longer_than_what_can_be_withdrawn(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        bed.set(&tenant, &app, json!({"refreshTokenSeconds": 7200, "accessTokenSeconds": 86_400})).await.unwrap();
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read").await;
        let next = bed.node.refresh(&app, text(&tokens, "refresh_token")).await.ok();
        assert_eq!((&tokens["expires_in"], &next["expires_in"]), (&json!(7200), &json!(7200)));
        bed.advance(7199);
        assert_eq!(bed.node.oauth.list_consents(&who, &AppFilter::default(), PageRequest::default()).await.unwrap().data.len(), 1);
        assert!(bed.node.is_good(text(&next, "access_token")).await);
        bed.advance(2);
        assert!(bed.node.oauth.list_consents(&who, &AppFilter::default(), PageRequest::default()).await.unwrap().data.is_empty());
        assert!(!bed.node.is_good(text(&next, "access_token")).await);
    }

    /// RFC 9700 has no word for it, the issue has: an app of one tenant gets another's data by that tenant's people only.
    async fn an_app_of_one_tenant_is_granted_anothers_data_by_its_people_only(bed: Bed) {
        let (maker, tenant) = (bed.tenant("Maker").await, bed.tenant("Acme").await);
        let app = bed.app(&maker, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read").await;
        let holder = bed.node.holder(text(&tokens, "access_token")).await.unwrap();
        assert_eq!((holder.tenant, holder.client), (Some(tenant.id), Some(app.id)));
        assert_eq!(holder.caller().acting_for(Some(maker.id)).unwrap_err().code(), "not_found");

        // A person of the maker's, however mighty there, grants the maker's data and no other.
        let insider = bed.signed_in(bed.person(&maker, Role::Owner).await, &maker, Role::Owner);
        assert_eq!(insider.acting_for(Some(tenant.id)).unwrap_err().code(), "not_found");
        let own = bed.tokens(&app, &insider, "leads:read").await;
        assert_eq!(bed.node.holder(text(&own, "access_token")).await.unwrap().tenant, Some(maker.id));

        // No key, no service key and no system consents for a person.
        let (client, challenge) = (app.id.to_string(), challenge());
        let handle = bed.asked(&request(&client, &challenge, "leads:read")).await;
        let machine = bed.acting(&tenant);
        assert_eq!(bed.node.oauth.approve(&machine, &bed.signed(), &handle, Approval::default()).await.unwrap_err().code(), "people_only");

        bed.set(&maker, &app, json!({"audience": "own"})).await.unwrap();
        let refused = bed.node.oauth.approve(&who, &bed.signed(), &handle, Approval::default()).await.unwrap_err();
        assert_eq!(refused.code(), "access_denied");
        let Look::Done { location } = bed.node.oauth.look(&who, &bed.signed(), &handle).await.unwrap() else { panic!() };
        assert_eq!(parameter(&location, "error").unwrap(), "access_denied");
    }

    async fn a_token_is_worth_what_its_person_may_today(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read", "leads:write"]).await;
        let user = bed.person(&tenant, Role::Owner).await;
        let who = bed.signed_in(user, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read leads:write").await;
        let token = text(&tokens, "access_token");
        assert_eq!(bed.node.holder(token).await.unwrap().scopes.len(), 2);
        bed.member(user, "UPDATE memberships SET role = 'viewer' WHERE user_id = ?1").await;
        assert_eq!(bed.node.holder(token).await.unwrap().scopes.to_vec(), ["leads:read"]);
        bed.member(user, "UPDATE users SET status = 'suspended' WHERE id = ?1").await;
        assert!(!bed.node.is_good(token).await);
        bed.member(user, "UPDATE users SET status = 'active' WHERE id = ?1").await;
        assert!(bed.node.is_good(token).await);
        bed.member(user, "DELETE FROM memberships WHERE user_id = ?1").await;
        assert!(!bed.node.is_good(token).await);
        let credential = bed.node.access.examine(token, None).await.unwrap().unwrap().principal.credential.clone();
        assert_eq!(credential, Credential::OAuthToken { client: app.id, user: Some(user) });
    }

    async fn a_member_who_left_left_nothing(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let user = bed.person(&tenant, Role::Owner).await;
        let who = bed.signed_in(user, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read").await;
        let code = bed.allowed(&app, &who, "leads:read").await;
        let id = tenant.id;
        let left = bed.node.store.write(kernel::TenantScope::system("test", id), move |tx| oauth::Oauth::lifecycle().member_left(tx, id, user));
        left.await.unwrap();
        assert!(!bed.node.is_good(text(&tokens, "access_token")).await, "not even after a return");
        assert_eq!(bed.node.redeem(&app, &code).await.error(), (400, "invalid_grant"));
        assert_eq!(bed.node.refresh(&app, text(&tokens, "refresh_token")).await.error(), (400, "invalid_grant"));
        assert_eq!((bed.count("oauth_consents").await, bed.count("access_tokens").await), (0, 0));
    }

    async fn what_other_tenants_allowed_ends_with_the_application(bed: Bed) {
        let (maker, tenant, third) = (bed.tenant("Maker").await, bed.tenant("Acme").await, bed.tenant("Globex").await);
        let (app, kept) = (bed.app(&maker, &["leads:read"]).await, bed.app(&maker, &["leads:read"]).await);
        let mut tokens = Vec::new();
        for place in [&maker, &tenant, &third] {
            let who = bed.signed_in(bed.person(place, Role::Owner).await, place, Role::Owner);
            let (client, challenge) = (app.id.to_string(), challenge());
            let handle = bed.asked(&request(&client, &challenge, "leads:read")).await;
            let approval = Approval { scopes: None, remember: true };
            let location = bed.node.oauth.approve(&who, &bed.signed(), &handle, approval).await.unwrap();
            tokens.push(bed.node.redeem(&app, &parameter(&location, "code").unwrap()).await.ok());
        }
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let other = bed.tokens(&kept, &who, "leads:read").await;
        assert_eq!(bed.node.oauth.end_orphans().await.unwrap(), 0, "everything has its application");
        bed.node.access.delete_client(&bed.acting(&maker), kernel::IdRef::Id(app.id)).await.unwrap();
        assert_eq!(bed.count("oauth_consents").await, 2, "the maker's own transaction does not reach the others'");
        assert_eq!(bed.node.oauth.end_orphans().await.unwrap(), 2);
        for table in ["oauth_consents", "oauth_codes"] {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE client_id = ?1");
            let id = app.id;
            let left: i64 = bed.node.store.read(kernel::Scope::system("test"), move |tx| tx.query_one(&sql, &[id.into()], |row| row.get(0))).await.unwrap();
            assert_eq!(left, 0, "{table}");
        }
        for tokens in &tokens {
            assert!(!bed.node.is_good(text(tokens, "access_token")).await);
        }
        assert!(bed.node.is_good(text(&other, "access_token")).await, "another application's stay");
        assert_eq!(bed.audited().await.iter().filter(|act| *act == "consent.end").count(), 2);
        assert_eq!(bed.node.oauth.end_orphans().await.unwrap(), 0);
    }

    async fn a_tenant_that_goes_takes_its_rows_along(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read").await;
        bed.node.refresh(&app, text(&tokens, "refresh_token")).await.ok();
        let (client, challenge) = (app.id.to_string(), challenge());
        let handle = bed.asked(&request(&client, &challenge, "leads:read")).await;
        bed.node.oauth.approve(&who, &bed.signed(), &handle, Approval { scopes: None, remember: true }).await.unwrap();
        bed.set(&tenant, &app, json!({"audience": "own"})).await.unwrap();
        bed.node.access.delete_tenant(&bed.operator(), kernel::IdRef::Id(tenant.id)).await.unwrap();
        for table in ["oauth_clients", "oauth_codes", "oauth_consents", "oauth_grants", "oauth_spent_tokens", "access_tokens"] {
            assert_eq!(bed.count(table).await, 0, "{table}");
        }
    }
}
