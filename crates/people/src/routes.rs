//! The whole HTTP surface of this feature, but for the pages, which are `portal`'s.

use std::sync::Arc;

use kernel::Permission::{MembersRead, MembersWrite};
use web::Access::{AnyCredential, Operator, Permission, Public};
use web::{Api, Endpoint};

use access::people::User;

use crate::identities::IdentityList;
use crate::invitations::{CreateInvitation, Invitation, InvitationWithUrl};
use crate::me::{ChangePassword, Me, Renewed, Security, ShowProof, UpdateProfile};
use crate::members::{AddMember, Member, UpdateMember};
use crate::passkeys::{AddPasskey, CreationOptions, Passkey, PasskeyList, RenamePasskey, RequestOptions};
use crate::portal_sessions::{CreatePortalSession, PortalSessionUrl};
use crate::sessions::SessionList;
use crate::sign_in::{PasskeySignIn, PasskeySignInOptions, SignedInSession};
use crate::totp::{ConfirmTotp, EnrolmentBody, RecoveryCodes};
use crate::users::{CreateUser, MembershipList, ResetLink, UpdateUser, UserSessions};
use crate::{People, identities, invitations, me, members, passkeys, portal_sessions, sessions, sign_in, totp, users};

const USERS: &str = "/api/v1/users";
const USER: &str = "/api/v1/users/{id}";
const USER_MEMBERSHIPS: &str = "/api/v1/users/{id}/memberships";
const USER_SESSIONS: &str = "/api/v1/users/{id}/sessions";
const USER_RESET: &str = "/api/v1/users/{id}/reset-link";
const MEMBERS: &str = "/api/v1/members";
const MEMBER: &str = "/api/v1/members/{userId}";
const INVITATIONS: &str = "/api/v1/invitations";
const INVITATION: &str = "/api/v1/invitations/{id}";
const INVITATION_RESEND: &str = "/api/v1/invitations/{id}/resend";
const PORTAL_SESSIONS: &str = "/api/v1/portal-sessions";
const ME: &str = "/api/v1/me";
const MY_SESSIONS: &str = "/api/v1/me/sessions";
const MY_SESSION: &str = "/api/v1/me/sessions/{id}";
const MY_SECURITY: &str = "/api/v1/me/security";
const MY_PASSWORD: &str = "/api/v1/me/password";
const MY_TOTP: &str = "/api/v1/me/totp";
const MY_TOTP_CONFIRM: &str = "/api/v1/me/totp/confirm";
const MY_CODES: &str = "/api/v1/me/recovery-codes";
const MY_PROOF: &str = "/api/v1/me/reauthenticate";
const MY_PROOF_OPTIONS: &str = "/api/v1/me/reauthenticate/options";
const MY_PASSKEYS: &str = "/api/v1/me/passkeys";
const MY_PASSKEY: &str = "/api/v1/me/passkeys/{id}";
const MY_PASSKEY_OPTIONS: &str = "/api/v1/me/passkeys/options";
const MY_IDENTITIES: &str = "/api/v1/me/identities";
const MY_IDENTITY: &str = "/api/v1/me/identities/{provider}";
const PASSKEY_SIGN_IN: &str = "/api/v1/sign-in/passkey";
const PASSKEY_SIGN_IN_OPTIONS: &str = "/api/v1/sign-in/passkey/options";

const USER_FILTER: &[(&str, &str)] = &[
    ("status", "Only active or suspended ones"),
    ("operatorRole", "Only these of the operator's people: admin or support"),
    ("search", "Part of the address or name"),
];

