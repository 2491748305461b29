//! Authorization requests: from `/oauth/authorize` to the address that the browser is sent back to.
//!
//! Everything that can be wrong with a request is told before anybody signs in: to the person where the client or the address is in doubt, to
//! the client (by the redirect) otherwise. What is right is stored, and a handle for it goes to the page where people consent
//! (`portal`), which asks [`Oauth::pending`], [`Oauth::look`], and answers by [`Oauth::approve`] or [`Oauth::deny`].
//!
//! The first person who looks at a request owns it: nobody can be made to answer another one's.
//!
//! [`Oauth::pending`]: crate::Oauth::pending
//! [`Oauth::look`]: crate::Oauth::look
//! [`Oauth::approve`]: crate::Oauth::approve
//! [`Oauth::deny`]: crate::Oauth::deny

mod answer;
mod approve;
mod authorize;
mod deny;
mod look;
mod page;
mod pending;
mod push;
mod read;
mod redirect;
pub(crate) mod sql;

use kernel::{ClientId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

pub use approve::Approval;
pub use deny::Denial;
pub use look::{ConsentPage, Look, Signed};
pub use pending::PendingRequest;
pub use push::Pushed;

pub(crate) use authorize::{handle as authorize, handle_post as authorize_post};
pub(crate) use push::handle as push;

/// What `prompt` asks for (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Nobody may be asked anything.
    pub none: bool,
    /// The person signs in again, signed in or not.
    pub login: bool,
    /// The person is asked, remembered or not.
    pub consent: bool,
    /// The person chooses an account.
    pub select_account: bool,
}

/// What a request asks for, checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parameters {
    /// Where the answer goes.
    pub redirect_uri: String,
    /// What is asked for, each once.
    pub scopes: Vec<String>,
    /// The client's own, sent back as it came.
    pub state: Option<String>,
    /// SHA-256 of the verifier that the redemption shows (RFC 7636).
    pub challenge: String,
    /// For the id_token.
    pub nonce: Option<String>,
    /// What is asked of the person.
    #[serde(default)]
    pub prompt: Prompt,
    /// How old a sign-in may be, in seconds.
    pub max_age: Option<u32>,
    /// Who is likely to sign in.
    pub login_hint: Option<String>,
    /// What the token is for (RFC 8707).
    pub resource: Option<String>,
    /// The key that the redemption proves (RFC 9449 §10).
    pub jkt: Option<String>,
}

/// A request that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) key_id: String,
    pub(crate) client: ClientId,
    pub(crate) is_pushed: bool,
    pub(crate) parameters: Parameters,
    pub(crate) person: Option<UserId>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}
