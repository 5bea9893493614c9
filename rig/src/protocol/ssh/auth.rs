//! Logging in: the methods, one after the other, and what became of each attempt.

use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse, Prompt};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKeyWithHashAlg};
use russh::{MethodKind, MethodSet};
use secrecy::ExposeSecret as _;
use tokio::net::UnixStream;

use super::algorithms::Algorithms;
use super::channel::Shared;
use super::config::Methods;
use super::handshake::Client;
use super::offers::{Credential, Offer, Signer};
use super::passwords::{AskPassword, PasswordQuestion, Passwords};
use super::signing::Pen;
use crate::connection::ConnectError;
use crate::observer::printable;

/// The methods that are known here, in the order of OpenSSH.
const KNOWN: [MethodKind; 3] = [
    MethodKind::PublicKey,
    MethodKind::KeyboardInteractive,
    MethodKind::Password,
];
/// A host that asks more often does not want to be answered.
const ROUNDS: usize = 16;
/// What sshd says when MaxAuthTries is reached.
const TOO_MANY: &str = "Too many authentication failures";

/// A connection to an agent, and the keys that it holds.
pub(super) struct Agent {
    pub(super) client: AgentClient<UnixStream>,
    pub(super) identities: Vec<AgentIdentity>,
}

/// Asks an agent for its keys.
pub(super) async fn ask_agent(socket: &std::path::Path) -> Result<Agent, String> {
    let path = socket.display();
    let mut client = match AgentClient::connect_uds(socket).await {
        Ok(client) => client,
        Err(russh::keys::Error::IO(error)) => {
            return Err(match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no agent at {path}"),
                std::io::ErrorKind::ConnectionRefused => {
                    format!("the agent at {path} is gone, only its socket is left")
                }
                std::io::ErrorKind::PermissionDenied => {
                    format!("the agent at {path} is another user's")
                }
                _ => format!("the agent at {path} cannot be reached: {error}"),
            });
        }
        Err(error) => return Err(format!("the agent at {path} cannot be reached: {error}")),
    };
    match client.request_identities().await {
        Ok(identities) => Ok(Agent { client, identities }),
        Err(error) => Err(format!(
            "the agent at {path} does not list its keys: {error}"
        )),
    }
}

/// Who gives passwords, and where they are kept.
#[derive(Clone, Copy)]
pub(super) struct PasswordSource<'a> {
    pub(super) ask: &'a dyn AskPassword,
    pub(super) kept: &'a Passwords,
}

/// Who logs in, where, and how.
pub(super) struct Login<'a> {
    pub(super) user: &'a str,
    pub(super) target: &'a str,
    pub(super) shared: &'a Shared,
    pub(super) methods: &'a Methods,
    pub(super) algorithms: &'a Algorithms,
    pub(super) offer: &'a Offer,
    /// Nothing where passwords are not to be used.
    pub(super) passwords: Option<PasswordSource<'a>>,
}

impl Login<'_> {
    /// Returns the methods to try, best first.
    fn order(&self) -> Vec<MethodKind> {
        let is_allowed = |method: &MethodKind| match method {
            MethodKind::PublicKey => self.methods.public_key,
            MethodKind::KeyboardInteractive => {
                self.methods.keyboard_interactive && self.passwords.is_some()
            }
            MethodKind::Password => self.methods.password && self.passwords.is_some(),
            MethodKind::None | MethodKind::HostBased | MethodKind::GssapiWithMic => false,
        };
        let known = |name: &String| KNOWN.into_iter().find(|method| name_of(method) == *name);
        let order: Vec<MethodKind> = match &self.methods.preferred {
            Some(names) => names.iter().filter_map(known).collect(),
            None => KNOWN.to_vec(),
        };
        order.into_iter().filter(is_allowed).collect()
    }
}

fn name_of(method: &MethodKind) -> String {
    String::from(method)
}

/// What became of one attempt.
enum Answer {
    Accepted,
    Refused {
        remaining: MethodSet,
        is_partial: bool,
    },
    /// It was not made, or not finished.
    Skipped(String),
}

impl From<AuthResult> for Answer {
    fn from(result: AuthResult) -> Self {
        match result {
            AuthResult::Success => Self::Accepted,
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => Self::Refused {
                remaining: remaining_methods,
                is_partial: partial_success,
            },
        }
    }
}

