//! Every statement on `blueprint_versions`.

use kernel::{Error, Result};
use store::Tx;

use crate::versions::{How, Version};
use crate::{MOST_VERSIONS, TOPIC};

const COLUMNS: &str = "number, name, hash, how, applied_by, applied_at, note, restores, undoes, text";

fn read(row: &store::Row<'_>) -> Result<Version> {
    Ok(Version {
        number: row.get(0)?,
        name: row.get(1)?,
        hash: row.get(2)?,
        how: How::read(&row.get::<String>(3)?)?,
        applied_by: row.get(4)?,
        applied_at: row.get(5)?,
        note: row.get(6)?,
        restores: row.get(7)?,
        undoes: row.get(8)?,
    })
}

/// What the sealed text is bound to.
fn context(number: i64) -> String {
    format!("blueprint_versions/{number}")
}

fn opened(tx: &Tx<'_>, (version, sealed): (Version, Vec<u8>)) -> Result<(Version, String)> {
    let plain = tx.sealer().open(&context(version.number), &sealed)?;
    Ok((version, String::from_utf8(plain).map_err(Error::internal)?))
}

fn with_text(row: &store::Row<'_>) -> Result<(Version, Vec<u8>)> {
    Ok((read(row)?, row.get(9)?))
}

pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<Version>> {
    tx.query(&format!("SELECT {COLUMNS} FROM blueprint_versions ORDER BY number DESC"), &[], read)
}

pub(crate) fn latest(tx: &mut Tx<'_>) -> Result<Option<(Version, String)>> {
    let sql = format!("SELECT {COLUMNS} FROM blueprint_versions ORDER BY number DESC LIMIT 1");
    tx.query_opt(&sql, &[], with_text)?.map(|found| opened(tx, found)).transpose()
}

pub(crate) fn get(tx: &mut Tx<'_>, number: i64) -> Result<Option<(Version, String)>> {
    let sql = format!("SELECT {COLUMNS} FROM blueprint_versions WHERE number = ?1");
    tx.query_opt(&sql, &[number.into()], with_text)?.map(|found| opened(tx, found)).transpose()
}

/// Puts a version into force. False: another came first, and has its number.
pub(crate) fn insert(tx: &mut Tx<'_>, version: &Version, text: &str) -> Result<bool> {
    let sealed = tx.sealer().seal(&context(version.number), text.as_bytes())?;
    let inserted = tx.exec(
        "INSERT INTO blueprint_versions (number, name, hash, how, applied_by, applied_at, note, restores, undoes, text) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (number) DO NOTHING",
        &[
            version.number.into(),
            version.name.as_str().into(),
            version.hash.as_str().into(),
            version.how.as_str().into(),
            version.applied_by.as_str().into(),
            version.applied_at.into(),
            version.note.clone().into(),
            version.restores.into(),
            version.undoes.into(),
            sealed.into(),
        ],
    )?;
    if inserted == 0 {
        return Ok(false);
    }
    tx.exec("DELETE FROM blueprint_versions WHERE number <= ?1", &[(version.number - MOST_VERSIONS).into()])?;
    tx.audit_change("blueprint.apply", format!("version {}", version.number), &(), version)?;
    tx.notify(TOPIC, version.number);
    Ok(true)
}

/// Whether servers were alive at the time of their last heartbeat.
pub(crate) fn live_servers(tx: &mut Tx<'_>) -> Result<u64> {
    let oldest = tx.now().minus(store::NODE_DEAD_AFTER);
    let sql = "SELECT COUNT(*) FROM nodes WHERE stopped_at IS NULL AND heartbeat_at >= ?1";
    tx.query_one(sql, &[oldest.into()], |row| row.get(0))
}