#[rustfmt::skip]
pub(crate) fn routes(people: &Arc<People>) -> Api {
    let s = || Arc::clone(people);
    Api::new()
        .route(user(Endpoint::post(USERS, "users.create"), "Make an account").body::<CreateUser>().answers::<User>(201), users::create, s())
        .route(user(Endpoint::get(USERS, "users.list"), "List everybody who may sign in").query(USER_FILTER).paged().answers_page::<User>(), users::list, s())
        .route(user(Endpoint::get(USER, "users.get"), "Read an account").answers::<User>(200), users::get, s())
        .route(user(Endpoint::patch(USER, "users.update"), "Change an account: address, name, suspension, operator's role").body::<UpdateUser>().answers::<User>(200), users::update, s())
        .route(user(Endpoint::delete(USER, "users.delete"), "Remove an account from everywhere").answers_nothing(), users::delete, s())
        .route(user(Endpoint::get(USER_MEMBERSHIPS, "users.memberships"), "List somebody's tenants").answers::<MembershipList>(200), users::memberships, s())
        .route(user(Endpoint::get(USER_SESSIONS, "users.sessions"), "List somebody's sessions").answers::<UserSessions>(200), users::sessions, s())
        .route(user(Endpoint::delete(USER_SESSIONS, "users.end_sessions"), "Sign somebody out everywhere").answers_nothing(), users::end_sessions, s())
        .route(user(Endpoint::post(USER_RESET, "users.reset_link"), "Make a link by which somebody chooses a password").idempotent(false).answers::<ResetLink>(200), users::reset_link, s())

        .route(member(Endpoint::get(MEMBERS, "members.list"), "List the members of the tenant").paged().answers_page::<Member>(), members::list, s())
        .route(Endpoint::post(MEMBERS, "members.create").tag("Members").summary("Make somebody a member without asking").needs(Operator).body::<AddMember>().answers::<Member>(201), members::add, s())
        .route(member(Endpoint::get(MEMBER, "members.get"), "Read a member").answers::<Member>(200), members::get, s())
        .route(change(Endpoint::patch(MEMBER, "members.update"), "Change a member's role").body::<UpdateMember>().answers::<Member>(200), members::update, s())
        .route(change(Endpoint::delete(MEMBER, "members.delete"), "Take a member out of the tenant").answers_nothing(), members::remove, s())
        .route(change(Endpoint::post(INVITATIONS, "invitations.create"), "Invite somebody into the tenant").body::<CreateInvitation>().answers::<InvitationWithUrl>(201), invitations::create, s())
        .route(member(Endpoint::get(INVITATIONS, "invitations.list"), "List the invitations").paged().answers_page::<Invitation>(), invitations::list, s())
        .route(member(Endpoint::get(INVITATION, "invitations.get"), "Read an invitation").answers::<Invitation>(200), invitations::get, s())
        .route(change(Endpoint::delete(INVITATION, "invitations.revoke"), "Take an invitation back").answers_nothing(), invitations::revoke, s())
        .route(change(Endpoint::post(INVITATION_RESEND, "invitations.resend"), "Send an invitation again, with a new link").idempotent(false).answers::<InvitationWithUrl>(200), invitations::resend, s())
        .route(Endpoint::post(PORTAL_SESSIONS, "portal_sessions.create").tag("People").summary("Make a link that signs a person into the portal").needs(AnyCredential).body::<CreatePortalSession>().answers::<PortalSessionUrl>(201), portal_sessions::create, s())

        .route(own(Endpoint::get(ME, "me.get"), "Who is signed in, with the token that writing calls repeat").answers::<Me>(200), me::get, s())
        .route(own(Endpoint::patch(ME, "me.update"), "Change one's own name and language").body::<UpdateProfile>().answers::<User>(200), me::update, s())
        .route(own(Endpoint::get(MY_SESSIONS, "me.sessions"), "List one's own sessions").answers::<SessionList>(200), sessions::list, s())
        .route(own(Endpoint::delete(MY_SESSIONS, "me.end_other_sessions"), "End all of one's sessions but this one").answers_nothing(), sessions::revoke_others, s())
        .route(own(Endpoint::delete(MY_SESSION, "me.end_session"), "End one of one's sessions").answers_nothing(), sessions::revoke, s())
        .route(own(Endpoint::get(MY_SECURITY, "me.security"), "How one signs in").answers::<Security>(200), me::security, s())
        .route(own(Endpoint::put(MY_PASSWORD, "me.change_password"), "Change one's own password").idempotent(false).body::<ChangePassword>().answers::<Renewed>(200), me::change_password, s())
        .route(own(Endpoint::post(MY_PROOF, "me.reauthenticate"), "Prove anew who one is, before something dangerous").idempotent(false).body::<ShowProof>().answers::<Renewed>(200), me::reauthenticate, s())
        .route(own(Endpoint::post(MY_TOTP, "me.begin_totp"), "Begin to set up an authenticator").idempotent(false).answers::<EnrolmentBody>(200), totp::begin, s())
        .route(own(Endpoint::post(MY_TOTP_CONFIRM, "me.confirm_totp"), "Confirm the authenticator by its first code").idempotent(false).body::<ConfirmTotp>().answers::<RecoveryCodes>(200), totp::confirm, s())
        .route(own(Endpoint::delete(MY_TOTP, "me.disable_totp"), "Remove the authenticator").answers_nothing(), totp::disable, s())
        .route(own(Endpoint::post(MY_CODES, "me.renew_recovery_codes"), "Make new recovery codes").idempotent(false).answers::<RecoveryCodes>(200), totp::renew_codes, s())
        .merge(passkey_routes(people))
}

