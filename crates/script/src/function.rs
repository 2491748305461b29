//! A function as it is written.

use std::fmt;
use std::sync::Arc;

use crate::fault::{Fault, FaultKind};
use crate::limits::MAX_SOURCE;

/// A source and the name under which workers keep it. Cheap to clone.
#[derive(Clone)]
pub struct Function {
    source: Arc<str>,
    key: [u8; 16],
}

impl Function {
    /// A function of `owner`, any text that no other tenant has: functions of two owners never share an engine. Nothing is run or read here,
    /// only measured. Fault: longer than [`MAX_SOURCE`].
    pub fn new(owner: &str, source: &str) -> Result<Self, Fault> {
        if source.len() > MAX_SOURCE {
            return Err(Fault::new(FaultKind::Syntax, format!("the source is longer than {} KB", MAX_SOURCE / 1024)));
        }
        if source.contains('\0') {
            return Err(Fault::new(FaultKind::Syntax, "the source contains a NUL character"));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(owner.len() as u64).to_le_bytes()).update(owner.as_bytes()).update(source.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Ok(Self { source: source.into(), key })
    }

    /// The source.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn key(&self) -> [u8; 16] {
        self.key
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("bytes", &self.source.len()).finish_non_exhaustive()
    }
}
