//! Database faults as our errors.

use std::time::Duration;

use kernel::Error;

/// Marks a violated unique constraint, so that callers can tell it from other faults.
#[derive(Debug)]
struct UniqueViolation(String);

impl std::fmt::Display for UniqueViolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UniqueViolation {}

/// Whether a unique constraint was violated: the caller turns it into a conflict that says what is taken.
pub fn is_unique_violation(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<UniqueViolation>)
}

pub(crate) fn away(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::unavailable("database_unavailable", "The database does not answer at the moment. Try again shortly.")
        .retry_after(Duration::from_secs(1))
        .caused_by(source)
}

pub(crate) fn from_sqlite(error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => {
            let unique = matches!(
                error.sqlite_error().map(|e| e.extended_code),
                Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
            );
            if unique { Error::internal(UniqueViolation(error.to_string())) } else { Error::internal(error) }
        }
        Some(
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly,
        ) => away(error),
        Some(ErrorCode::OperationInterrupted) => crate::stop::too_slow(error),
        _ => Error::internal(error),
    }
}

pub(crate) fn from_postgres(error: postgres::Error) -> Error {
    use postgres::error::SqlState;
    if error.is_closed() {
        return away(error);
    }
    match error.code() {
        Some(code) if *code == SqlState::UNIQUE_VIOLATION => Error::internal(UniqueViolation(error.to_string())),
        Some(code) if *code == SqlState::T_R_DEADLOCK_DETECTED || *code == SqlState::T_R_SERIALIZATION_FAILURE => away(error),
        Some(code) if *code == SqlState::QUERY_CANCELED => crate::stop::too_slow(error),
        Some(code) if code.code().starts_with("57") || code.code().starts_with("08") || code.code().starts_with("53") => away(error),
        Some(_) => {
            let text = error.as_db_error().map_or_else(|| error.to_string(), |db| format!("{}: {}", db.code().code(), db.message()));
            Error::internal(text)
        }
        // No SQLSTATE: the connection broke, or a parameter could not be encoded.
        None if std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>) => away(error),
        None => Error::internal(error),
    }
}
