//! Rows of answers, the same from both engines.

use kernel::{Error, Result, Timestamp};

/// One row. Columns are read by position, in the order of the SELECT list.
pub enum Row<'a> {
    /// From SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// From PostgreSQL.
    Postgres(&'a postgres::Row),
}

impl Row<'_> {
    /// Column `index` as a `T`. Error: internal, when the column holds something else.
    pub fn get<T: FromColumn>(&self, index: usize) -> Result<T> {
        T::from_column(self, index)
    }

    fn broken(index: usize, source: impl std::fmt::Display) -> Error {
        Error::internal(format!("column {index}: {source}"))
    }
}

/// What can be read from a column.
pub trait FromColumn: Sized {
    /// Reads column `index`.
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self>;
}

macro_rules! primitive {
    ($($t:ty),+) => {
        $(
            impl FromColumn for $t {
                fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
                    match row {
                        Row::Sqlite(row) => row.get(index).map_err(|e| Row::broken(index, e)),
                        Row::Postgres(row) => row.try_get(index).map_err(|e| Row::broken(index, e)),
                    }
                }
            }
            impl FromColumn for Option<$t> {
                fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
                    match row {
                        Row::Sqlite(row) => row.get(index).map_err(|e| Row::broken(index, e)),
                        Row::Postgres(row) => row.try_get(index).map_err(|e| Row::broken(index, e)),
                    }
                }
            }
        )+
    };
}

primitive!(i64, f64, String, Vec<u8>);

macro_rules! through {
    ($($via:ty => $t:ty, $value:ident, $expr:expr);+ $(;)?) => {
        $(
            impl FromColumn for $t {
                fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
                    let $value = <$via>::from_column(row, index)?;
                    ($expr).map_err(|e| Row::broken(index, e))
                }
            }
            impl FromColumn for Option<$t> {
                fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
                    match Option::<$via>::from_column(row, index)? {
                        None => Ok(None),
                        Some($value) => ($expr).map(Some).map_err(|e| Row::broken(index, e)),
                    }
                }
            }
        )+
    };
}

through! {
    i64 => bool, v, Ok::<bool, Error>(v != 0);
    i64 => u32, v, u32::try_from(v);
    i64 => u16, v, u16::try_from(v);
    i64 => u64, v, u64::try_from(v);
    i64 => Timestamp, v, Ok::<Timestamp, Error>(Timestamp::from_millis(v));
    String => serde_json::Value, v, serde_json::from_str(&v);
    String => kernel::EventId, v, v.parse();
    String => kernel::EventType, v, v.parse();
    String => kernel::TenantId, v, v.parse();
    String => kernel::ClientId, v, v.parse();
    String => kernel::KeyId, v, v.parse();
    String => kernel::ServiceKeyId, v, v.parse();
    String => kernel::UserId, v, v.parse();
    String => kernel::RecordId, v, v.parse();
    String => kernel::DestinationId, v, v.parse();
    String => kernel::DeliveryId, v, v.parse();
    String => kernel::AttemptId, v, v.parse();
    String => kernel::ReplayId, v, v.parse();
    String => kernel::ExpungeId, v, v.parse();
    String => kernel::AuditId, v, v.parse();
    String => kernel::RequestId, v, v.parse();
    String => kernel::NodeId, v, v.parse();
    String => kernel::SourceId, v, v.parse();
    String => kernel::CallId, v, v.parse();
    String => kernel::AlertId, v, v.parse();
    String => kernel::RestEndpointId, v, v.parse();
    String => kernel::JobId, v, v.parse();
    String => kernel::JobScheduleId, v, v.parse();
    String => kernel::SessionId, v, v.parse();
    String => kernel::InvitationId, v, v.parse();
    String => kernel::PasskeyId, v, v.parse();
    String => kernel::ConsentId, v, v.parse();
    String => kernel::GrantId, v, v.parse();
    String => kernel::IntegrationId, v, v.parse();
    String => kernel::OauthTokenId, v, v.parse();
    String => kernel::OauthConnectionId, v, v.parse();
    String => kernel::SyncConfigId, v, v.parse();
    String => kernel::SyncRunId, v, v.parse();
    String => kernel::ConflictId, v, v.parse();
}
