//! Logs in to MKE as the administrator of the configuration.

use std::time::Duration;

use config::Mke;
use hyper::StatusCode;
use rig::Host;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::api::{Answer, Api, ApiError};

/// How much of what MKE says about an error is shown, in characters.
const SAID: usize = 200;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The configuration does not say who logs in, or with which password.
    #[error("`spec.mke.{key}` is not set")]
    NoCredentials {
        /// The key that is missing.
        key: &'static str,
    },
    /// MKE does not take the password; asking again does not help.
    #[error("MKE does not accept the password of `{username}`")]
    Refused {
        /// Who was to log in.
        username: String,
    },
    /// MKE knows the user and does not let them in; asking again does not help.
    #[error("MKE does not let `{username}` log in")]
    Forbidden {
        /// Who was to log in.
        username: String,
    },
    /// MKE answered with an error.
    #[error("MKE answered the login with {0}")]
    Status(Complaint),
    /// MKE answered with something else than a token.
    #[error("MKE answered the login without a token")]
    NoToken(#[source] serde_json::Error),
    /// There was no answer.
    #[error("cannot log in to MKE")]
    Api(#[source] ApiError),
}

impl LoginError {
    /// Returns whether every manager would say the same.
    pub fn is_final(&self) -> bool {
        match self {
            Self::NoCredentials { .. } | Self::Refused { .. } | Self::Forbidden { .. } => true,
            Self::Status(_) | Self::NoToken(_) | Self::Api(_) => false,
        }
    }

    /// Returns one step that the user can take.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoCredentials { key } => Some(format!("set `spec.mke.{key}`")),
            Self::Refused { .. } => Some(
                "check `spec.mke.adminUsername` and `spec.mke.adminPassword`: a password that was \
                 changed in MKE has to be changed there, too"
                    .to_owned(),
            ),
            Self::Forbidden { .. } => {
                Some("check in MKE whether the user is active, and an administrator".to_owned())
            }
            Self::Status(_) | Self::NoToken(_) | Self::Api(_) => None,
        }
    }
}

/// An answer with a status that says that something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The status.
    pub status: StatusCode,
    /// What MKE says about it.
    pub said: Option<String>,
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "status {}", self.status.as_u16())?;
        match &self.said {
            Some(said) => write!(f, ": {said}"),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    message: String,
}

impl Complaint {
    /// Takes the status of an answer, and what it says: the messages of MKE's JSON, or the first
    /// line of another text.
    pub fn of(answer: &Answer) -> Self {
        let said = match serde_json::from_slice::<Errors>(&answer.body) {
            Ok(errors) => {
                let messages: Vec<String> =
                    errors.errors.into_iter().map(|one| one.message).collect();
                messages.join("; ")
            }
            // A proxy in between answers in HTML, which nobody wants to read here.
            Err(_) if answer.body.trim_ascii_start().starts_with(b"<") => String::new(),
            Err(_) => {
                let text = String::from_utf8_lossy(&answer.body);
                text.lines().next().unwrap_or_default().to_owned()
            }
        };
        let said: String = said
            .chars()
            .filter(|char| !char.is_control())
            .take(SAID)
            .collect();
        Self {
            status: answer.status,
            said: Some(said.trim().to_owned()).filter(|said| !said.is_empty()),
        }
    }
}

/// Who logs in, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The name.
    pub username: &'a str,
    /// The password.
    pub password: &'a SecretString,
}

impl<'a> Credentials<'a> {
    /// Takes those of a configuration.
    ///
    /// # Errors
    ///
    /// Fails where one of them is not set.
    pub fn of(mke: &'a Mke) -> Result<Self, LoginError> {
        let missing = |key| LoginError::NoCredentials { key };
        let username = mke.admin_username.as_deref();
        let password = mke.admin_password.as_ref();
        Ok(Self {
            username: username.ok_or_else(|| missing("adminUsername"))?,
            password: password.ok_or_else(|| missing("adminPassword"))?,
        })
    }
}

#[derive(Deserialize)]
struct Token {
    auth_token: String,
}

/// Logs in through the controller on `host`, and returns the token of the session.
///
/// # Errors
///
/// Fails where no verified answer comes within `limit`, or one without a token.
pub async fn log_in(
    api: &Api,
    host: &Host,
    credentials: Credentials<'_>,
    limit: Duration,
) -> Result<SecretString, LoginError> {
    let username = credentials.username.to_owned();
    let password = credentials.password.expose_secret();
    let body = serde_json::json!({ "username": username, "password": password });
    let answer = api
        .post_json(host, "/auth/login", body.to_string().into(), limit)
        .await
        .map_err(LoginError::Api)?;
    match answer.status {
        StatusCode::OK => serde_json::from_slice::<Token>(&answer.body)
            .map(|token| token.auth_token.into())
            .map_err(LoginError::NoToken),
        StatusCode::UNAUTHORIZED => Err(LoginError::Refused { username }),
        StatusCode::FORBIDDEN => Err(LoginError::Forbidden { username }),
        _ => Err(LoginError::Status(Complaint::of(&answer))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(status: u16, body: &'static str) -> String {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            body: body.into(),
        };
        Complaint::of(&answer).to_string()
    }

    #[test]
    fn what_mke_says_about_an_error_is_told() {
        let json = r#"{"errors":[{"code":"X","message":"no quorum"},{"message":"wait"}]}"#;

        assert_eq!(complaint(500, json), "status 500: no quorum; wait");
        assert_eq!(complaint(502, "gone\nfor good\n"), "status 502: gone");
        assert_eq!(complaint(502, " <html>nginx</html>"), "status 502");
        assert_eq!(complaint(503, ""), "status 503");
        assert_eq!(complaint(500, "\u{1b}[31mred"), "status 500: [31mred");
    }
}
