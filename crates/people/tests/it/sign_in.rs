//! By password, and the first start.

use access::people::{OperatorRole, Role, UserStatus};
use kernel::Scope;
use people::users::UpdateUser;
use people::{Method, SetUp};

use crate::bed::{Bed, PASSWORD, secret, session, token_of};

testkit::engines! {
    async fn the_first_start_has_a_link_and_no_password(bed: Bed) {
        assert!(bed.people.needs_set_up().await.unwrap());
        let first = people::sign_in::set_up_link(&bed.store, "https://api.example.com").await.unwrap().unwrap();
        assert!(first.reveal().starts_with("https://api.example.com/portal/set-up?token="), "{}", first.reveal());
        // A second start makes another; the one before is over.
        bed.advance(std::time::Duration::from_secs(300));
        let link = people::sign_in::set_up_link(&bed.store, "https://api.example.com").await.unwrap().unwrap();
        let set_up = |password: &str| SetUp { email: " Ada@Example.com ".into(), name: "Ada".into(), password: secret(password) };
        let refused = bed.people.set_up(&token_of(first.reveal()), set_up(PASSWORD), &bed.visit()).await;
        assert_eq!(refused.unwrap_err().code(), "link_over");
        let token = token_of(link.reveal());
        // A bad password does not use the link up.
        let weak = bed.people.set_up(&token, set_up("password1234"), &bed.visit()).await.unwrap_err();
        assert_eq!((weak.code(), weak.fields()[0].pointer.as_str()), ("validation_failed", "/password"));
        let begun = bed.people.set_up(&token, set_up(PASSWORD), &bed.visit()).await.unwrap();
        let signed_in = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!((signed_in.email.as_str(), signed_in.operator), ("ada@example.com", Some(OperatorRole::Admin)));
        assert!(signed_in.caller(None, bed.visit().info()).unwrap().operate().is_ok());
        assert_eq!(bed.people.set_up(&token, set_up(PASSWORD), &bed.visit()).await.unwrap_err().code(), "link_over");
        assert!(people::sign_in::set_up_link(&bed.store, "https://api.example.com").await.unwrap().is_none());
        assert!(!bed.people.needs_set_up().await.unwrap());
    }

    async fn the_set_up_link_is_over_once_anybody_has_an_account(bed: Bed) {
        let link = people::sign_in::set_up_link(&bed.store, "https://api.example.com").await.unwrap().unwrap();
        let token = token_of(link.reveal());
        assert_eq!(bed.people.peek_link(&token).await.unwrap().purpose, people::Purpose::SetUp);
        // Not by the link: by the command line, or an invitation.
        bed.person("ada@example.com", None).await;
        assert_eq!(bed.people.peek_link(&token).await.unwrap_err().code(), "link_over", "what the page asks before it shows the form");
        let late = SetUp { email: "eve@example.com".into(), name: String::new(), password: secret(PASSWORD) };
        assert_eq!(bed.people.set_up(&token, late, &bed.visit()).await.unwrap_err().code(), "link_over");
    }

    async fn of_many_who_set_up_at_once_one_does(bed: Bed) {
        let link = people::sign_in::set_up_link(&bed.store, "https://api.example.com").await.unwrap().unwrap();
        let token = token_of(link.reveal());
        let tries = (0..8).map(|n| {
            let (people, token, visit) = (bed.people.clone(), token.clone(), bed.visit());
            let set_up = SetUp { email: format!("p{n}@example.com"), name: String::new(), password: secret(PASSWORD) };
            tokio::spawn(async move { people.set_up(&token, set_up, &visit).await.is_ok() })
        });
        let mut won = 0;
        for one in tries.collect::<Vec<_>>() {
            won += u32::from(one.await.unwrap());
        }
        assert_eq!((won, bed.count("users").await, bed.count("sessions").await), (1, 1, 1));
    }

    async fn the_right_password_signs_in_and_everything_else_gets_one_answer(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let user = bed.person("ada@example.com", Some((&tenant, Role::Developer))).await;
        let outcome = bed.people.sign_in_with_password("ADA@example.com ", secret(PASSWORD), &bed.visit()).await.unwrap();
        let begun = session(outcome);
        let signed_in = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!((signed_in.user, signed_in.methods.as_slice()), (user.id, &[Method::Password][..]));
        assert_eq!((signed_in.role_in(tenant.id), signed_in.operator, signed_in.bound_tenant), (Some(Role::Developer), None, None));
        let texts = [("ada@example.com", "another password"), ("nobody@example.com", PASSWORD), ("", ""), ("ada@example.com", ""), ("\u{0}", "x")];
        let mut answers = Vec::new();
        for (email, password) in texts {
            let refused = bed.people.sign_in_with_password(email, secret(password), &bed.visit()).await.unwrap_err();
            answers.push((refused.kind(), refused.code(), refused.detail().to_owned()));
        }
        assert_eq!(answers[0].1, "sign_in_failed");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert!(bed.audit_actions().await.iter().any(|action| action == "session.create"));
    }

    async fn only_who_shows_the_password_is_told_of_a_suspension(bed: Bed) {
        let user = bed.person("ada@example.com", None).await;
        let (begun, _) = bed.signed_in("ada@example.com").await;
        let suspend = UpdateUser { status: Some(UserStatus::Suspended), ..UpdateUser::default() };
        bed.people.update_user(&bed.operator(), user.id, suspend).await.unwrap();
        assert!(!bed.is_signed_in(&begun.token).await, "the session is over at once");
        let with = async |password| bed.people.sign_in_with_password("ada@example.com", secret(password), &bed.visit()).await;
        assert_eq!(with("wrong").await.unwrap_err().code(), "sign_in_failed");
        assert_eq!(with(PASSWORD).await.unwrap_err().code(), "user_suspended");
    }

    async fn nothing_that_was_shown_is_stored(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (begun, _) = bed.signed_in("ada@example.com").await;
        let (_, codes) = bed.authenticator("ada@example.com").await;
        bed.people.send_password_reset("ada@example.com", &bed.visit()).await.unwrap();
        let link = bed.mailed_token("ada@example.com", 1).await;
        let shown = [PASSWORD.to_owned(), begun.token.reveal().clone(), codes[0].clone(), link];
        for table in ["sign_in_methods", "recovery_codes", "sessions", "one_time_links", "audit_log", "sign_in_failures"] {
            let sql = if bed.engine.database_url().is_some() {
                format!("SELECT CAST(t AS TEXT) FROM {table} t")
            } else {
                let columns = columns(&bed, table).await;
                format!("SELECT {} FROM {table}", columns.iter().map(|c| format!("COALESCE(CAST({c} AS TEXT), '')")).collect::<Vec<_>>().join(" || '|' || "))
            };
            let read = bed.store.read(Scope::system("test"), move |tx| tx.query(&sql, &[], |row| row.get::<String>(0)));
            for row in read.await.unwrap() {
                assert!(shown.iter().all(|secret| !row.contains(secret.as_str())), "{table}: {row}");
            }
        }
    }
}

async fn columns(bed: &Bed, table: &str) -> Vec<String> {
    let sql = format!("SELECT name FROM pragma_table_info('{table}') WHERE type <> 'BYTEA'");
    bed.store.read(Scope::system("test"), move |tx| tx.query(&sql, &[], |row| row.get(0))).await.unwrap()
}
