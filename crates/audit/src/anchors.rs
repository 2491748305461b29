//! The ends of all chains in a file that the operator keeps elsewhere: what no seal in the database can tell, an earlier state of all of it,
//! shows there.

use std::path::Path;

use kernel::{Error, Result, Scope};
use store::Store;
use store::audit::{Anchor, anchors, is_held};

/// Which of the file's chains have no longer the row that they had when it was written. None: there is no such file yet.
///
/// Errors: 422 `invalid_anchor` for a line that is none; internal for what the file system says; those of the store.
pub async fn compare(store: &Store, file: &Path) -> Result<Option<Vec<Anchor>>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::internal(format!("{}: {error}", file.display()))),
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let known = lines.map(str::parse).collect::<Result<Vec<Anchor>>>()?;
    let missing = store.read(Scope::system("audit"), move |tx| {
        let mut missing = Vec::new();
        for anchor in known {
            if !is_held(tx, &anchor)? {
                missing.push(anchor);
            }
        }
        Ok(missing)
    });
    missing.await.map(Some)
}

/// Writes the ends of all chains as they are now, whole or not at all; how many. Only after the log was found whole.
pub async fn write(store: &Store, file: &Path) -> Result<usize> {
    let ends = store.read(Scope::system("audit"), anchors).await?;
    let mut text = String::from("# The ends of the audit log's chains, for: tradewind verify-log --anchor\n");
    ends.iter().for_each(|end| text.push_str(&format!("{end}\n")));
    let draft = file.with_extension("draft");
    let written = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, file));
    written.map_err(|error| Error::internal(format!("{}: {error}", file.display())))?;
    Ok(ends.len())
}
