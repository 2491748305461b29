//! The outermost layer: a request id before anything runs, and on the way out whatever failure nobody rendered.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::{Join, Map, Ready, join, ready};
use http::header;
use kernel::{Ambient, Error, RequestId};
use tower::{Layer, Service};

use crate::identity::RequestIdentity;
use crate::problem::{ErrorForm, problem, render};

/// The form in which the route that failed shows its errors, in the response's extensions.
#[derive(Clone)]
pub(crate) struct RouteForm(pub(crate) ErrorForm);

/// See the module.
#[derive(Clone)]
pub(crate) struct Finish {
    ambient: Ambient,
}

impl Finish {
    pub(crate) fn new(ambient: Ambient) -> Self {
        Self { ambient }
    }
}

impl<S> Layer<S> for Finish {
    type Service = Finishing<S>;

    fn layer(&self, inner: S) -> Finishing<S> {
        Finishing { inner, ambient: self.ambient.clone() }
    }
}

type Settle<E> = fn((Result<Response, E>, RequestId)) -> Result<Response, E>;

/// The service of [`Finish`].
#[derive(Clone)]
pub(crate) struct Finishing<S> {
    inner: S,
    ambient: Ambient,
}

impl<S> Service<Request> for Finishing<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Map<Join<S::Future, Ready<RequestId>>, Settle<S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let id = RequestIdentity::ensure(request.extensions_mut(), &self.ambient);
        let settle: Settle<S::Error> = |(outcome, id)| outcome.map(|response| finish(response, id));
        join(self.inner.call(request), ready(id)).map(settle)
    }
}

fn finish(mut response: Response, id: RequestId) -> Response {
    let Some(error) = response.extensions_mut().remove::<Arc<Error>>() else {
        RequestIdentity::stamp(response.headers_mut(), id);
        return response;
    };
    let form = response.extensions_mut().remove::<RouteForm>().map_or_else(problem, |form| form.0);
    let mut rendered = render(&error, form.as_ref(), id);
    // What was said beside the body stays said: Allow, rate limit fields.
    for name in response.headers().keys() {
        if name == header::CONTENT_LENGTH || rendered.headers().contains_key(name) {
            continue;
        }
        for value in response.headers().get_all(name) {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    rendered
}
