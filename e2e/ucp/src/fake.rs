//! An engine for tests: a socket in a temporary directory, answered by a function.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::UnixListener;

use crate::engine::Engine;

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The path with its query.
    pub(crate) target: String,
    pub(crate) body: Value,
    pub(crate) has_login: bool,
}

/// A fake engine; it ends with the runtime of its test.
pub(crate) struct Fake {
    directory: TempDir,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    /// Starts one.
    pub(crate) fn start(answer: impl Fn(&Seen) -> (u16, String) + Send + Sync + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("docker.sock")).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (requests, answer) = (Arc::clone(&seen), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                let service = service_fn(move |request| {
                    let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                    async move {
                        let seen = read(request).await;
                        requests.lock().unwrap().push(seen.clone());
                        let (status, body) = answer(&seen);
                        let body = Full::new(Bytes::from(body));
                        let response = Response::builder().status(status).body(body);
                        Ok::<_, Infallible>(response.unwrap())
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self { directory, seen }
    }

    /// Returns a client of it.
    pub(crate) fn engine(&self) -> Engine {
        Engine::at(self.directory.path().join("docker.sock"))
    }

    /// Returns what came so far.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn read(request: Request<Incoming>) -> Seen {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        target: parts.uri.to_string(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        has_login: parts.headers.contains_key("x-registry-auth"),
    }
}
