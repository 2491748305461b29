//! The operator's apps at vendors, and which app a connection is made with.

mod choose;
mod delete;
mod list;
mod put;
mod secret;
pub(crate) mod sql;

use kernel::{Secret, Timestamp};

use crate::exchange::App;
use crate::providers::Settings;

pub(crate) use choose::{AppInput, Choice, app_of};
pub use list::{OauthProvider, OauthProviders};
pub use put::OauthApp;

pub(crate) use delete::handle as delete;
pub(crate) use list::{handle as list, handle_one as get};
pub(crate) use put::handle as put;

/// A row of `oauth_apps`.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) provider: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret<String>>,
    pub(crate) settings: Settings,
    /// What is asked for when nobody says otherwise; none: the vendor's usual.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Row {
    pub(crate) fn app(&self) -> App {
        App { client_id: self.client_id.clone(), client_secret: self.client_secret.clone() }
    }
}
