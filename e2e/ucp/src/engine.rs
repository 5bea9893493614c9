//! A client of the engine's API over its socket.
//!
//! Paths have no version: every engine from 20.10 to 29 takes them as its own newest.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use standin::engine::{Login, Refusal};
use tokio::net::UnixStream;

use crate::world::refused;

/// How long an answer may take: managers without a quorum need 20 s to say so.
const LIMIT: Duration = Duration::from_secs(30);

/// How long an answer is waited for behind its limit: a process that was paused, and held with it,
/// wakes up behind every limit with the answer at its door.
const GRACE: Duration = Duration::from_millis(500);

/// The engine of this node.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    socket: PathBuf,
    limit: Duration,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Engine {
    /// Names the socket of an engine.
    pub(crate) fn at(socket: impl AsRef<Path>) -> Self {
        Self {
            socket: socket.as_ref().to_owned(),
            limit: LIMIT,
        }
    }

    /// Sets how long an answer may take.
    pub(crate) fn within(&self, limit: Duration) -> Self {
        Self {
            limit,
            ..self.clone()
        }
    }

    /// Sends a request and returns the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// Fails where no answer comes.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Refusal> {
        let what = request.uri().path().to_owned();
        let mut exchange = std::pin::pin!(self.exchange(request));
        for limit in [self.limit, GRACE] {
            if let Ok(answer) = tokio::time::timeout(limit, &mut exchange).await {
                return answer;
            }
        }
        let seconds = self.limit.as_secs();
        Err(refused(&format!(
            "the engine did not answer {what} in {seconds} s"
        )))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Refusal> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| {
            let socket = self.socket.display();
            refused(&format!("unable to reach the engine at {socket}: {error}"))
        })?;
        let broken = |error: hyper::Error| refused(&format!("the engine's answer broke: {error}"));
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // It ends with its sender; what goes wrong in it shows in the answer.
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(broken)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(broken)?;
        connection.abort();
        Ok(Answer {
            status,
            body: body.to_bytes(),
        })
    }

    /// Asks for a value.
    ///
    /// # Errors
    ///
    /// Fails where the engine refuses, or answers with something else.
    pub(crate) async fn json(&self, path: &str) -> Result<Value, Refusal> {
        let answer = self.send(request(Method::GET, path, None)?).await?.good()?;
        serde_json::from_slice(&answer.body)
            .map_err(|error| refused(&format!("the engine's answer to {path} is odd: {error}")))
    }

    /// Has something done.
    ///
    /// # Errors
    ///
    /// Fails where the engine refuses.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Refusal> {
        self.send(request(method, path, body)?).await?.good()
    }

    /// Pulls an image.
    ///
    /// # Errors
    ///
    /// Fails where the registry refuses, which the engine tells in the middle of a good answer.
    pub(crate) async fn pull(&self, image: &str, login: Option<&Login>) -> Result<(), Refusal> {
        let (name, tag) = match image.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (image, "latest"),
        };
        let path = format!(
            "/images/create?fromImage={}&tag={}",
            encode(name),
            encode(tag)
        );
        let mut request = request(Method::POST, &path, None)?;
        if let Some(login) = login {
            let auth = json!({ "username": login.username, "password": login.password });
            let auth = BASE64_URL_SAFE.encode(auth.to_string());
            let auth = header::HeaderValue::try_from(auth)
                .map_err(|error| refused(&format!("the login is odd: {error}")))?;
            request.headers_mut().insert("x-registry-auth", auth);
        }
        let answer = self.send(request).await?.good()?;
        let text = String::from_utf8_lossy(&answer.body);
        let error = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find_map(|line| line.get("error")?.as_str().map(str::to_owned));
        error.map_or(Ok(()), |error| Err(refused(&error)))
    }
}

impl Answer {
    /// Returns the answer unless it is a refusal.
    fn good(self) -> Result<Self, Refusal> {
        if self.status < 400 {
            return Ok(self);
        }
        let message = serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| body.get("message")?.as_str().map(str::to_owned));
        let text = String::from_utf8_lossy(&self.body).trim().to_owned();
        Err(Refusal {
            status: Some(self.status),
            message: message.unwrap_or(text),
        })
    }
}

pub(crate) fn request(
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Request<Full<Bytes>>, Refusal> {
    let body = body.map(Value::to_string).unwrap_or_default();
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "docker")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| refused(&format!("the request for {path} is odd: {error}")))
}

/// Makes a text fit for a query.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Fake;

    #[tokio::test]
    async fn a_refusal_has_the_words_of_the_engine() {
        let fake = Fake::start(|_| (409, r#"{"message":"name is in use"}"#.into()));

        let refusal = fake.engine().json("/x").await.unwrap_err();

        assert_eq!(refusal.status, Some(409));
        assert_eq!(refusal.message, "name is in use");
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_is_named() {
        let refusal = Engine::at("/nowhere/docker.sock").json("/info").await;

        let message = refusal.unwrap_err().message;
        assert!(message.contains("/nowhere/docker.sock"), "{message}");
    }

    #[tokio::test]
    async fn an_engine_that_is_silent_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("docker.sock");
        let _listener = tokio::net::UnixListener::bind(&socket).unwrap();

        let engine = Engine::at(&socket).within(Duration::from_millis(20));
        let refusal = engine.json("/info").await.unwrap_err();

        assert!(refusal.message.contains("did not answer"), "{refusal}");
    }

    #[tokio::test]
    async fn an_answer_that_came_during_a_pause_counts() {
        let fake = Fake::start(|_| (200, "{}".into()));
        let limit = Duration::from_millis(20);
        let engine = fake.engine().within(limit);
        let pause = async { std::thread::sleep(limit * 3) };

        let (answer, ()) = tokio::join!(engine.json("/info"), pause);

        assert!(answer.is_ok(), "{answer:?}");
    }

    #[tokio::test]
    async fn an_image_is_pulled_with_a_login() {
        let fake = Fake::start(|_| (200, "{\"status\":\"a\"}\r\n{\"status\":\"b\"}\r\n".into()));
        let login = Login {
            username: "u".to_owned(),
            password: "p".to_owned(),
        };

        let image = "registry.lab:5000/foo/ucp:3.8.8";
        fake.engine().pull(image, Some(&login)).await.unwrap();

        let request = &fake.requests()[0];
        assert_eq!(
            request.target,
            "/images/create?fromImage=registry.lab:5000/foo/ucp&tag=3.8.8"
        );
        assert!(request.has_login);
    }

    #[tokio::test]
    async fn a_pull_that_fails_half_way_is_a_failure() {
        let body = "{\"status\":\"a\"}\n{\"errorDetail\":{},\"error\":\"manifest unknown\"}\n";
        let fake = Fake::start(move |_| (200, body.into()));

        let refusal = fake.engine().pull("mirantis/x:1", None).await.unwrap_err();

        assert_eq!(refusal.message, "manifest unknown");
    }

    #[test]
    fn a_query_has_no_odd_characters() {
        assert_eq!(encode(r#"{"a":1}"#), "%7B%22a%22:1%7D");
    }
}
