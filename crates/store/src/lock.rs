//! One server per data directory: a second one on the same SQLite files would own the same deliveries.

use std::fs::{File, TryLockError};
use std::path::Path;

use kernel::{Error, Result};

/// Held as long as the server lives; the operating system lets go when the process dies, however it dies.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    pub(crate) fn acquire(dir: &Path) -> Result<Self> {
        let path = dir.join("server.lock");
        let file = File::create(&path).map_err(|e| Error::internal(format!("{}: {e}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::conflict(
                "data_directory_in_use",
                format!("Another server already uses {}. Stop it, or give this one its own TRADEWIND_DATA_DIR.", dir.display()),
            )),
            Err(TryLockError::Error(e)) => Err(Error::internal(format!("{}: {e}", path.display()))),
        }
    }
}
