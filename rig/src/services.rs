//! Services of a host: systemd, else OpenRC.

use std::time::Duration;

use crate::command::{Command, Effect};
use crate::host::{CommandError, Host};

/// How long a service may take to start or stop.
const LIMIT: Duration = Duration::from_secs(300);

/// $1 verb, $2 service. A service that does not start shows the end of its journal.
const CONTROL: &str = r#"
verb=$1 service=$2
if [ -d /run/systemd/system ]; then
  case $verb in
    enable|disable) exec systemctl "$verb" --quiet "$service" ;;
    reload-units) exec systemctl daemon-reload ;;
  esac
  systemctl "$verb" "$service" && exit 0
  status=$?
  journalctl -u "$service" -n 20 --no-pager >&2 2>/dev/null
  exit $status
fi
case $verb in
  enable) exec rc-update add "$service" default ;;
  disable) [ ! -L "/etc/runlevels/default/$service" ] || exec rc-update del "$service" default ;;
  reload-units) exit 0 ;;
  *) exec rc-service "$service" "$verb" ;;
esac
"#;

/// $1 service. Status 0: it runs.
const IS_ACTIVE: &str = r#"
if [ -d /run/systemd/system ]; then exec systemctl is-active --quiet "$1"; fi
rc-service "$1" status >/dev/null 2>&1
"#;

/// The services of a host.
#[derive(Debug, Clone, Copy)]
pub struct Services<'a> {
    host: &'a Host,
}

impl<'a> Services<'a> {
    pub(crate) fn new(host: &'a Host) -> Self {
        Self { host }
    }

    async fn control(&self, verb: &str, service: &str) -> Result<(), CommandError> {
        let command = Command::script(CONTROL, Effect::Change)
            .args([verb, service])
            .title(format!("{verb} {service}"))
            .timeout(LIMIT)
            .elevated();
        self.host.run(command).await.map(drop)
    }

    /// Starts a service.
    ///
    /// # Errors
    ///
    /// Fails where it does not start; the end of its journal is in the error.
    pub async fn start(&self, service: &str) -> Result<(), CommandError> {
        self.control("start", service).await
    }

    /// Stops a service.
    ///
    /// # Errors
    ///
    /// Fails where it does not stop.
    pub async fn stop(&self, service: &str) -> Result<(), CommandError> {
        self.control("stop", service).await
    }

    /// Restarts a service.
    ///
    /// # Errors
    ///
    /// Fails where it does not start again; the end of its journal is in the error.
    pub async fn restart(&self, service: &str) -> Result<(), CommandError> {
        self.control("restart", service).await
    }

    /// Lets a service start with the host.
    ///
    /// # Errors
    ///
    /// Fails where the init system refuses.
    pub async fn enable(&self, service: &str) -> Result<(), CommandError> {
        self.control("enable", service).await
    }

    /// Keeps a service from starting with the host.
    ///
    /// # Errors
    ///
    /// Fails where the init system refuses.
    pub async fn disable(&self, service: &str) -> Result<(), CommandError> {
        self.control("disable", service).await
    }

    /// Lets the init system read its units again.
    ///
    /// # Errors
    ///
    /// Fails where the init system refuses.
    pub async fn reload_units(&self) -> Result<(), CommandError> {
        self.control("reload-units", "").await
    }

    /// Returns whether a service runs.
    ///
    /// # Errors
    ///
    /// Fails where the host does not answer.
    pub async fn is_active(&self, service: &str) -> Result<bool, CommandError> {
        let command = Command::script(IS_ACTIVE, Effect::Read)
            .arg(service)
            .title(format!("is {service} active"))
            .timeout(Duration::from_secs(30))
            .elevated();
        Ok(self.host.run_unchecked(command).await?.status.success())
    }
}
