//! `tradewind user`: with the server up or down.

use access::people::{OperatorRole, Role};
use people::users::{CreateUser, create_on_command_line, reset_link_on_command_line};

use crate::bed::{Bed, PASSWORD, secret, session, token_of};

testkit::engines! {
    async fn accounts_are_made_with_a_password_or_with_a_link(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let ada = CreateUser { email: "ada@example.com".into(), operator_role: Some(OperatorRole::Admin), ..CreateUser::default() };
        assert!(create_on_command_line(&bed.store, "https://x.example", ada, Some(secret(PASSWORD))).await.unwrap().is_none());
        let (_, signed_in) = bed.signed_in("ada@example.com").await;
        assert_eq!(signed_in.operator, Some(OperatorRole::Admin));
        let ben = CreateUser { email: "ben@example.com".into(), tenant: Some(tenant.id.to_string()), role: Some(Role::Owner), ..CreateUser::default() };
        let link = create_on_command_line(&bed.store, "https://x.example", ben, None).await.unwrap().unwrap();
        assert!(link.reveal().starts_with("https://x.example/portal/reset-password?token="));
        let begun = session(bed.people.reset_password(&token_of(link.reveal()), secret(PASSWORD), &bed.visit()).await.unwrap());
        assert_eq!(bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap().role_in(tenant.id), Some(Role::Owner));
        let weak = CreateUser { email: "eve@example.com".into(), ..CreateUser::default() };
        let refused = create_on_command_line(&bed.store, "https://x.example", weak, Some(secret("password1234"))).await.unwrap_err();
        assert_eq!(refused.code(), "validation_failed");
        let link = reset_link_on_command_line(&bed.store, "https://x.example", "Ben@Example.com").await.unwrap();
        bed.people.reset_password(&token_of(link.reveal()), secret("another harbour, much later"), &bed.visit()).await.unwrap();
        assert!(reset_link_on_command_line(&bed.store, "https://x.example", "nobody@example.com").await.is_err());
    }
}