#[rustfmt::skip]
fn passkey_routes(people: &Arc<People>) -> Api {
    let s = || Arc::clone(people);
    Api::new()
        .route(own(Endpoint::get(MY_PASSKEYS, "passkeys.list"), "List one's own passkeys").answers::<PasskeyList>(200), passkeys::list, s())
        .route(own(Endpoint::post(MY_PASSKEY_OPTIONS, "passkeys.options"), "What the browser is asked for, to make a passkey").idempotent(false).answers::<CreationOptions>(200), passkeys::add_options, s())
        .route(own(Endpoint::post(MY_PASSKEYS, "passkeys.create"), "Keep the passkey that the browser made").idempotent(false).body::<AddPasskey>().answers::<Passkey>(201), passkeys::add, s())
        .route(own(Endpoint::patch(MY_PASSKEY, "passkeys.update"), "Give a passkey another name").body::<RenamePasskey>().answers::<Passkey>(200), passkeys::rename, s())
        .route(own(Endpoint::delete(MY_PASSKEY, "passkeys.delete"), "Remove a passkey").answers_nothing(), passkeys::remove, s())
        .route(own(Endpoint::post(MY_PROOF_OPTIONS, "me.proof_options"), "What the browser is asked for, to prove anew who one is by a passkey").idempotent(false).answers::<RequestOptions>(200), me::proof_options, s())
        .route(own(Endpoint::get(MY_IDENTITIES, "identities.list"), "List one's own accounts at other providers").answers::<IdentityList>(200), identities::list, s())
        .route(own(Endpoint::delete(MY_IDENTITY, "identities.delete"), "Cut the tie to an account at another provider").answers_nothing(), identities::remove, s())
        .route(door(Endpoint::post(PASSKEY_SIGN_IN_OPTIONS, "sign_in.passkey_options"), "What the browser is asked for, to sign in by a passkey").body::<PasskeySignInOptions>().answers::<RequestOptions>(200), sign_in::passkey_options, s())
        .route(door(Endpoint::post(PASSKEY_SIGN_IN, "sign_in.passkey"), "Sign in by a passkey").body::<PasskeySignIn>().answers::<SignedInSession>(200), sign_in::passkey, s())
}

fn door(endpoint: Endpoint, summary: &str) -> Endpoint {
    endpoint.tag("Signing in").summary(summary).needs(Public).idempotent(false).fails(&[401, 403, 409, 429])
}

fn user(endpoint: Endpoint, summary: &str) -> Endpoint {
    refusing(endpoint.tag("People").summary(summary).needs(Operator))
}

fn member(endpoint: Endpoint, summary: &str) -> Endpoint {
    endpoint.tag("Members").summary(summary).needs(Permission(MembersRead))
}

fn change(endpoint: Endpoint, summary: &str) -> Endpoint {
    refusing(endpoint.tag("Members").summary(summary).needs(Permission(MembersWrite)))
}

fn own(endpoint: Endpoint, summary: &str) -> Endpoint {
    refusing(endpoint.tag("Own account").summary(summary).needs(AnyCredential))
}

/// What changes something finds it changed already, or the last of its kind: 409, also where no idempotency key says so.
fn refusing(endpoint: Endpoint) -> Endpoint {
    if endpoint.method == http::Method::GET { endpoint } else { endpoint.fails(&[409]) }
}
