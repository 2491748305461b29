//! Every statement on `oauth_apps`.

use kernel::{Error, Result, Secret};
use store::{Tx, Value};

use super::Row;

fn context(provider: &str) -> String {
    format!("oauth_apps.sealed:{provider}")
}

const COLUMNS: &str = "provider, client_id, sealed, settings, scopes, created_at, updated_at";

type Stored = (Row, Vec<u8>);

fn read(row: &store::Row<'_>) -> Result<Stored> {
    let scopes = row.get::<Option<String>>(4)?.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()?;
    let settings = serde_json::from_str(&row.get::<String>(3)?).map_err(Error::internal)?;
    let app = Row {
        provider: row.get(0)?,
        client_id: row.get(1)?,
        client_secret: None,
        settings,
        scopes,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    };
    Ok((app, row.get(2)?))
}

fn open(tx: &Tx<'_>, (row, sealed): Stored) -> Result<Row> {
    let secret = Secret::new(tx.sealer().open(&context(&row.provider), &sealed)?);
    let text = std::str::from_utf8(secret.reveal()).map_err(|_| Error::internal("a client secret that is no text"))?;
    Ok(Row { client_secret: (!text.is_empty()).then(|| Secret::new(text.to_owned())), ..row })
}

pub(crate) fn put(tx: &mut Tx<'_>, row: &Row) -> Result<()> {
    let secret = row.client_secret.as_ref().map_or("", |secret| secret.reveal().as_str());
    let sealed = tx.sealer().seal(&context(&row.provider), secret.as_bytes())?;
    let scopes = row.scopes.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)?;
    let values: [Value; 7] = [
        row.provider.as_str().into(),
        row.client_id.as_str().into(),
        sealed.into(),
        serde_json::to_string(&row.settings).map_err(Error::internal)?.into(),
        scopes.into(),
        row.created_at.into(),
        row.updated_at.into(),
    ];
    tx.exec(
        "INSERT INTO oauth_apps (provider, client_id, sealed, settings, scopes, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
         ON CONFLICT (provider) DO UPDATE SET client_id = excluded.client_id, sealed = excluded.sealed, settings = excluded.settings, \
         scopes = excluded.scopes, updated_at = excluded.updated_at",
        &values,
    )?;
    Ok(())
}

pub(crate) fn get(tx: &mut Tx<'_>, provider: &str) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_apps WHERE provider = ?1");
    let found = tx.query_opt(&sql, &[provider.into()], read)?;
    found.map(|stored| open(tx, stored)).transpose()
}

pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_apps ORDER BY provider");
    let found = tx.query(&sql, &[], read)?;
    found.into_iter().map(|stored| open(tx, stored)).collect()
}

pub(crate) fn delete(tx: &mut Tx<'_>, provider: &str) -> Result<u64> {
    tx.exec("DELETE FROM oauth_apps WHERE provider = ?1", &[provider.into()])
}
