//! The basics of OpenID Connect: who signed in, told to the application (Core §2, §5.3).

mod id_token;
mod userinfo;

pub(crate) use id_token::{IdToken, id_token};
pub(crate) use userinfo::{UserInfo, handle as userinfo};

/// What may be told of a person, for the metadata.
pub(crate) const CLAIMS: [&str; 10] = ["sub", "iss", "aud", "exp", "iat", "auth_time", "amr", "name", "email", "email_verified"];
