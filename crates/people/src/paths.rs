//! Where the pages are to which links lead. `portal` serves them; the token stands in the query as `token`.

/// The first operator, at the first start.
pub const SET_UP: &str = "/portal/set-up";
/// Signing in.
pub const SIGN_IN: &str = "/portal/sign-in";
/// A link by mail that signs in.
pub const MAGIC_LINK: &str = "/portal/sign-in/link";
/// A link of the host's that signs in: to be redeemed by a GET.
pub const HOST: &str = "/portal/sign-in/host";
/// A new password.
pub const RESET_PASSWORD: &str = "/portal/reset-password";
/// An invitation into a tenant.
pub const INVITATION: &str = "/portal/invitation";
/// Where people arrive.
pub const HOME: &str = "/portal";
