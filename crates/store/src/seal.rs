//! Sealed values: XChaCha20-Poly1305 under a data key, which the master key wraps. The data key's id is part of the sealed value, so that
//! keys can be rotated while old values stay readable.
//!
//! Form: version (1 byte) · data key id (8 bytes, big-endian) · nonce (24 bytes) · ciphertext and tag. The associated data is a context
//! such as `destinations.config:wh_…`, so that a sealed value copied to another row does not open.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use kernel::{Ambient, Error, Result, Secret};

const VERSION: u8 = 1;
const PREFIX: &str = "twmk_";
const HEADER: usize = 1 + 8;
const NONCE: usize = 24;
const WRAP_CONTEXT: &str = "data_keys.wrapped";
/// The same for a key that was made together with the root of the audit log: who removes that cannot say that it never was there.
const ROOTED_CONTEXT: &str = "data_keys.wrapped, audit_roots";

/// The master key: 32 bytes, written as `twmk_` and base64.
#[derive(Clone, Debug)]
pub struct MasterKey(Secret<[u8; 32]>);

impl MasterKey {
    /// Reads the written form. Error: 422 `invalid_master_key`, which never shows the text.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = text.trim().strip_prefix(PREFIX).and_then(|b| STANDARD_NO_PAD.decode(b.trim_end_matches('=')).ok());
        let key = bytes.and_then(|b| <[u8; 32]>::try_from(b).ok()).ok_or_else(|| {
            Error::invalid("invalid_master_key", "A master key is twmk_ and 43 characters of base64, as in the file master.key.")
        })?;
        Ok(Self(Secret::new(key)))
    }

    /// A new one.
    pub fn generate(ambient: &Ambient) -> Self {
        Self(Secret::new(ambient.bytes()))
    }

    /// The written form.
    pub fn written(&self) -> Secret<String> {
        Secret::new(format!("{PREFIX}{}", STANDARD_NO_PAD.encode(self.0.reveal())))
    }

    /// Reads `master.key` in `dir`, or makes it with mode 0600. True if it was made: then say that it needs a backup.
    ///
    /// Errors: 409 `master_key_missing` when there is a database without its key; internal for what the file system says.
    pub fn load_or_create(dir: &Path, ambient: &Ambient) -> Result<(Self, bool)> {
        let path = dir.join("master.key");
        let fault = |e: std::io::Error| Error::internal(format!("{}: {e}", path.display()));
        // Asked first: another process that starts at the same time makes the key before the database.
        let has_database = dir.join("tradewind.db").exists();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok((Self::parse(&text)?, false)),
            // A new key would open nothing that is there, and would look like the right one to whoever finds it later.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && has_database => Err(Error::conflict(
                "master_key_missing",
                format!(
                    "{} holds a database but no master.key. Put back the key that it was made with, or give it as TRADEWIND_MASTER_KEY.",
                    dir.display()
                ),
            )),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let key = Self::generate(ambient);
                if write_private(&path, key.written().reveal(), ambient).map_err(fault)? {
                    return Ok((key, true));
                }
                let text = std::fs::read_to_string(&path).map_err(fault)?;
                Ok((Self::parse(&text)?, false))
            }
            Err(e) => Err(fault(e)),
        }
    }
}

/// Makes a file with this line, whole or not at all; false if there is one.
fn write_private(path: &Path, line: &str, ambient: &Ambient) -> std::io::Result<bool> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let draft = path.with_extension(format!("{:016x}", u64::from_le_bytes(ambient.bytes())));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let linked = writeln!(file, "{line}").and_then(|()| file.sync_all()).and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e),
    }
}

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Sealer(Arc<Keyring>);

struct Keyring {
    ambient: Ambient,
    master: XChaCha20Poly1305,
    data: RwLock<HashMap<u64, XChaCha20Poly1305>>,
    active: RwLock<u64>,
}

impl Sealer {
    pub(crate) fn new(master: &MasterKey, ambient: Ambient) -> Self {
        let master = XChaCha20Poly1305::new(master.0.reveal().into());
        Self(Arc::new(Keyring { ambient, master, data: RwLock::default(), active: RwLock::new(0) }))
    }

    /// A new data key, wrapped for storage, of an installation whose audit log has a root.
    pub(crate) fn new_data_key(&self) -> Result<Vec<u8>> {
        let key: Secret<[u8; 32]> = Secret::new(self.0.ambient.bytes());
        encrypt(&self.0.master, 0, &self.0.ambient, ROOTED_CONTEXT, key.reveal())
    }

    /// Unwraps a stored data key and makes it the active one. Whether it was made together with the root of the audit log.
    pub(crate) fn add_data_key(&self, id: u64, wrapped: &[u8]) -> Result<bool> {
        let rooted = decrypt(&self.0.master, ROOTED_CONTEXT, wrapped);
        let is_rooted = rooted.is_ok();
        let bytes = rooted.or_else(|()| decrypt(&self.0.master, WRAP_CONTEXT, wrapped)).map_err(|()| {
            Error::invalid(
                "wrong_master_key",
                "This master key does not belong to this database. Give the one that the database was made with.",
            )
        })?;
        let key = Secret::new(<[u8; 32]>::try_from(bytes).map_err(|_| Error::internal("a data key of the wrong length"))?);
        let poisoned = |_| Error::internal("the keyring is poisoned");
        self.0.data.write().map_err(|_| poisoned(()))?.insert(id, XChaCha20Poly1305::new(key.reveal().into()));
        *self.0.active.write().map_err(|_| poisoned(()))? = id;
        Ok(is_rooted)
    }

