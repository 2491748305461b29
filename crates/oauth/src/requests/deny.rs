//! A request is refused: by a person, or because nobody may be asked.

use std::sync::Arc;

use kernel::{Caller, Error, Result};

use super::look::Person;
use super::pending::over;
use super::{Waiting, sql};
use crate::errors::{access_denied, account_selection_required, login_required};
use crate::{Oauth, system};

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The person said no.
    AccessDenied,
    /// Nobody is signed in, and `prompt=none` says not to ask.
    LoginRequired,
    /// The person is of several tenants, and `prompt=none` says not to ask which.
    AccountSelectionRequired,
}

impl Oauth {
    /// Refuses a request; answers where the browser goes, with the error. `caller` is the person who says no; without one, only a request that
    /// nobody owns and that asked for `prompt=none` is refused.
    ///
    /// Error: 404 when it is over, answered, or another person's.
    pub async fn deny(self: &Arc<Self>, caller: Option<&Caller>, handle: &str, denial: Denial) -> Result<String> {
        let (waiting, _) = match caller {
            Some(caller) => self.owned(&Person::of(caller)?, handle).await?,
            None => {
                let found = self.waiting(handle).await?;
                if found.0.person.is_some() || !found.0.parameters.prompt.none {
                    return Err(over());
                }
                found
            }
        };
        let error = match denial {
            Denial::AccessDenied => access_denied("The person said no."),
            Denial::LoginRequired => login_required("Nobody is signed in."),
            Denial::AccountSelectionRequired => account_selection_required("The person would have to choose a tenant."),
        };
        self.take_and_refuse(&waiting, &error).await
    }

    /// Takes a request out and answers with an error. Error: 404 when somebody answered it meanwhile.
    pub(super) async fn take_and_refuse(self: &Arc<Self>, waiting: &Waiting, error: &Error) -> Result<String> {
        let key_id = waiting.key_id.clone();
        if !self.store.write(system(), move |tx| sql::take(tx, &key_id)).await? {
            return Err(over());
        }
        Ok(self.refusal(&waiting.parameters.redirect_uri, waiting.parameters.state.as_deref(), error))
    }
}
