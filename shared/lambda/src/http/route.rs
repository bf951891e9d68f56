//! Route tables: one line per operation, from which the router, the OpenAPI document and the tests are made.
//!
//! A function's table is generic over what its handlers need (`S`, its use cases), and only as data: handlers are boxed here and the state is
//! bound before anything runs, so the request pipeline and the Lambda entry exist once, in this crate, whatever the function.
//! Compiled anew in each of them they made its release build 19 CPU-seconds long instead of one.
//!
//! Whether a route is public is the type of its handler: one that takes a [`Caller`] needs a key.

use std::fmt;
use std::sync::Arc;

use agentwarm_core::error::ErrorCode;
use futures::future::BoxFuture;
use http::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::auth::Caller;
use super::body::DEFAULT_MAX_BODY;
use super::fields::{FromFields, ObjectSchema, schema_of};
use super::request::Request;
use super::response::{Answer, Response};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody (decision 3).
    Public,
    /// Whoever has an API key.
    Key,
}

/// What is known of a route without running it.
#[derive(Clone)]
pub struct RouteSpec {
    /// Its method.
    pub method: Method,
    /// Its path, with parameters as in `/api/accounts/{id}`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// Its name in the OpenAPI document, such as `listAccounts`.
    pub operation: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// The group that it is listed in.
    pub tag: &'static str,
    /// The codes that its use case can answer with; those of the pipeline are added by themselves.
    pub errors: &'static [ErrorCode],
    /// The largest body, in bytes.
    pub max_body: usize,
    /// Whether it is an operation of its own, to be documented, and not a part of one, as a page's script is.
    pub is_operation: bool,
    pub(super) too_large: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) body: Option<fn() -> ObjectSchema>,
    pub(super) body_example: Option<fn() -> Value>,
    pub(super) path_fields: Option<fn() -> ObjectSchema>,
    pub(super) query: Option<fn() -> ObjectSchema>,
    pub(super) answers: Vec<AnswerSpec>,
}

/// One documented answer.
#[derive(Clone)]
pub(super) struct AnswerSpec {
    pub(super) status: StatusCode,
    pub(super) description: &'static str,
    pub(super) content: Content,
    pub(super) example: Option<fn() -> Value>,
}

#[derive(Clone)]
pub(super) enum Content {
    Nothing,
    Json(fn(&mut SchemaGenerator) -> Schema),
    Text(&'static str),
}

type KeyHandler<S> =
    Arc<dyn Fn(Arc<S>, Caller, Request) -> BoxFuture<'static, Answer> + Send + Sync>;
type PublicHandler<S> = Arc<dyn Fn(Arc<S>, Request) -> BoxFuture<'static, Answer> + Send + Sync>;

enum Handler<S> {
    Key(KeyHandler<S>),
    Public(PublicHandler<S>),
}

/// An operation and its handler.
pub struct Route<S> {
    spec: RouteSpec,
    handler: Handler<S>,
}

/// A function's route table.
pub struct Routes<S> {
    tag: &'static str,
    routes: Vec<Route<S>>,
}

/// A route whose handler has what it needs.
pub struct BoundRoute {
    pub(super) spec: RouteSpec,
    pub(super) handler: BoundHandler,
}

pub(super) enum BoundHandler {
    Key(Arc<dyn Fn(Caller, Request) -> BoxFuture<'static, Answer> + Send + Sync>),
    Public(Arc<dyn Fn(Request) -> BoxFuture<'static, Answer> + Send + Sync>),
}

impl<S: Send + Sync + 'static> Route<S> {
    /// An operation that needs a key.
    pub fn new<F, A>(method: Method, path: &'static str, handler: F) -> Self
    where
        F: Fn(Arc<S>, Caller, Request) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let handler: KeyHandler<S> =
            Arc::new(move |state, caller, request| Box::pin(handler(state, caller, request)));
        Self {
            spec: RouteSpec::new(method, path, Access::Key),
            handler: Handler::Key(handler),
        }
    }

    /// An operation that anybody may use.
    pub fn public<F, A>(method: Method, path: &'static str, handler: F) -> Self
    where
        F: Fn(Arc<S>, Request) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let handler: PublicHandler<S> =
            Arc::new(move |state, request| Box::pin(handler(state, request)));
        Self {
            spec: RouteSpec::new(method, path, Access::Public),
            handler: Handler::Public(handler),
        }
    }

    /// A part of a public page: constant, for everybody, and in no document.
    pub fn file(path: &'static str, content_type: &'static str, content: &'static str) -> Self {
        let mut route = Self::public(Method::GET, path, move |_, _| async move {
            Response::document(content_type, content)
        });
        route.spec.is_operation = false;
        route
    }

    /// Its name (unique in the API) and what it does, in a line.
    #[must_use]
    pub fn named(mut self, operation: &'static str, summary: &'static str) -> Self {
        self.spec.operation = operation;
        self.spec.summary = summary;
        self
    }

    /// What else there is to know of it.
    #[must_use]
    pub fn about(mut self, description: &'static str) -> Self {
        self.spec.description = Some(description);
        self
    }

    /// It takes a body, which the handler reads with [`Request::json`].
    #[must_use]
    pub fn takes<T: FromFields>(mut self) -> Self {
        self.spec.body = Some(schema_of::<T>);
        self
    }

    /// An example of its body.
    #[must_use]
    pub fn for_example(mut self, body: fn() -> Value) -> Self {
        self.spec.body_example = Some(body);
        self
    }

    /// It takes a body of up to so many bytes; `too_large` says to whoever sends more what to do, after how many are taken.
    #[must_use]
    pub fn up_to(mut self, max_body: usize, too_large: &'static str) -> Self {
        self.spec.max_body = max_body;
        self.spec.too_large = too_large;
        self
    }

    /// Its path has parameters that are no ids of ours, which the handler reads with [`Request::path`].
    #[must_use]
    pub fn at<T: FromFields>(mut self) -> Self {
        self.spec.path_fields = Some(schema_of::<T>);
        self
    }

    /// It takes query parameters, which the handler reads with [`Request::query`].
    #[must_use]
    pub fn filters<T: FromFields>(mut self) -> Self {
        self.spec.query = Some(schema_of::<T>);
        self
    }

    /// It answers `status` with this JSON.
    #[must_use]
    pub fn answers<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        let schema = SchemaGenerator::subschema_for::<T>;
        self.answering(status, description, Content::Json(schema))
    }

