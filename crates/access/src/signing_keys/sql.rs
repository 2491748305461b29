//! Every statement on `jwt_keys`.

use kernel::{Error, Result, Secret, Timestamp};
use store::{Row, Tx};

use super::{JwtKey, context};
use crate::jose::{Algorithm, Signer};

/// A key as it is used.
pub(super) struct Stored {
    pub(super) signer: Signer,
    pub(super) created_at: Timestamp,
    pub(super) active_at: Timestamp,
    pub(super) retires_at: Option<Timestamp>,
}

impl Stored {
    pub(super) fn shown(&self) -> JwtKey {
        JwtKey {
            kid: self.signer.kid().to_owned(),
            algorithm: self.signer.algorithm().name(),
            created_at: self.created_at,
            active_at: self.active_at,
            retires_at: self.retires_at,
        }
    }
}

/// Those that are published at `now`, the newest first.
pub(super) fn published(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Stored>> {
    let sealer = tx.sealer().clone();
    let read = |row: &Row<'_>| {
        let kid: String = row.get(0)?;
        let name: String = row.get(1)?;
        let algorithm = Algorithm::read(&name).ok_or_else(|| Error::internal("a signing key is of an unknown algorithm"))?;
        let secret = Secret::new(sealer.open(&context(&kid), &row.get::<Vec<u8>>(2)?)?);
        let signer = Signer::of(algorithm, secret.reveal())?;
        Ok(Stored { signer, created_at: row.get(3)?, active_at: row.get(4)?, retires_at: row.get(5)? })
    };
    let sql = "SELECT kid, algorithm, sealed, created_at, active_at, retires_at FROM jwt_keys \
               WHERE retires_at IS NULL OR retires_at > ?1 ORDER BY number DESC";
    tx.query(sql, &[now.into()], read)
}

/// Stores a key under its number. Answers whether it was free: of two nodes that make the same number, one does.
pub(super) fn insert(tx: &mut Tx<'_>, number: i64, signer: &Signer, active_at: Timestamp) -> Result<bool> {
    let sealed = tx.sealer().seal(&context(signer.kid()), signer.secret().reveal())?;
    let made = tx.exec(
        "INSERT INTO jwt_keys (number, kid, algorithm, sealed, created_at, active_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (number) DO NOTHING",
        &[number.into(), signer.kid().into(), signer.algorithm().name().into(), sealed.into(), tx.now().into(), active_at.into()],
    )?;
    Ok(made > 0)
}

/// Those before `number` are published until `at`, or shorter where that was so; those that ended are forgotten.
pub(super) fn retire(tx: &mut Tx<'_>, number: i64, at: Timestamp) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "UPDATE jwt_keys SET retires_at = ?2 WHERE number < ?1 AND (retires_at IS NULL OR retires_at > ?2)",
        &[number.into(), at.into()],
    )?;
    tx.exec("DELETE FROM jwt_keys WHERE retires_at <= ?1", &[now.into()])?;
    Ok(())
}