/// What follows an attempt.
enum Next {
    Done,
    /// The method has more to try.
    GoOn,
    /// The method has nothing more, or the host does not want it.
    OtherMethod,
    /// The host accepted it, and wants one more.
    Again,
}

/// One login.
struct Attempt<'a> {
    login: &'a Login<'a>,
    handle: &'a mut Handle<Client>,
    agent: Option<AgentClient<UnixStream>>,
    /// How many of the keys were offered.
    offered: usize,
    /// How often a password was given.
    given: u32,
    tried: Vec<String>,
    /// What the host accepted last.
    accepted: Option<String>,
    /// The methods that the host would go on with; nothing before it says so.
    remaining: Option<MethodSet>,
    rsa: Option<Option<HashAlg>>,
}

/// Logs in, and returns what has opened the door; or says what was tried.
pub(super) async fn log_in(
    login: &Login<'_>,
    handle: &mut Handle<Client>,
    agent: Option<AgentClient<UnixStream>>,
) -> Result<String, ConnectError> {
    let mut attempt = Attempt {
        login,
        handle,
        agent,
        offered: 0,
        given: 0,
        tried: Vec::new(),
        accepted: None,
        remaining: None,
        rsa: None,
    };
    // Each further round needs a method that the host accepted.
    for _ in 0..ROUNDS {
        match attempt.round().await {
            Next::Done => {
                let opened = attempt.accepted.take();
                return Ok(opened.unwrap_or_else(|| "nothing: the host asks for no key".to_owned()));
            }
            Next::Again => {}
            Next::GoOn | Next::OtherMethod => break,
        }
    }
    Err(attempt.error())
}