    /// It answers `status` without a body.
    #[must_use]
    pub fn answers_nothing(self, status: u16, description: &'static str) -> Self {
        self.answering(status, description, Content::Nothing)
    }

    /// It answers `status` with a text of this media type.
    #[must_use]
    pub fn answers_text(
        self,
        status: u16,
        media_type: &'static str,
        description: &'static str,
    ) -> Self {
        self.answering(status, description, Content::Text(media_type))
    }

    /// An example of the answer that was declared last.
    #[must_use]
    pub fn such_as(mut self, answer: fn() -> Value) -> Self {
        if let Some(last) = self.spec.answers.last_mut() {
            last.example = Some(answer);
        }
        self
    }

    /// The codes that its use case can answer with.
    #[must_use]
    pub fn fails_with(mut self, errors: &'static [ErrorCode]) -> Self {
        self.spec.errors = errors;
        self
    }

    fn answering(mut self, status: u16, description: &'static str, content: Content) -> Self {
        self.spec.answers.push(AnswerSpec {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
            description,
            content,
            example: None,
        });
        self
    }

    fn bind(self, state: &Arc<S>) -> BoundRoute {
        let state = Arc::clone(state);
        let handler = match self.handler {
            Handler::Key(handler) => BoundHandler::Key(Arc::new(move |caller, request| {
                handler(Arc::clone(&state), caller, request)
            })),
            Handler::Public(handler) => BoundHandler::Public(Arc::new(move |request| {
                handler(Arc::clone(&state), request)
            })),
        };
        BoundRoute {
            spec: self.spec,
            handler,
        }
    }
}

macro_rules! methods {
    ($($name:ident = $method:ident),*) => {
        impl<S: Send + Sync + 'static> Route<S> {
            $(
                #[doc = concat!("A ", stringify!($method), " that needs a key.")]
                pub fn $name<F, A>(path: &'static str, handler: F) -> Self
                where
                    F: Fn(Arc<S>, Caller, Request) -> A + Send + Sync + 'static,
                    A: Future<Output = Answer> + Send + 'static,
                {
                    Self::new(Method::$method, path, handler)
                }
            )*
        }
    };
}

methods!(
    get = GET,
    post = POST,
    put = PUT,
    patch = PATCH,
    delete = DELETE
);

impl<S: Send + Sync + 'static> Routes<S> {
    /// A table whose operations are listed under `tag`.
    pub fn new(tag: &'static str) -> Self {
        Self {
            tag,
            routes: Vec::new(),
        }
    }

    /// Adds an operation.
    #[must_use]
    pub fn with(mut self, mut route: Route<S>) -> Self {
        route.spec.tag = self.tag;
        self.routes.push(route);
        self
    }

    /// What is known of the operations.
    pub fn specs(&self) -> Vec<RouteSpec> {
        self.routes.iter().map(|route| route.spec.clone()).collect()
    }

    /// Gives the handlers what they need.
    pub fn bind(self, state: S) -> Vec<BoundRoute> {
        self.bind_shared(&Arc::new(state))
    }

    /// Gives the handlers what they need and others hold too.
    pub fn bind_shared(self, state: &Arc<S>) -> Vec<BoundRoute> {
        self.routes
            .into_iter()
            .map(|route| route.bind(state))
            .collect()
    }
}

impl RouteSpec {
    fn new(method: Method, path: &'static str, access: Access) -> Self {
        Self {
            method,
            path,
            access,
            operation: "",
            summary: "",
            tag: "",
            errors: &[],
            max_body: DEFAULT_MAX_BODY,
            is_operation: true,
            too_large: "",
            description: None,
            body: None,
            body_example: None,
            path_fields: None,
            query: None,
            answers: Vec::new(),
        }
    }

    /// Whether its method takes a body.
    pub(super) fn may_have_body(&self) -> bool {
        [Method::POST, Method::PUT, Method::PATCH].contains(&self.method)
    }

    /// Whether an `Idempotency-Key` counts here: on writes with a body's methods (decision 8), and only where the user is known.
    pub(super) fn is_idempotent(&self) -> bool {
        self.access == Access::Key && self.may_have_body()
    }
}

impl fmt::Debug for RouteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({:?})", self.method, self.path, self.access)
    }
}
