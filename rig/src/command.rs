//! Commands as data: built from arguments, quoted here and nowhere else, declared as reading or
//! changing.
//!
//! Whatever the login shell of a host is, it only ever gets `exec /bin/sh -s`; everything else,
//! secrets included, travels on standard input as one program that the shell has read completely
//! before it does anything.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::privilege::Privilege;
use crate::shell::{self, NulByte};

/// Whether a command changes its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only looks.
    Read,
    /// It may change something; refused in a dry run.
    Change,
}

#[derive(Clone)]
enum Body {
    /// A program and its arguments.
    Program(String),
    /// A script of ours.
    Script(String),
    /// Shell text of the user.
    Raw(String),
}

#[derive(Clone)]
enum Input {
    None,
    Text(Bytes),
    Secret(SecretString),
}

/// A command for a host.
#[derive(Clone)]
pub struct Command {
    body: Body,
    arguments: Vec<String>,
    input: Input,
    environment: Vec<(String, SecretString)>,
    effect: Effect,
    elevated: bool,
    docker: bool,
    title: Option<String>,
    timeout: Option<Duration>,
    sensitive_output: bool,
    unasked: bool,
}

/// Why a command cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// An argument or the input cannot stand in a shell program.
    #[error("the command cannot be written down for a shell")]
    Nul(#[source] NulByte),
    /// The name of a variable is not one.
    #[error("`{0}` is not the name of an environment variable")]
    VariableName(String),
    /// The input is not text; files with arbitrary bytes are uploaded.
    #[error("the input of the command is not text")]
    InputNotText,
}

impl Command {
    fn with(body: Body, effect: Effect) -> Self {
        Self {
            body,
            arguments: Vec::new(),
            input: Input::None,
            environment: Vec::new(),
            effect,
            elevated: false,
            docker: false,
            title: None,
            timeout: None,
            sensitive_output: false,
            unasked: false,
        }
    }

    /// Makes a command from a program; its arguments follow.
    pub fn new(program: impl Into<String>, effect: Effect) -> Self {
        Self::with(Body::Program(program.into()), effect)
    }

    /// Makes a command that only looks.
    pub fn read(program: impl Into<String>) -> Self {
        Self::new(program, Effect::Read)
    }

    /// Makes a command that may change something.
    pub fn change(program: impl Into<String>) -> Self {
        Self::new(program, Effect::Change)
    }

    /// Makes a command from a POSIX `sh` script; arguments are its `$1`, `$2`, ….
    pub fn script(text: impl Into<String>, effect: Effect) -> Self {
        Self::with(Body::Script(text.into()), effect)
    }

    /// Makes a command from shell text that the user supplied.
    pub fn raw(text: impl Into<String>, effect: Effect) -> Self {
        Self::with(Body::Raw(text.into()), effect)
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a text as standard input.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<Bytes>) -> Self {
        self.input = Input::Text(text.into());
        self
    }

    /// Sets a secret as standard input.
    #[must_use]
    pub fn secret_stdin(mut self, secret: SecretString) -> Self {
        self.input = Input::Secret(secret);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.secret_env(name, SecretString::from(value.into()))
    }

    /// Sets an environment variable to a secret; it is in no argument list on the way.
    #[must_use]
    pub fn secret_env(mut self, name: impl Into<String>, value: SecretString) -> Self {
        self.environment.push((name.into(), value));
        self
    }

    /// Runs the command as root.
    #[must_use]
    pub fn elevated(mut self) -> Self {
        self.elevated = true;
        self
    }

    /// Runs the command with the rights that the engine's socket asks for.
    #[must_use]
    pub fn docker(mut self) -> Self {
        self.docker = true;
        self
    }

    /// Names the command in events, where its text would say little.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Bounds how long it may run.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Keeps its output out of events: it may hold secrets, or far too much.
    #[must_use]
    pub fn sensitive_output(mut self) -> Self {
        self.sensitive_output = true;
        self
    }

    /// Runs the command without asking, also where each is asked about (`--confirm`): a sign of
    /// life cannot wait for a person.
    #[must_use]
    pub fn unasked(mut self) -> Self {
        self.unasked = true;
        self
    }

