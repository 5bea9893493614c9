//! Requests to a controller and its answers.

use std::fmt;

use serde_json::{Value, json};

use crate::bundle::Entry;

/// A request.
#[derive(Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// What follows the `?`.
    pub query: Option<String>,
    /// The value of the header `Host`.
    pub host: Option<String>,
    /// The value of the header `Authorization`.
    pub authorization: Option<String>,
    /// Whether the client has shown a certificate that the cluster has signed.
    pub has_certificate: bool,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.path)
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The methods that the path has, where another was tried.
    pub allow: Option<&'static str>,
    /// The body.
    pub body: Body,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// `text/plain`.
    Text(String),
    /// `application/json`.
    Json(Vec<u8>),
    /// `application/zip`, packed by [`content`](crate::wire::content).
    Archive(Vec<Entry>),
}

impl Answer {
    /// Answers with text.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self::with(status, Body::Text(text.into()))
    }

    /// Answers with a value.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::with(status, Body::Json(value.to_string().into_bytes()))
    }

    /// Answers with what is wrong, in the form that MKE has for it.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let error = json!({ "code": code, "message": message });
        Self::json(status, &json!({ "errors": [error] }))
    }

    /// Answers with a body.
    pub fn with(status: u16, body: Body) -> Self {
        Self {
            status,
            allow: None,
            body,
        }
    }
}
