//! Exports as files of a directory.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use kernel::{Error, Result};

use super::{Piece, Sink};

/// A directory, which is made if it is not there.
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// Below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
}

/// A file under a name of its own until it is finished.
struct Unfinished {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
}

async fn blocking<T: Send + 'static>(job: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(job).await.map_err(Error::internal)?.map_err(Error::internal)
}

fn begin(path: PathBuf) -> std::io::Result<Unfinished> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let temporary = path.with_extension("ndjson.part");
    Ok(Unfinished { file: File::create(&temporary)?, temporary, path })
}

fn finish(piece: &Unfinished) -> std::io::Result<()> {
    piece.file.sync_all()?;
    fs::rename(&piece.temporary, &piece.path)?;
    // The name is durable when its directory is.
    piece.path.parent().map_or(Ok(()), |parent: &Path| File::open(parent)?.sync_all())
}

impl Sink for Directory {
    fn begin<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Box<dyn Piece>>> {
        let path = self.root.join(name);
        Box::pin(async move {
            let piece: Box<dyn Piece> = Box::new(blocking(move || begin(path)).await?);
            Ok(piece)
        })
    }
}

impl Piece for Unfinished {
    fn write(&mut self, lines: String) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let mut file = self.file.try_clone().map_err(Error::internal)?;
            blocking(move || file.write_all(lines.as_bytes())).await
        })
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(blocking(move || finish(&self)))
    }
}
