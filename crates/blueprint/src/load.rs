//! Blueprints by name or by path.

use std::borrow::Cow;
use std::io::Read as _;

use crate::{Blueprint, Faults, MAX_FILE_BYTES, parse, suggest};

const BUILTIN: &[(&str, &str)] = &[
    ("insurance-leads", include_str!("../../../blueprints/insurance-leads.toml")),
    ("contractor-network", include_str!("../../../blueprints/contractor-network.toml")),
    ("call-coaching", include_str!("../../../blueprints/call-coaching.toml")),
    ("helpdesk-reports", include_str!("../../../blueprints/helpdesk-reports.toml")),
    ("school-tenants", include_str!("../../../blueprints/school-tenants.toml")),
];

/// Why a blueprint could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is neither a built-in name nor a path.
    #[error("There is no built-in blueprint {name:?}{}. Built in are: {}. A file is named by its path, such as ./{name}.toml.",
        .suggestion.map(|s| format!("; did you mean {s}?")).unwrap_or_default(), names().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        suggestion: Option<&'static str>,
    },
    /// The file cannot be read.
    #[error("The blueprint file {path} cannot be read: {source}")]
    Unreadable {
        /// Its path.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file can be read and has faults.
    #[error(transparent)]
    Faulty(#[from] Faults),
}

/// The blueprints inside the binary: name and TOML text.
pub fn builtin() -> &'static [(&'static str, &'static str)] {
    BUILTIN
}

/// Loads a built-in blueprint by its name, or any other by its path.
///
/// # Errors
/// See [`LoadError`]. A file of more than [`MAX_FILE_BYTES`] is not read to its end.
pub fn load(name_or_path: &str) -> Result<Blueprint, LoadError> {
    Ok(parse(&text(name_or_path)?, name_or_path)?)
}

/// The text of a built-in blueprint by its name, or of any other by its path. It is not looked into.
///
/// # Errors
/// [`LoadError::Unknown`], [`LoadError::Unreadable`].
pub fn text(name_or_path: &str) -> Result<Cow<'static, str>, LoadError> {
    if let Some((_, text)) = BUILTIN.iter().find(|(name, _)| *name == name_or_path) {
        return Ok(Cow::Borrowed(text));
    }
    let looks_like_path = name_or_path.contains(['/', '\\', '.']);
    if !looks_like_path && !std::path::Path::new(name_or_path).is_file() {
        let suggestion = suggest::nearest(name_or_path, names());
        return Err(LoadError::Unknown { name: name_or_path.to_owned(), suggestion });
    }
    let text = read(name_or_path).map_err(|source| LoadError::Unreadable { path: name_or_path.to_owned(), source })?;
    Ok(Cow::Owned(text))
}

/// The first bytes of a file, at most so many. Only of a regular one: opening a FIFO waits for somebody who writes to it, and a device may
/// never end.
///
/// # Errors
/// What the system says; [`std::io::ErrorKind::InvalidInput`] for a directory, a FIFO, a socket or a device.
pub fn read_regular(path: &str, most: u64) -> std::io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() { "it is a directory" } else { "it is no regular file (a FIFO, a socket or a device)" };
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, what));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads at most one byte more than allowed, so that `parse` sees that it is too large.
fn read(path: &str) -> std::io::Result<String> {
    let bytes = read_regular(path, MAX_FILE_BYTES as u64 + 1)?;
    String::from_utf8(bytes).or_else(|error| {
        // A character cut in two by the limit must not hide that the file is too large.
        let whole = error.utf8_error().valid_up_to();
        if error.as_bytes().len() <= MAX_FILE_BYTES || whole + 4 < error.as_bytes().len() {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, format!("it is not UTF-8 at byte {whole}")));
        }
        Ok(" ".repeat(MAX_FILE_BYTES + 1))
    })
}

fn names() -> Vec<&'static str> {
    BUILTIN.iter().map(|(name, _)| *name).collect()
}