    /// Seals `plain` for `context` (table, column and row).
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let id = *self.0.active.read().map_err(|_| Error::internal("the keyring is poisoned"))?;
        let keys = self.0.data.read().map_err(|_| Error::internal("the keyring is poisoned"))?;
        let key = keys.get(&id).ok_or_else(|| Error::internal("no data key"))?;
        encrypt(key, id, &self.0.ambient, context, plain)
    }

    /// Opens what [`Sealer::seal`] made for the same context. Error: internal, since nothing but ours is ever stored.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let broken = || Error::internal(format!("a sealed value of {context} does not open"));
        let id = sealed.get(1..HEADER).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes).ok_or_else(broken)?;
        let keys = self.0.data.read().map_err(|_| Error::internal("the keyring is poisoned"))?;
        decrypt(keys.get(&id).ok_or_else(broken)?, context, sealed).map_err(|_| broken())
    }
}

fn encrypt(key: &XChaCha20Poly1305, id: u64, ambient: &Ambient, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE] = ambient.bytes();
    let payload = Payload { msg: plain, aad: context.as_bytes() };
    let sealed = key.encrypt(&XNonce::from(nonce), payload).map_err(|_| Error::internal("a value could not be sealed"))?;
    Ok([&[VERSION], id.to_be_bytes().as_slice(), &nonce, &sealed].concat())
}

fn decrypt(key: &XChaCha20Poly1305, context: &str, sealed: &[u8]) -> std::result::Result<Vec<u8>, ()> {
    if sealed.len() < HEADER + NONCE || sealed[0] != VERSION {
        return Err(());
    }
    let nonce: [u8; NONCE] = sealed[HEADER..HEADER + NONCE].try_into().map_err(|_| ())?;
    let payload = Payload { msg: &sealed[HEADER + NONCE..], aad: context.as_bytes() };
    key.decrypt(&XNonce::from(nonce), payload).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        let ambient = Ambient::system();
        let sealer = Sealer::new(&MasterKey::generate(&ambient), ambient);
        let wrapped = sealer.new_data_key().unwrap();
        sealer.add_data_key(7, &wrapped).unwrap();
        sealer
    }

    #[test]
    fn a_database_without_its_key_gets_no_new_one() {
        let (dir, ambient) = (tempfile::tempdir().unwrap(), Ambient::system());
        let (key, made) = MasterKey::load_or_create(dir.path(), &ambient).unwrap();
        std::fs::write(dir.path().join("tradewind.db"), b"").unwrap();
        let (again, made_again) = MasterKey::load_or_create(dir.path(), &ambient).unwrap();
        assert_eq!((made, made_again, key.written().reveal() == again.written().reveal()), (true, false, true));
        std::fs::remove_file(dir.path().join("master.key")).unwrap();
        assert_eq!(MasterKey::load_or_create(dir.path(), &ambient).err().unwrap().code(), "master_key_missing");
        assert!(!dir.path().join("master.key").exists());
    }

    #[test]
    fn processes_that_start_together_have_one_key() {
        for _ in 0..50 {
            let dir = tempfile::tempdir().unwrap();
            let start = std::sync::Barrier::new(4);
            let one = || {
                start.wait();
                MasterKey::load_or_create(dir.path(), &Ambient::system()).map(|(key, made)| (key.written().reveal().clone(), made))
            };
            let keys: Vec<(String, bool)> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
            });
            assert_eq!(keys.iter().filter(|(_, made)| *made).count(), 1);
            assert!(keys.iter().all(|(key, _)| *key == keys[0].0));
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
        }
    }

    #[test]
    fn opens_only_in_its_own_context_and_untouched() {
        let sealer = sealer();
        let sealed = sealer.seal("a:1", b"hello").unwrap();
        assert_eq!(sealer.open("a:1", &sealed).unwrap(), b"hello");
        assert!(sealer.open("a:2", &sealed).is_err());
        for at in [0, 3, 12, sealed.len() - 1] {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(sealer.open("a:1", &bent).is_err(), "byte {at}");
        }
    }

    #[test]
    fn another_master_key_is_refused_with_a_clear_text() {
        let wrapped = sealer().new_data_key().unwrap();
        assert_eq!(sealer().add_data_key(1, &wrapped).unwrap_err().code(), "wrong_master_key");
    }

    #[test]
    fn the_written_form_round_trips_and_is_not_printed() {
        let key = MasterKey::generate(&Ambient::system());
        let written = key.written();
        assert_eq!(MasterKey::parse(written.reveal()).unwrap().0.reveal(), key.0.reveal());
        assert!(!format!("{key:?}").contains(&written.reveal()[6..20]));
        assert!(MasterKey::parse("twmk_short").is_err());
    }
}