    /// Returns whether the command changes its host.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    pub(crate) fn wants_root(&self, sudo_docker: bool) -> bool {
        let asks_docker = match &self.body {
            Body::Raw(text) => sudo_docker && starts_with_docker(text),
            Body::Program(_) | Body::Script(_) => self.docker,
        };
        self.elevated || self.docker || asks_docker
    }

    /// Returns whether it is text that the user supplied.
    pub(crate) fn is_users(&self) -> bool {
        matches!(self.body, Body::Raw(_))
    }

    pub(crate) fn limit(&self) -> Option<Duration> {
        self.timeout
    }

    pub(crate) fn is_asked_about(&self) -> bool {
        !self.unasked
    }

    pub(crate) fn shows_output(&self) -> bool {
        !self.sensitive_output
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let input = match &self.input {
            Input::Secret(secret) => Some(secret),
            Input::None | Input::Text(_) => None,
        };
        self.environment.iter().map(|(_, value)| value).chain(input)
    }

    /// Returns the program that is sent to `/bin/sh -s`.
    ///
    /// It first prints `<mark> <process id>` on both outputs: what a login shell greets with
    /// comes before that, and is thrown away.
    pub(crate) fn program(
        &self,
        mark: &str,
        privilege: Option<Privilege>,
    ) -> Result<Zeroizing<String>, BuildError> {
        let inner = self.inner_program(End::Closed)?;
        let announce = announce(mark)?;
        let wrapper = privilege.and_then(Privilege::wrapper);
        let text = match wrapper {
            None => format!("{announce}{}", inner.as_str()),
            // `printf` is a builtin of every shell that is called sh: the program is in no
            // argument list here either.
            Some(wrapper) => {
                let quoted = Zeroizing::new(shell::quote(&inner).map_err(BuildError::Nul)?);
                format!(
                    "{announce}printf '%s' {} | {wrapper} /bin/sh -s\nexit $?\n",
                    *quoted
                )
            }
        };
        Ok(Zeroizing::new(text))
    }

    /// Returns a command line for the login shell, and the program that it reads from standard
    /// input. What follows the program there is the input of the command.
    pub(crate) fn program_before_input(
        &self,
        mark: &str,
        privilege: Option<Privilege>,
    ) -> Result<(String, Zeroizing<String>), BuildError> {
        let inner = self.inner_program(End::Open)?;
        let announce = announce(mark)?;
        let text = match privilege.and_then(Privilege::wrapper) {
            None => Zeroizing::new(format!("{announce}{}", inner.as_str())),
            Some(wrapper) => {
                let become_root = format!("{announce}exec {wrapper} {}\n", read_exactly(&inner));
                let line = format!("exec {}", read_exactly(&become_root));
                let both = Zeroizing::new(format!("{become_root}{}", inner.as_str()));
                return Ok((line, both));
            }
        };
        Ok((format!("exec {}", read_exactly(&text)), text))
    }

    fn inner_program(&self, end: End) -> Result<Zeroizing<String>, BuildError> {
        let mut text = Zeroizing::new(String::new());
        for (name, value) in &self.environment {
            let is_name = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && name
                    .bytes()
                    .next()
                    .is_some_and(|byte| !byte.is_ascii_digit());
            if !is_name {
                return Err(BuildError::VariableName(name.clone()));
            }
            let value =
                Zeroizing::new(shell::quote(value.expose_secret()).map_err(BuildError::Nul)?);
            text.push_str(&format!("{name}={}; export {name}\n", *value));
        }
        let arguments =
            shell::join(self.arguments.iter().map(String::as_str)).map_err(BuildError::Nul)?;
        let call = match &self.body {
            Body::Program(program) => {
                let program = shell::quote(program).map_err(BuildError::Nul)?;
                format!("{program} {arguments}")
            }
            Body::Script(script) | Body::Raw(script) => {
                text.push_str(&format!("set -- {arguments}\n"));
                format!("eval {}", shell::quote(script).map_err(BuildError::Nul)?)
            }
        };
        let input = match &self.input {
            Input::None => None,
            Input::Text(bytes) => {
                let text = std::str::from_utf8(bytes)
                    .ok()
                    .ok_or(BuildError::InputNotText)?;
                Some(Zeroizing::new(shell::quote(text).map_err(BuildError::Nul)?))
            }
            Input::Secret(secret) => Some(Zeroizing::new(
                shell::quote(secret.expose_secret()).map_err(BuildError::Nul)?,
            )),
        };
        match input {
            None if end == End::Open => text.push_str(&format!("{call}\n")),
            None => text.push_str(&format!("{call} </dev/null\n")),
            Some(input) => text.push_str(&format!("printf '%s' {} | {call}\n", *input)),
        }
        text.push_str("exit $?\n");
        Ok(text)
    }
}

/// What follows a program on standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing.
    Closed,
    /// The input of the command.
    Open,
}

/// Returns what prints `<mark> <process id>` on both outputs.
fn announce(mark: &str) -> Result<String, BuildError> {
    let mark = shell::quote(mark).map_err(BuildError::Nul)?;
    Ok(format!(
        "printf '%s %s\\n' {mark} $$; printf '%s\\n' {mark} >&2\n"
    ))
}

