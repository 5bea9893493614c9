//! Makes the handles of hosts, and hands what happens on them to the event stream.

use std::sync::Arc;

use phase::{Emitter, Event, Failure, HostId};
use rig::connection::{OpenSshEndpoint, SshEndpoint};
use rig::limits::SharedLimits;
use rig::observer::{Observation, Observer, Output};
use rig::redact::Redactor;
use rig::retry::Backoff;
use rig::{Confirm, Connector, Endpoint, Host, HostOptions};

/// What every host handle of a run is made of.
pub struct Connecting {
    /// Makes connections.
    pub connector: Arc<dyn Connector>,
    /// Where what happens on hosts is told.
    pub emitter: Emitter,
    /// Knows the secrets of the run.
    pub redactor: Redactor,
    /// Bounds that all hosts share.
    pub limits: SharedLimits,
    /// How connecting is tried again.
    pub backoff: Backoff,
    /// Refuse every command that changes something.
    pub dry_run: bool,
    /// Asked before each command (`--confirm`).
    pub confirm: Option<Arc<dyn Confirm>>,
}

/// How a host is reached and treated.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// Its connection.
    pub connection: &'a config::Connection,
    /// Whether sudo is used without asking whether it is needed.
    pub sudo_override: bool,
    /// Whether docker commands of the user are run through sudo.
    pub sudo_docker: bool,
}

impl Connecting {
    /// Makes the handle of a host and connects.
    ///
    /// # Errors
    ///
    /// Fails where the host cannot be connected to, once that will not pass or the deadline is
    /// over.
    pub async fn open(
        &self,
        id: HostId,
        name: &str,
        config: &config::Host,
    ) -> Result<Host, Failure> {
        let way = Way {
            connection: &config.connection,
            sudo_override: config.sudooverride,
            sudo_docker: config.sudodocker,
        };
        self.open_way(id, name, &way).await
    }

    /// Makes the handle of a host that need not be one of the configuration, and connects.
    ///
    /// # Errors
    ///
    /// As [`Connecting::open`].
    pub async fn open_way(&self, id: HostId, name: &str, way: &Way<'_>) -> Result<Host, Failure> {
        let host = self.handle(id, name, way);
        host.connect().await.map_err(|error| unreachable(&error))?;
        Ok(host)
    }

    /// Makes the handle of a host; it is connected to when it is first needed.
    pub fn handle(&self, id: HostId, name: &str, way: &Way<'_>) -> Host {
        let observer = EventObserver {
            emitter: self.emitter.clone(),
            host: name.to_owned(),
            first_id: (id.0 as u64 + 1) << 32,
        };
        let options = HostOptions {
            name: name.to_owned(),
            sudo_override: way.sudo_override,
            sudo_docker: way.sudo_docker,
            dry_run: self.dry_run,
            confirm: self.confirm.clone(),
            observer: Arc::new(observer),
            redactor: self.redactor.clone(),
            limits: self.limits.clone(),
            backoff: self.backoff,
        };
        Host::new(
            Arc::clone(&self.connector),
            endpoint(way.connection),
            options,
        )
    }
}

/// Explains why a host cannot be connected to.
pub fn unreachable(error: &rig::ConnectError) -> Failure {
    let failure = Failure::new("cannot connect")
        .caused_by(error)
        .unreachable();
    error.hint().into_iter().fold(failure, Failure::hint)
}

/// Returns where a host is, as the connections know it.
pub fn endpoint(connection: &config::Connection) -> Endpoint {
    match connection {
        config::Connection::Ssh(ssh) => Endpoint::Ssh(ssh_endpoint(ssh)),
        config::Connection::Localhost(_) => Endpoint::Local,
        config::Connection::OpenSsh(open_ssh) => Endpoint::OpenSsh(open_ssh_endpoint(open_ssh)),
        config::Connection::WinRm(win_rm) => Endpoint::WinRm {
            address: win_rm.address.clone(),
        },
    }
}

fn ssh_endpoint(ssh: &config::Ssh) -> SshEndpoint {
    SshEndpoint {
        address: ssh.address.clone(),
        port: ssh.port,
        user: ssh.user.clone(),
        key_path: ssh.key_path.clone(),
        host_key: ssh.host_key.clone(),
        bastion: ssh
            .bastion
            .as_deref()
            .map(|bastion| Box::new(ssh_endpoint(bastion))),
    }
}

fn open_ssh_endpoint(open_ssh: &config::OpenSsh) -> OpenSshEndpoint {
    OpenSshEndpoint {
        address: open_ssh.address.clone(),
        port: open_ssh.port,
        user: open_ssh.user.clone(),
        key_path: open_ssh.key_path.clone(),
        config_path: open_ssh.config_path.clone(),
        options: open_ssh.options.clone(),
        disable_multiplexing: open_ssh.disable_multiplexing,
    }
}

/// Hands the observations of one host to the event stream.
struct EventObserver {
    emitter: Emitter,
    host: String,
    /// Commands are numbered for each host; events number them for the run.
    first_id: u64,
}

impl Observer for EventObserver {
    fn observe(&self, observation: Observation) {
        let host = self.host.clone();
        let millis =
            |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let event = match observation {
            Observation::CommandStarted {
                id,
                command,
                reads_only,
            } => Event::CommandStarted {
                host,
                id: self.first_id + id,
                command,
                reads_only,
            },
            Observation::OutputLine { id, output, line } => Event::OutputLine {
                host,
                id: self.first_id + id,
                stream: match output {
                    Output::Stdout => phase::event::Stream::Stdout,
                    Output::Stderr => phase::event::Stream::Stderr,
                },
                line,
            },
            Observation::CommandFinished {
                id,
                status,
                duration,
            } => Event::CommandFinished {
                host,
                id: self.first_id + id,
                status,
                duration_ms: millis(duration),
            },
            Observation::Retrying {
                what,
                attempt,
                delay,
                error,
            } => Event::Retrying {
                host,
                what: what.to_owned(),
                attempt,
                delay_ms: millis(delay),
                error,
            },
            Observation::Connected { duration } => Event::FactGathered {
                host: Some(host),
                fact: "connected_ms".to_owned(),
                value: millis(duration).into(),
            },
        };
        self.emitter.emit(event);
    }
}
