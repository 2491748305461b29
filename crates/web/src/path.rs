//! Path parameters.

use std::any::type_name;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use kernel::{Error, Result};

use crate::failure::Failure;

/// The first parameter of the path. What cannot be a `T` cannot exist: a malformed id, bytes that are not UTF-8 and NUL answer 404 `not_found`,
/// as an id that never existed does. `T` is a typed id, an `IdRef`, an `EventId`, a `String` or whatever else reads from text.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

/// The first two parameters, such as `{id}` and `{keyId}`.
#[derive(Clone, Debug)]
pub struct Path2<A, B>(pub A, pub B);

/// The first three parameters.
#[derive(Clone, Debug)]
pub struct Path3<A, B, C>(pub A, pub B, pub C);

impl<T: FromStr, S: Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let texts = segments(parts).await?;
        Ok(Self(read(&texts, 0)?))
    }
}

impl<A: FromStr, B: FromStr, S: Sync> FromRequestParts<S> for Path2<A, B> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let texts = segments(parts).await?;
        Ok(Self(read(&texts, 0)?, read(&texts, 1)?))
    }
}

impl<A: FromStr, B: FromStr, C: FromStr, S: Sync> FromRequestParts<S> for Path3<A, B, C> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let texts = segments(parts).await?;
        Ok(Self(read(&texts, 0)?, read(&texts, 1)?, read(&texts, 2)?))
    }
}

async fn segments(parts: &mut Parts) -> Result<RawPathParams> {
    RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Error::not_found("thing"))
}

fn read<T: FromStr>(texts: &RawPathParams, at: usize) -> Result<T> {
    let (_, text) = texts.iter().nth(at).ok_or_else(|| Error::internal(format!("the path has no parameter {at}")))?;
    Some(text).filter(|text| !text.contains('\0')).and_then(|text| text.parse().ok()).ok_or_else(|| Error::not_found(&thing::<T>()))
}

/// What an id of type `T` names, for the sentence that a person reads: `client` of `ClientId` or `IdRef<ClientId>`.
fn thing<T>() -> String {
    let whole = type_name::<T>();
    let last = whole.trim_end_matches('>').rsplit([':', '<']).next().unwrap_or(whole);
    match last {
        "DestinationId" => "webhook".to_owned(),
        "ServiceKeyId" => "service key".to_owned(),
        "RestEndpointId" => "REST endpoint".to_owned(),
        _ => last.strip_suffix("Id").filter(|word| !word.is_empty()).map_or_else(|| "thing".to_owned(), str::to_ascii_lowercase),
    }
}

#[cfg(test)]
mod tests {
    use super::thing;
    use kernel::{ClientId, DestinationId, EventId, IdRef, TenantId};

    #[test]
    fn ids_tell_what_they_name() {
        assert_eq!(thing::<ClientId>(), "client");
        assert_eq!(thing::<IdRef<TenantId>>(), "tenant");
        assert_eq!(thing::<EventId>(), "event");
        assert_eq!(thing::<DestinationId>(), "webhook");
        assert_eq!(thing::<String>(), "thing");
    }
}
