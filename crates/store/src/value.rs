//! Parameters of statements.

use kernel::{EventId, EventType, Timestamp};

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL
    Null,
    /// BIGINT
    Int(i64),
    /// DOUBLE PRECISION
    Real(f64),
    /// TEXT
    Text(String),
    /// BYTEA
    Blob(Vec<u8>),
}

macro_rules! from {
    ($($from:ty, $value:ident => $expr:expr);+ $(;)?) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $expr
            }
        })+
    };
}

from! {
    i64, v => Self::Int(v);
    i32, v => Self::Int(v.into());
    u32, v => Self::Int(v.into());
    u16, v => Self::Int(v.into());
    bool, v => Self::Int(v.into());
    f64, v => Self::Real(v);
    &str, v => Self::Text(v.to_owned());
    String, v => Self::Text(v);
    &String, v => Self::Text(v.clone());
    Vec<u8>, v => Self::Blob(v);
    &[u8], v => Self::Blob(v.to_vec());
    Timestamp, v => Self::Int(v.millis());
    &EventId, v => Self::Text(v.as_str().to_owned());
    &EventType, v => Self::Text(v.as_str().to_owned());
    &serde_json::Value, v => Self::Text(v.to_string());
}

macro_rules! from_id {
    ($($id:ty),+ $(,)?) => { $(impl From<$id> for Value { fn from(id: $id) -> Self { Self::Text(id.to_string()) } })+ };
}

from_id!(
    kernel::TenantId,
    kernel::ClientId,
    kernel::KeyId,
    kernel::ServiceKeyId,
    kernel::UserId,
    kernel::RecordId,
    kernel::DestinationId,
    kernel::DeliveryId,
    kernel::AttemptId,
    kernel::ReplayId,
    kernel::ExpungeId,
    kernel::AuditId,
    kernel::RequestId,
    kernel::NodeId,
    kernel::SourceId,
    kernel::CallId,
    kernel::AlertId,
    kernel::RestEndpointId,
    kernel::JobId,
    kernel::JobScheduleId,
    kernel::SessionId,
    kernel::InvitationId,
    kernel::PasskeyId,
    kernel::ConsentId,
    kernel::GrantId,
    kernel::IntegrationId,
    kernel::OauthTokenId,
    kernel::OauthConnectionId,
    kernel::SyncConfigId,
    kernel::SyncRunId,
    kernel::ConflictId,
);

impl From<u64> for Value {
    /// Counters and sizes; the highest bit is never set in what we store.
    fn from(v: u64) -> Self {
        Self::Int(i64::try_from(v).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(v) => ValueRef::Integer(*v),
            Self::Real(v) => ValueRef::Real(*v),
            Self::Text(v) => ValueRef::Text(v.as_bytes()),
            Self::Blob(v) => ValueRef::Blob(v),
        }))
    }
}

impl postgres::types::ToSql for Value {
    fn to_sql(
        &self,
        ty: &postgres::types::Type,
        out: &mut tokio_postgres::types::private::BytesMut,
    ) -> Result<postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        use postgres::types::Type;
        match (self, ty) {
            (Self::Null, _) => Ok(postgres::types::IsNull::Yes),
            (Self::Int(v), t) if *t == Type::INT4 => i32::try_from(*v)?.to_sql(ty, out),
            (Self::Int(v), t) if *t == Type::FLOAT8 => {
                #[allow(clippy::cast_precision_loss, reason = "the column holds doubles")]
                let real = *v as f64;
                real.to_sql(ty, out)
            }
            (Self::Int(v), t) if *t == Type::INT8 => v.to_sql(ty, out),
            (Self::Real(v), t) if *t == Type::FLOAT8 => v.to_sql(ty, out),
            (Self::Text(v), t) if *t == Type::TEXT || *t == Type::VARCHAR || *t == Type::NAME => v.to_sql(ty, out),
            (Self::Blob(v), t) if *t == Type::BYTEA => v.to_sql(ty, out),
            (value, _) => Err(format!("a {} parameter cannot hold {}", ty.name(), value.kind()).into()),
        }
    }

    fn accepts(_: &postgres::types::Type) -> bool {
        true
    }

    postgres::types::to_sql_checked!();
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a real number",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytes",
        }
    }
}
