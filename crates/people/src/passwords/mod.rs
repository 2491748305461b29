//! Passwords: argon2id (RFC 9106), on threads of their own, few at a time. A hash takes 19 MiB and tens of milliseconds of a processor: without
//! a bound, whoever asks for many at once would take the machine from everybody else.

mod rules;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use kernel::{Ambient, Error, Result, Secret};
use tokio::sync::Semaphore;

use crate::config::Cost;

/// Most callers that wait for a place.
const MOST_WAITING: usize = 200;
/// Lanes: one, as OWASP recommends.
const LANES: u32 = 1;

/// See the module.
pub(crate) struct Passwords {
    argon: Argon2<'static>,
    /// How the hashes that we make now begin.
    form: String,
    /// A hash of nothing: somebody without a password costs the same work as somebody with one.
    nobody: String,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    ambient: Ambient,
}

/// What came of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Wrong,
    Right,
    /// Right, but kept under another cost than passwords have now.
    RightButOld,
}

impl Passwords {
    pub(crate) fn new(cost: Cost, ambient: &Ambient) -> Result<Self> {
        let params = Params::new(cost.memory_kib, cost.passes, LANES, None).map_err(|error| Error::internal(error.to_string()))?;
        let form = format!("$argon2id$v=19$m={},t={},p={LANES}$", cost.memory_kib, cost.passes);
        let text = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        let nobody = format!("{form}{}${}", text(&ambient.bytes::<16>()), text(&ambient.bytes::<32>()));
        let at_once = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Ok(Self {
            argon: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            form,
            nobody,
            places: Arc::new(Semaphore::new(at_once)),
            waiting: AtomicUsize::new(0),
            ambient: ambient.clone(),
        })
    }

    /// The stored form of a new password. `of`: what it must not be made of: the person's name and address.
    ///
    /// Errors: 422 `validation_failed` at `pointer`, 503 `overloaded`.
    pub(crate) async fn hash(&self, pointer: &'static str, password: Secret<String>, of: Vec<String>) -> Result<String> {
        rules::check_length(pointer, password.reveal())?;
        let (argon, salt) = (self.argon.clone(), self.ambient.bytes::<16>());
        self.work(move || {
            rules::check_strength(pointer, password.reveal(), &of)?;
            let hash = argon.hash_password_with_salt(password.reveal().as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|error| Error::internal(error.to_string()))
        })
        .await?
    }

    /// The stored form of a password that is in use, whatever today's rules say of it. Error: 503 `overloaded`.
    pub(crate) async fn hash_as_it_is(&self, password: Secret<String>) -> Result<String> {
        let (argon, salt) = (self.argon.clone(), self.ambient.bytes::<16>());
        let hash = self.work(move || argon.hash_password_with_salt(password.reveal().as_bytes(), &salt)).await?;
        hash.map(|hash| hash.to_string()).map_err(|error| Error::internal(error.to_string()))
    }

    /// Whether `password` is what `stored` was made of. None: nobody's, at the same cost. Error: 503 `overloaded`.
    pub(crate) async fn verify(&self, password: Secret<String>, stored: Option<String>) -> Result<Verdict> {
        let is_somebodys = stored.is_some();
        let text = stored.unwrap_or_else(|| self.nobody.clone());
        let is_old = !text.starts_with(&self.form);
        let argon = self.argon.clone();
        let fits = self
            .work(move || {
                let shown = password.reveal();
                let parsed = PasswordHash::new(&text).map_err(|error| Error::internal(error.to_string()))?;
                // Too long for a password of ours: the work is done all the same.
                let shown = if shown.len() > rules::MAX_BYTES { "" } else { shown.as_str() };
                Ok::<bool, Error>(argon.verify_password(shown.as_bytes(), &parsed).is_ok() && !shown.is_empty())
            })
            .await??;
        Ok(match (fits && is_somebodys, is_old) {
            (false, _) => Verdict::Wrong,
            (true, false) => Verdict::Right,
            (true, true) => Verdict::RightButOld,
        })
    }

    async fn work<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _waiting = Waiting::among(&self.waiting)?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(Error::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let result = job();
            drop(place);
            result
        });
        done.await.map_err(Error::internal)
    }
}

/// One who waits, counted however it ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(all: &'a AtomicUsize) -> Result<Self> {
        if all.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            all.fetch_sub(1, Ordering::Relaxed);
            let text = "Too many people sign in at this moment. Try again shortly.";
            return Err(Error::unavailable("overloaded", text).retry_after(Duration::from_secs(2)));
        }
        Ok(Self(all))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 32, passes: 1 };

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn the_right_password_fits_and_nothing_else() {
        let passwords = Passwords::new(CHEAP, &Ambient::system()).unwrap();
        let hash = passwords.hash("/password", secret("a quiet harbour at dawn"), Vec::new()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=32,t=1,p=1$"), "{hash}");
        let verdict = |shown: &str, stored: Option<String>| passwords.verify(secret(shown), stored);
        assert_eq!(verdict("a quiet harbour at dawn", Some(hash.clone())).await.unwrap(), Verdict::Right);
        assert_eq!(verdict("a quiet harbour at dawn ", Some(hash.clone())).await.unwrap(), Verdict::Wrong);
        assert_eq!(verdict("", Some(hash.clone())).await.unwrap(), Verdict::Wrong);
        assert_eq!(verdict("a quiet harbour at dawn", None).await.unwrap(), Verdict::Wrong);
        let dearer = Passwords::new(Cost { memory_kib: 64, passes: 1 }, &Ambient::system()).unwrap();
        assert_eq!(dearer.verify(secret("a quiet harbour at dawn"), Some(hash)).await.unwrap(), Verdict::RightButOld);
    }
}
