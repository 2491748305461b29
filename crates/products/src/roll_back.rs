//! One step back.

use kernel::{Error, Result, Scope};

use crate::versions::{How, Version, parsed};
use crate::{Judgement, Products, Strictness, sql};

/// What a step back did.
#[derive(Clone, Debug)]
pub struct RolledBack {
    /// The version that is in force now; it has the text of the one before.
    pub version: Version,
    /// What it changed.
    pub judgement: Judgement,
}

impl Products {
    /// Puts the version before the present one into force again, as a new version. Running servers serve it once they reload; a server whose
    /// file still says what was undone serves it too. Stepping back from a step back goes forward again.
    ///
    /// Errors: 404 where there is no version before; 409 `blueprint_refused` where what is stored contradicts it, or its text cannot be read
    /// any more; 409 `blueprint_changed_meanwhile`.
    pub async fn roll_back(&self, by: &str, note: Option<String>) -> Result<RolledBack> {
        let none = || Error::not_found("blueprint version before this one");
        let (present, present_text) = self.in_force().await?.ok_or_else(none)?;
        let number = present.number - 1;
        let read = move |tx: &mut store::Tx<'_>| sql::get(tx, number);
        let (before, text) = self.store.read(Scope::system("products"), read).await?.ok_or_else(none)?;
        let old = parsed(&before, &text);
        let old = old.ok_or_else(|| refused(format!("Version {number} cannot be read any more: the language has changed since.")))?;
        let judgement = match parsed(&present, &present_text) {
            Some(new) => self.judge(&new, &old).await?,
            None => Judgement::default(),
        };
        if let Some(why) = judgement.refusal(Strictness::Data) {
            return Err(refused(format!("Version {number} cannot take effect again: {why}.")));
        }
        let version = Version {
            number: present.number + 1,
            name: before.name,
            hash: before.hash,
            how: How::Rollback,
            applied_by: by.to_owned(),
            applied_at: present.applied_at,
            note,
            restores: Some(before.restores.unwrap_or(number)),
            undoes: Some(present.number),
        };
        let version = self.insert(version, text).await?;
        Ok(RolledBack { version, judgement })
    }
}

fn refused(detail: String) -> Error {
    Error::conflict("blueprint_refused", detail)
}