impl Attempt<'_> {
    /// Goes through the methods once.
    async fn round(&mut self) -> Next {
        for method in self.login.order() {
            if method != MethodKind::PublicKey
                && let Next::Done = self.learn().await
            {
                return Next::Done;
            }
            let is_wanted = |remaining: &MethodSet| remaining.contains(&method);
            if self.handle.is_closed() || !self.remaining.as_ref().is_none_or(is_wanted) {
                continue;
            }
            let next = match method {
                MethodKind::PublicKey => self.keys().await,
                MethodKind::KeyboardInteractive => self.interactive().await,
                _ => self.password().await,
            };
            match next {
                Next::Done | Next::Again => return next,
                Next::GoOn | Next::OtherMethod => {}
            }
        }
        Next::OtherMethod
    }

    /// Asks which methods the host wants, where it has not said so: no password is given for
    /// nothing.
    async fn learn(&mut self) -> Next {
        if self.remaining.is_some() || self.handle.is_closed() {
            return Next::GoOn;
        }
        match self.handle.authenticate_none(self.login.user).await {
            Ok(AuthResult::Success) => Next::Done,
            Ok(AuthResult::Failure {
                remaining_methods, ..
            }) => {
                self.remaining = Some(remaining_methods).filter(|methods| !methods.is_empty());
                Next::GoOn
            }
            // The next attempt says the same, and why.
            Err(_error) => Next::GoOn,
        }
    }

    /// Takes an answer in.
    fn judge(&mut self, method: MethodKind, what: String, answer: Answer) -> Next {
        match answer {
            Answer::Accepted => {
                self.accepted = Some(what);
                Next::Done
            }
            Answer::Skipped(why) => {
                self.tried.push(format!("{what}: {why}"));
                Next::GoOn
            }
            Answer::Refused {
                remaining,
                is_partial,
            } => {
                let partly = if is_partial {
                    ": accepted, but not enough"
                } else {
                    ""
                };
                self.tried.push(format!("{what}{partly}"));
                // Nothing at all is what a connection that ended looks like.
                if remaining.is_empty() {
                    return Next::OtherMethod;
                }
                let goes_on = remaining.contains(&method);
                self.remaining = Some(remaining);
                match (is_partial, goes_on) {
                    (true, _) => Next::Again,
                    (false, true) => Next::GoOn,
                    (false, false) => Next::OtherMethod,
                }
            }
        }
    }

    /// Offers the keys one after the other.
    async fn keys(&mut self) -> Next {
        let offer = self.login.offer;
        while let Some(credential) = offer.credentials.get(self.offered) {
            self.offered += 1;
            let answer = self.key(credential).await;
            let next = self.judge(MethodKind::PublicKey, credential.describe(), answer);
            if !matches!(next, Next::GoOn) || self.handle.is_closed() {
                return next;
            }
        }
        Next::OtherMethod
    }

    async fn key(&mut self, credential: &Credential) -> Answer {
        let is_rsa = credential.algorithm().is_rsa();
        let mut hash = None;
        if is_rsa {
            hash = self.rsa_hash().await;
            if hash.is_none() && !self.login.algorithms.accepts_sha1() {
                let why = "the server accepts RSA keys with SHA-1 only";
                return Answer::Skipped(why.to_owned());
            }
        }
        let Some(mut pen) = Pen::new(&credential.signer, self.agent.as_mut()) else {
            return Answer::Skipped("the agent is gone".to_owned());
        };
        let user = self.login.user;
        let result = match (&credential.certificate, &credential.signer) {
            // A key at hand signs at once, which saves a round trip; what an agent or a card signs is
            // offered first, since it may ask somebody.
            (None, Signer::Key(key)) => {
                let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
                let answer = self.handle.authenticate_publickey(user, key).await;
                answer.map_err(|error| error.to_string())
            }
            (Some(certificate), _) => {
                let certificate = (**certificate).clone();
                self.handle
                    .authenticate_certificate_with(user, certificate, hash, &mut pen)
                    .await
                    .map_err(|error| error.to_string())
            }
            (None, Signer::Agent(_)) => {
                let key = pen.public_key();
                self.handle
                    .authenticate_publickey_with(user, key, hash, &mut pen)
                    .await
                    .map_err(|error| error.to_string())
            }
        };
        match result {
            Ok(result) => result.into(),
            Err(why) => Answer::Skipped(why),
        }
    }

    /// How to sign with RSA keys here; nothing where the server wants SHA-1.
    async fn rsa_hash(&mut self) -> Option<HashAlg> {
        if let Some(known) = self.rsa {
            return known;
        }
        let hash = match self.handle.best_supported_rsa_hash().await {
            Ok(Some(hash)) => hash,
            // The server does not say; every one that is still in use knows this.
            Ok(None) | Err(_) => Some(HashAlg::Sha256),
        };
        self.rsa = Some(hash);
        hash
    }

    async fn password(&mut self) -> Next {
        while self.given < self.login.methods.prompts {
            let Some(password) = self.give_password().await else {
                return Next::OtherMethod;
            };
            let password = password.expose_secret().to_owned();
            let user = self.login.user;
            let answer = match self.handle.authenticate_password(user, password).await {
                Ok(result) => result.into(),
                Err(error) => Answer::Skipped(error.to_string()),
            };
            let next = self.judge(MethodKind::Password, "a password".to_owned(), answer);
            if !matches!(next, Next::GoOn) || self.handle.is_closed() {
                return next;
            }
        }
        Next::OtherMethod
    }

    async fn interactive(&mut self) -> Next {
        while self.given < self.login.methods.prompts {
            let before = self.given;
            let answer = self.dialogue().await;
            let what = "keyboard-interactive".to_owned();
            let was_asked = self.given > before;
            let is_skipped = matches!(answer, Answer::Skipped(_));
            let next = self.judge(MethodKind::KeyboardInteractive, what, answer);
            // Without a question that was answered the next time would be the same.
            let is_over = is_skipped || !was_asked || self.handle.is_closed();
            if !matches!(next, Next::GoOn) || is_over {
                return match next {
                    Next::GoOn => Next::OtherMethod,
                    next => next,
                };
            }
        }
        Next::OtherMethod
    }

    /// Answers what the host asks.
    async fn dialogue(&mut self) -> Answer {
        let user = self.login.user;
        let started = self
            .handle
            .authenticate_keyboard_interactive_start(user, None);
        let mut response = started.await;
        for _ in 0..ROUNDS {
            let prompts = match response {
                Ok(KeyboardInteractiveAuthResponse::Success) => return Answer::Accepted,
                Ok(KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                }) => {
                    return Answer::Refused {
                        remaining: remaining_methods,
                        is_partial: partial_success,
                    };
                }
                Ok(KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. }) => prompts,
                Err(error) => return Answer::Skipped(error.to_string()),
            };
            let mut answers = Vec::new();
            let mut unanswered = None;
            for prompt in &prompts {
                match self.answer(prompt).await {
                    Some(answer) => answers.push(answer),
                    None => {
                        unanswered = Some(plain(&prompt.prompt));
                        answers.push(String::new());
                    }
                }
            }
            // An empty answer: the host waits for one before anything else can be tried.
            let respond = self
                .handle
                .authenticate_keyboard_interactive_respond(answers);
            response = respond.await;
            if let Some(prompt) = unanswered {
                match &response {
                    Ok(KeyboardInteractiveAuthResponse::Success) => return Answer::Accepted,
                    Ok(KeyboardInteractiveAuthResponse::Failure {
                        remaining_methods, ..
                    }) => self.remaining = Some(remaining_methods.clone()),
                    Ok(KeyboardInteractiveAuthResponse::InfoRequest { .. }) | Err(_) => {}
                }
                return Answer::Skipped(format!("nobody answered `{prompt}`"));
            }
        }
        Answer::Skipped("the host did not stop asking".to_owned())
    }

    async fn answer(&mut self, prompt: &Prompt) -> Option<String> {
        let text = plain(&prompt.prompt);
        if !prompt.echo && text.to_lowercase().contains("password") {
            let password = self.give_password().await?;
            return Some(password.expose_secret().to_owned());
        }
        let source = self.login.passwords?;
        let question = PasswordQuestion {
            user: self.login.user,
            target: self.login.target,
            prompt: Some(&text),
            again: false,
        };
        let answer = source.kept.ask(source.ask, question).await?;
        self.given += 1;
        Some(answer.expose_secret().to_owned())
    }

    async fn give_password(&mut self) -> Option<secrecy::SecretString> {
        let source = self.login.passwords?;
        let question = PasswordQuestion {
            user: self.login.user,
            target: self.login.target,
            prompt: None,
            again: self.given > 0,
        };
        let password = source.kept.find(source.ask, question).await;
        if password.is_some() {
            self.given += 1;
        }
        password
    }

    /// Says what was tried, and what the host said.
    fn error(mut self) -> ConnectError {
        let (user, target) = (self.login.user.to_owned(), self.login.target.to_owned());
        let ended = self.handle.is_closed().then(|| {
            let reason = self.login.shared.reason();
            reason.unwrap_or_else(|| "it closed the connection".to_owned())
        });
        if let Some(reason) = ended.as_ref().filter(|reason| reason.contains(TOO_MANY)) {
            let left = self.login.offer.credentials.len() - self.offered;
            return ConnectError::TooManyAttempts {
                user,
                target,
                attempts: self.tried.len(),
                left,
                reason: reason.clone(),
            };
        }
        if let (None, Some(reason)) = (&self.remaining, &ended) {
            let reason = reason.clone();
            return ConnectError::ResetBeforeAuth { target, reason };
        }
        let methods: Vec<String> = match &self.remaining {
            Some(methods) => methods.iter().map(name_of).collect(),
            None => vec!["nothing that is known here".to_owned()],
        };
        let mut accepted = methods.join(", ");
        if let Some(reason) = ended {
            accepted = format!("{accepted} ({reason})");
        }
        let passed_over = &self.login.offer.passed_over;
        if !passed_over.is_empty() {
            let text = format!("not used: {}", passed_over.join(", "));
            self.tried.push(text);
        }
        let tried = self.tried.join("; ");
        match &self.login.offer.agent_fault {
            Some(agent) => ConnectError::Agent {
                agent: agent.clone(),
                user,
                target,
                tried: if tried.is_empty() {
                    "no key".to_owned()
                } else {
                    tried
                },
            },
            None => ConnectError::Auth {
                user,
                target,
                tried,
                accepted,
            },
        }
    }
}

/// A text of the host, as it may be shown.
fn plain(text: &str) -> String {
    let shown: String = printable(text).chars().take(200).collect();
    shown.trim().to_owned()
}