/// Returns a command line that reads a program from standard input and not one byte behind it: a
/// shell itself may read ahead. No login shell reads anything else in it.
fn read_exactly(program: &str) -> String {
    format!(
        "/bin/sh -c 'eval \"$(dd bs=1 count={} 2>/dev/null)\"'",
        program.len()
    )
}

/// Returns the command line for a terminal: a command of the user, or the shell of root; `None`
/// is the login shell. The text is no secret, and a terminal would show what it is sent.
pub(crate) fn in_terminal(command: Option<&str>, privilege: Option<Privilege>) -> Option<String> {
    let text = match (command, privilege) {
        (None, None) => return None,
        // Keys are for the command: a shell in between would be ended by them, and its status lost.
        (Some(command), _) => format!("trap : INT QUIT\n{command}"),
        (None, Some(_)) => "cd; exec \"${SHELL:-/bin/sh}\" -l".to_owned(),
    };
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let wrapper = privilege.and_then(Privilege::wrapper).unwrap_or("exec");
    Some(format!(
        "{wrapper} /bin/sh -c 'eval \"$(echo {encoded} | base64 -d)\"'"
    ))
}

/// Whether shell text begins with the docker command (`sudodocker`).
fn starts_with_docker(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    word == "docker" || word == "/usr/bin/docker"
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(title) = &self.title {
            return f.write_str(title);
        }
        match &self.body {
            Body::Program(program) => {
                let words = std::iter::once(program).chain(&self.arguments);
                f.write_str(&shell::show(words.map(String::as_str)))
            }
            Body::Script(text) => {
                let line = text.lines().map(str::trim).find(|line| !line.is_empty());
                write!(f, "script: {}", line.unwrap_or_default())
            }
            Body::Raw(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("command", &self.to_string())
            .field("effect", &self.effect)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(command: &Command, shell: &str) -> (String, String, i32) {
        use std::io::Write as _;
        let program = command.program("MARK", None).unwrap();
        let mut child = std::process::Command::new(shell)
            .arg("-s")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(program.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let (mark, rest) = stdout.split_once('\n').unwrap();
        assert!(mark.starts_with("MARK "), "{mark}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        let stderr = stderr.strip_prefix("MARK\n").unwrap().to_owned();
        (rest.to_owned(), stderr, output.status.code().unwrap())
    }

    #[test]
    fn scripts_see_arguments_input_and_environment_in_every_shell() {
        let command = Command::script(
            "printf '%s|' \"$1\" \"$2\" \"$VALUE\"; cat; echo oops >&2; exit 7",
            Effect::Read,
        )
        .args(["it's", "a b"])
        .env("VALUE", "$(x) 'y'")
        .stdin("line 1\nline 2\n");

        for shell in ["/bin/sh", "/bin/bash", "/bin/dash"] {
            let (stdout, stderr, status) = run(&command, shell);

            assert_eq!(stdout, "it's|a b|$(x) 'y'|line 1\nline 2\n", "{shell}");
            assert_eq!(stderr, "oops\n");
            assert_eq!(status, 7);
        }
    }

    #[test]
    fn a_command_that_reads_its_input_does_not_eat_the_program() {
        let command = Command::script("cat; echo still here", Effect::Read);

        assert_eq!(run(&command, "/bin/sh").0, "still here\n");
    }

    #[test]
    fn here_documents_work_inside_scripts() {
        let command = Command::script("x=$(cat <<'E'\na'b\nE\n)\necho \"$x\"", Effect::Read);

        assert_eq!(run(&command, "/bin/sh").0, "a'b\n");
    }

    #[test]
    fn elevation_keeps_the_program_out_of_argument_lists() {
        let command = Command::script("echo hi", Effect::Read)
            .secret_stdin(SecretString::from("hunter2"))
            .elevated();

        let program = command.program("M", Some(Privilege::Sudo)).unwrap();

        let last = program.lines().rev().nth(1).unwrap();
        assert!(last.ends_with("| sudo -n -- /bin/sh -s"), "{last}");
        assert!(program.contains("printf '%s' '"));
    }

    #[test]
    fn neither_display_nor_debug_show_secrets() {
        let command = Command::change("docker")
            .args(["login", "--password-stdin"])
            .secret_stdin(SecretString::from("hunter2"))
            .secret_env("TOKEN", SecretString::from("hunter3"));

        let text = format!("{command} {command:?}");

        assert!(!text.contains("hunter"), "{text}");
        assert!(text.starts_with("docker login --password-stdin"));
    }

    #[test]
    fn refuses_names_that_are_no_variables() {
        let command = Command::read("true").env("A B", "x");

        assert_eq!(
            command.program("M", None).unwrap_err(),
            BuildError::VariableName("A B".into())
        );
    }
}
