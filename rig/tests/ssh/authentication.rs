//! Logging in with certificates, agents, old keys and passwords.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rig::connection::SshEndpoint;
use rig::protocol::ssh::{
    AskPassphrase, AskPassword, OnePassword, PasswordQuestion, SshConnector, SshOptions,
};
use rig::{ConnectError, Connector as _, Endpoint};
use russh::server::{self, Auth, Response};
use russh::{MethodKind, MethodSet};
use secrecy::SecretString;
use tokio::net::TcpListener;

use crate::connecting::AgentOfOpenSsh;
use crate::server::{Server, connect, failed, keygen};

/// Signs a public key of a user; the certificate stands beside, as `<key>-cert.pub`.
fn sign(authority: &Path, key: &Path) {
    let mut public = key.as_os_str().to_owned();
    public.push(".pub");
    let output = Command::new("ssh-keygen")
        .args(["-q", "-I", "someone", "-n", &crate::server::user(), "-s"])
        .arg(authority)
        .arg(public)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A server that accepts nobody but those whom an authority signed.
fn server_with_authority() -> (Server, PathBuf) {
    let keys = tempfile::tempdir().unwrap();
    let authority = keys.path().join("authority");
    keygen(&authority, "ed25519", &[]);
    let public = with_suffix(&authority, ".pub");
    let server = Server::with(&format!("TrustedUserCAKeys {}", public.display()));
    fs::write(server.path("authorized"), "").unwrap();
    let kept = keys.keep();
    (server, kept.join("authority"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_beside_its_key_opens_the_door() {
    let (server, authority) = server_with_authority();
    for (index, (kind, arguments)) in [
        ("ed25519", &[][..]),
        ("rsa", &["-b", "2048"][..]),
        ("ecdsa", &["-b", "256"][..]),
    ]
    .into_iter()
    .enumerate()
    {
        let key = server.path(&format!("signed-{index}"));
        keygen(&key, kind, arguments);
        let mut endpoint = server.endpoint();
        endpoint.key_path = Some(key.clone());
        failed(connect(server.options(), endpoint.clone()).await);
        sign(&authority, &key);

        let connected = connect(server.options(), endpoint).await;

        assert!(connected.is_ok(), "{kind}: {:?}", connected.err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_file_goes_with_a_key_of_the_agent() {
    let (server, authority) = server_with_authority();
    let socket = server.path("agent");
    let _agent = AgentOfOpenSsh::start(&socket);
    let key = server.path("signed");
    keygen(&key, "rsa", &["-b", "2048"]);
    AgentOfOpenSsh::add(&socket, &key);
    sign(&authority, &key);
    fs::remove_file(&key).unwrap();
    fs::rename(with_suffix(&key, "-cert.pub"), server.path("c.pub")).unwrap();
    let text = format!("CertificateFile {}\n", server.path("c.pub").display());
    fs::write(server.path(".ssh/config"), text).unwrap();
    let mut options = server.options();
    options.agent = Some(socket);

    let connected = connect(options, server.endpoint()).await;

    assert!(connected.is_ok(), "{:?}", connected.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_agent_opens_the_door() {
    let (server, authority) = server_with_authority();
    let socket = server.path("agent");
    let _agent = AgentOfOpenSsh::start(&socket);
    let key = server.path("signed");
    keygen(&key, "ed25519", &[]);
    sign(&authority, &key);
    // `ssh-add` takes the certificate beside the key, too.
    AgentOfOpenSsh::add(&socket, &key);
    for suffix in ["", ".pub", "-cert.pub"] {
        fs::remove_file(with_suffix(&key, suffix)).unwrap();
    }
    let mut options = server.options();
    options.default_identities = Vec::new();
    options.agent = Some(socket);

    let connected = connect(options, server.endpoint()).await;

    assert!(connected.is_ok(), "{:?}", connected.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_keys_in_the_agent_the_named_one_is_offered_first() {
    let server = Server::with("MaxAuthTries 3");
    let socket = server.path("agent");
    let _agent = AgentOfOpenSsh::start(&socket);
    for index in 0..12 {
        let key = server.path(&format!("other-{index}"));
        keygen(&key, "ed25519", &[]);
        AgentOfOpenSsh::add(&socket, &key);
    }
    let right = server.path("right");
    keygen(&right, "ed25519", &[]);
    server.authorize(&right);
    AgentOfOpenSsh::add(&socket, &right);
    fs::remove_file(&right).unwrap();
    let mut options = server.options();
    options.agent = Some(socket);
    options.default_identities = Vec::new();

    let error = failed(connect(options.clone(), server.endpoint()).await);
    let text = format!("IdentityFile {}\n", right.display());
    fs::write(server.path(".ssh/config"), text).unwrap();
    let connected = connect(options, server.endpoint()).await;

    let ConnectError::TooManyAttempts { attempts, left, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((*attempts, *left), (3, 10), "{error}");
    assert!(
        error
            .to_string()
            .contains("Too many authentication failures")
    );
    assert!(error.hint().unwrap().contains("IdentitiesOnly"));
    assert!(!error.is_transient());
    assert!(connected.is_ok(), "{:?}", connected.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_not_there_is_named() {
    let server = Server::start();
    let gone = server.path("agent");
    drop(AgentOfOpenSsh::start(&gone));
    for (socket, wanted) in [
        (gone.clone(), "only its socket is left"),
        (server.path("never"), "there is no agent at"),
    ] {
        let mut options = server.options();
        options.default_identities = Vec::new();
        options.agent = Some(socket);

        let error = failed(connect(options, server.endpoint()).await);

        let text = error.to_string();
        assert!(matches!(error, ConnectError::Agent { .. }), "{text}");
        assert!(text.contains(wanted), "{text}");
        assert!(error.hint().unwrap().contains("SSH_AUTH_SOCK"));
    }
    // Other keys are offered, and none is taken.
    let mut options = server.options();
    options.agent = Some(gone.clone());
    let stranger = SshEndpoint {
        user: Some("nobody-of-this-machine".to_owned()),
        ..server.endpoint()
    };
    let error = failed(connect(options, stranger).await);
    assert!(matches!(error, ConnectError::Agent { .. }), "{error}");
    // With a key that works, nobody misses it.
    let mut options = server.options();
    options.agent = Some(gone);
    assert!(connect(options, server.endpoint()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_agent_says_so() {
    let server = Server::start();
    let socket = server.path("agent");
    let _agent = AgentOfOpenSsh::start(&socket);
    let key = server.path(".ssh/id_ed25519");
    AgentOfOpenSsh::confirm(&socket, &key);
    fs::remove_file(&key).unwrap();
    let mut options = server.options();
    options.agent = Some(socket);

    let error = failed(connect(options, server.endpoint()).await);

    assert!(error.to_string().contains("refuses to sign"), "{error}");
}

/// Knows one passphrase.
struct Knows(&'static str);

#[async_trait]
impl AskPassphrase for Knows {
    async fn ask(&self, _key: &Path, _again: bool) -> Option<SecretString> {
        Some(SecretString::from(self.0))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_encrypted_key_opens_the_door() {
    let server = Server::start();
    let key = server.path("old");
    keygen(&key, "rsa", &["-b", "2048", "-m", "PEM"]);
    server.authorize(&key);
    let output = Command::new("openssl")
        .args([
            "rsa",
            "-traditional",
            "-aes256",
            "-passout",
            "pass:open sesame",
            "-in",
        ])
        .arg(&key)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::write(&key, output.stdout).unwrap();
    let mut endpoint = server.endpoint();
    endpoint.key_path = Some(key);
    let mut options = server.options();
    options.passphrases = Arc::new(Knows("open sesame"));
    let connector = SshConnector::new(options);

    let unprepared = connector.prepare(std::slice::from_ref(&endpoint)).await;
    let connected = connector.connect(&Endpoint::Ssh(endpoint)).await;

    assert!(unprepared.is_empty(), "{unprepared:?}");
    assert!(connected.is_ok(), "{:?}", connected.err());
}

/// A server that wants what a test says: sshd asks PAM, which belongs to the machine.
#[derive(Clone)]
struct Doorman {
    /// What it still wants, in this order.
    wants: Arc<Mutex<Vec<MethodKind>>>,
    seen: Arc<AtomicUsize>,
}

impl Doorman {
    fn step(&self, method: MethodKind, is_right: bool) -> Auth {
        let mut wants = self.wants.lock().unwrap();
        let is_wanted = wants.first() == Some(&method);
        if is_wanted && is_right {
            wants.remove(0);
            if wants.is_empty() {
                return Auth::Accept;
            }
        }
        Auth::Reject {
            proceed_with_methods: wants.first().map(|next| MethodSet::from(&[*next][..])),
            partial_success: is_wanted && is_right,
        }
    }
}

impl server::Handler for Doorman {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        _user: &str,
        _key: server::VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.step(MethodKind::PublicKey, true))
    }

    async fn auth_password(&mut self, _user: &str, password: &str) -> Result<Auth, Self::Error> {
        self.seen.fetch_add(1, Ordering::SeqCst);
        Ok(self.step(MethodKind::Password, password == "right"))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(response) = response else {
            return Ok(Auth::Partial {
                name: Cow::Borrowed(""),
                instructions: Cow::Borrowed(""),
                prompts: Cow::Borrowed(&[
                    (Cow::Borrowed("Password: "), false),
                    (Cow::Borrowed("Code\u{7}: "), true),
                ]),
            });
        };
        let answers: Vec<_> = response.collect();
        let is_right = answers == ["right", "42"].map(bytes_of);
        Ok(self.step(MethodKind::KeyboardInteractive, is_right))
    }
}

fn bytes_of(text: &'static str) -> bytes::Bytes {
    bytes::Bytes::from_static(text.as_bytes())
}

/// Starts a server that wants these methods; returns its port and how many passwords it saw.
async fn doorman(wants: &[MethodKind]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("host");
    keygen(&path, "ed25519", &[]);
    let key = russh::keys::load_secret_key(&path, None).unwrap();
    let config = Arc::new(server::Config {
        keys: vec![key],
        methods: MethodSet::from(&[wants[0]][..]),
        auth_rejection_time: Duration::ZERO,
        ..server::Config::default()
    });
    let seen = Arc::new(AtomicUsize::new(0));
    let (wants, counted) = (wants.to_vec(), Arc::clone(&seen));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let doorman = Doorman {
                wants: Arc::new(Mutex::new(wants.clone())),
                seen: Arc::clone(&counted),
            };
            let config = Arc::clone(&config);
            tokio::spawn(async move {
                if let Ok(session) = server::run_stream(config, stream, doorman).await {
                    let _ = session.await;
                }
            });
        }
    });
    (port, seen)
}

/// Answers what it is asked, and keeps the questions.
struct Answers {
    passwords: Mutex<Vec<&'static str>>,
    questions: Mutex<Vec<String>>,
}

impl Answers {
    fn new(passwords: &[&'static str]) -> Arc<Self> {
        Arc::new(Self {
            passwords: Mutex::new(passwords.to_vec()),
            questions: Mutex::default(),
        })
    }
}

#[async_trait]
impl AskPassword for Answers {
    async fn ask(&self, question: &PasswordQuestion<'_>) -> Option<SecretString> {
        let text = question.prompt.unwrap_or("password").to_owned();
        self.questions.lock().unwrap().push(text);
        if question.prompt.is_some() {
            return Some(SecretString::from("42"));
        }
        let mut passwords = self.passwords.lock().unwrap();
        let next = (!passwords.is_empty()).then(|| passwords.remove(0))?;
        Some(SecretString::from(next))
    }
}

/// A client without a key, and where it is to go.
fn stranger(port: u16) -> (tempfile::TempDir, SshOptions, SshEndpoint) {
    let home = tempfile::tempdir().unwrap();
    let mut options = SshOptions::for_home(home.path(), Arc::new(std::time::SystemTime::now));
    options.config_files = vec![home.path().join("config")];
    options.global_known_hosts = Vec::new();
    let endpoint = SshEndpoint {
        address: "127.0.0.1".to_owned(),
        port: Some(port),
        user: Some("me".to_owned()),
        key_path: None,
        host_key: None,
        bastion: None,
    };
    (home, options, endpoint)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_used_only_where_the_user_says_so() {
    let (port, seen) = doorman(&[MethodKind::Password]).await;
    let (home, mut options, endpoint) = stranger(port);

    let without = failed(connect(options.clone(), endpoint.clone()).await);
    options.passwords = Some(Arc::new(OnePassword(SecretString::from("right"))));
    let with = connect(options.clone(), endpoint.clone()).await;
    let text = "PasswordAuthentication no\nKbdInteractiveAuthentication no\n";
    fs::write(home.path().join("config"), text).unwrap();
    let forbidden = failed(connect(options, endpoint).await);

    assert!(
        matches!(without, ConnectError::NoCredentials { .. }),
        "{without}"
    );
    assert!(with.is_ok(), "{:?}", with.err());
    assert!(
        matches!(forbidden, ConnectError::NoCredentials { .. }),
        "{forbidden}"
    );
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_not_sent_again_and_never_shown() {
    let (port, seen) = doorman(&[MethodKind::Password]).await;
    let (_home, mut options, endpoint) = stranger(port);
    options.passwords = Some(Arc::new(OnePassword(SecretString::from("wrong-one"))));

    let error = failed(connect(options, endpoint).await);

    let text = format!("{error} {error:?}");
    assert!(matches!(error, ConnectError::Auth { .. }), "{text}");
    assert!(
        text.contains("a password") && !text.contains("wrong-one"),
        "{text}"
    );
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_asked_for_before_anything_begins_and_kept() {
    let (port, _) = doorman(&[MethodKind::Password]).await;
    let (_home, mut options, endpoint) = stranger(port);
    let answers = Answers::new(&["right"]);
    options.passwords = Some(Arc::clone(&answers) as Arc<dyn AskPassword>);
    let connector = SshConnector::new(options);

    let unprepared = connector.prepare(std::slice::from_ref(&endpoint)).await;
    let asked_before = answers.questions.lock().unwrap().len();
    for _ in 0..2 {
        let connected = connector.connect(&Endpoint::Ssh(endpoint.clone())).await;
        assert!(connected.is_ok(), "{:?}", connected.err());
    }

    assert!(unprepared.is_empty(), "{unprepared:?}");
    assert_eq!(asked_before, 1);
    assert_eq!(answers.questions.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_asked_for_again() {
    let (port, seen) = doorman(&[MethodKind::Password]).await;
    let (_home, mut options, endpoint) = stranger(port);
    options.passwords = Some(Answers::new(&["wrong", "right"]));

    let connected = connect(options, endpoint).await;

    assert!(connected.is_ok(), "{:?}", connected.err());
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_of_the_host_are_passed_on_after_a_key_that_is_not_enough() {
    let wants = [MethodKind::PublicKey, MethodKind::KeyboardInteractive];
    let (port, _) = doorman(&wants).await;
    let (home, mut options, endpoint) = stranger(port);
    let key = home.path().join("key");
    keygen(&key, "ed25519", &[]);
    options.default_identities = vec![key];
    let only_key = failed(connect(options.clone(), endpoint.clone()).await);
    let answers = Answers::new(&["right"]);
    options.passwords = Some(Arc::clone(&answers) as Arc<dyn AskPassword>);

    let connected = connect(options, endpoint).await;

    assert!(connected.is_ok(), "{:?}", connected.err());
    assert_eq!(*answers.questions.lock().unwrap(), ["password", "Code:"]);
    let text = only_key.to_string();
    assert!(text.contains("not enough"), "{text}");
    assert!(text.contains("keyboard-interactive"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_nobody_answers_is_named() {
    let (port, _) = doorman(&[MethodKind::KeyboardInteractive]).await;
    let (_home, mut options, endpoint) = stranger(port);
    options.passwords = Some(Arc::new(OnePassword(SecretString::from("right"))));

    let error = failed(connect(options, endpoint).await);

    assert!(
        error.to_string().contains("nobody answered `Code:`"),
        "{error}"
    );
}
