//! What is answered: in the product's envelope, or as the endpoint's own template says.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use blueprint::answer::{Answer, Context};
use blueprint::model;
use http::{HeaderValue, StatusCode, header};
use kernel::{Error, Page, Timestamp};
use serde_json::{Value, json};
use web::{Json, Result};

use super::Asked;
use super::envelope::Wrap;

/// What an operation found.
pub(super) enum Found {
    /// One thing.
    One(Value),
    /// A new thing, and where it is.
    New(String, Value),
    /// A part of many.
    Page(Page<Value>),
    /// Nothing to show.
    Nothing,
}

/// How an endpoint answers.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) wrap: Wrap,
    answer: Option<Answer>,
    status: Option<StatusCode>,
}

impl Reply {
    pub(super) fn of(endpoint: &model::Endpoint, wrap: Wrap) -> Self {
        let status = endpoint.status.and_then(|status| StatusCode::from_u16(status).ok());
        Self { wrap, answer: endpoint.answer.clone(), status }
    }

    /// The status of a success in place of the usual one.
    pub(super) fn status(&self) -> Option<u16> {
        self.status.map(|status| status.as_u16())
    }

    /// The template, if the endpoint has one.
    pub(super) fn template(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// The whole answer.
    pub(super) fn send(&self, found: Found, asked: &Asked, now: Timestamp) -> Result<Response> {
        let parameters = if self.answer.is_some() { Value::Object(asked.parameters()) } else { Value::Null };
        self.send_with(found, asked, &parameters, now)
    }

    /// The same, with the query's parameters as the endpoint understood them.
    pub(super) fn send_with(&self, found: Found, asked: &Asked, parameters: &Value, now: Timestamp) -> Result<Response> {
        let mut response = match &self.answer {
            None => self.wrapped(found)?,
            Some(template) => {
                let (plain, status, location) = plain(found)?;
                let path = asked.path();
                let body = template.render(&Context { answer: &plain, query: parameters, path: &path, now });
                let mut response = Json(body).into_response();
                *response.status_mut() = status;
                place(&mut response, location)?;
                response
            }
        };
        if let Some(status) = self.status {
            *response.status_mut() = status;
            if status == StatusCode::NO_CONTENT {
                *response.body_mut() = Body::empty();
                response.headers_mut().remove(header::CONTENT_TYPE);
            }
        }
        Ok(response)
    }

    fn wrapped(&self, found: Found) -> Result<Response> {
        Ok(match found {
            Found::One(value) => Json(self.wrap.one(value)).into_response(),
            Found::New(location, value) => self.wrap.created(location, value),
            Found::Page(page) => Json(self.wrap.page(page)).into_response(),
            Found::Nothing => self.wrap.done(),
        })
    }
}

/// What was found in the plain form, the usual status, and where a new thing is.
fn plain(found: Found) -> Result<(Value, StatusCode, Option<String>)> {
    Ok(match found {
        Found::One(value) => (value, StatusCode::OK, None),
        Found::New(location, value) => (value, StatusCode::CREATED, Some(location)),
        Found::Page(page) => {
            let pagination = serde_json::to_value(&page.pagination).map_err(Error::internal)?;
            (json!({"data": page.data, "pagination": pagination}), StatusCode::OK, None)
        }
        Found::Nothing => (Value::Null, StatusCode::OK, None),
    })
}

fn place(response: &mut Response, location: Option<String>) -> Result<()> {
    if let Some(location) = location {
        let value = HeaderValue::try_from(location).map_err(|_| Error::internal("a Location that no header can carry"))?;
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(())
}
