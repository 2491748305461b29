//! A blueprint takes effect.

use kernel::{Caller, Error, Result, Timestamp};

use crate::versions::{How, Version};
use crate::{Products, Ticket, sql};

impl Products {
    /// Puts a blueprint into force that [`Products::settle`] found good, as a new version.
    ///
    /// Error: 409 `blueprint_changed_meanwhile`, when another server applied one since: settle again.
    pub async fn record(&self, ticket: &Ticket, how: How, by: &str) -> Result<Version> {
        let text = ticket.text.clone();
        let version = Version {
            number: ticket.after + 1,
            name: text.blueprint.name.clone(),
            hash: text.hash(),
            how,
            applied_by: by.to_owned(),
            applied_at: Timestamp::from_millis(0),
            note: None,
            restores: None,
            undoes: None,
        };
        self.insert(version, text.as_str().to_owned()).await
    }

    /// Error: 409 `blueprint_changed_meanwhile`.
    pub(crate) async fn insert(&self, version: Version, text: String) -> Result<Version> {
        let operator = Caller::system("blueprint", None).operate()?;
        self.store
            .write(operator, move |tx| {
                let version = Version { applied_at: tx.now(), ..version };
                if !sql::insert(tx, &version, &text)? {
                    return Err(Error::conflict(
                        "blueprint_changed_meanwhile",
                        "Another blueprint was applied at the same time. Try again: the change is compared with that one then.",
                    ));
                }
                Ok(version)
            })
            .await
    }
}
