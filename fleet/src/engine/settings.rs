//! `daemon.json`: what an engine was started with.

use std::collections::BTreeMap;

use serde_json::Value;

/// Where an engine reads its settings.
pub(crate) const PATH: &str = "/etc/docker/daemon.json";

/// Where an engine keeps its data unless it is told otherwise.
pub(crate) const DATA_ROOT: &str = "/var/lib/docker";

/// What an engine was started with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// Where its data is.
    pub(crate) data_root: String,
    /// Its labels.
    pub(crate) labels: Vec<String>,
    /// Mirrors of Docker Hub.
    pub(crate) mirrors: Vec<String>,
    /// Registries that need no certificate.
    pub(crate) insecure_registries: Vec<String>,
    /// How containers log.
    pub(crate) log_driver: String,
    /// The settings of that.
    pub(crate) log_options: BTreeMap<String, String>,
    /// Whether containers outlive the engine.
    pub(crate) live_restore: bool,
    /// Whether it says more.
    pub(crate) debug: bool,
    /// How many layers it pulls at the same time.
    pub(crate) downloads: usize,
    /// The driver of the file systems of containers.
    pub(crate) storage_driver: String,
    /// The driver of control groups; that which the kernel suggests where it is empty.
    pub(crate) cgroup_driver: String,
    /// Pools of addresses for its networks.
    pub(crate) address_pools: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_root: DATA_ROOT.to_owned(),
            labels: Vec::new(),
            mirrors: Vec::new(),
            insecure_registries: Vec::new(),
            log_driver: "json-file".to_owned(),
            log_options: BTreeMap::new(),
            live_restore: false,
            debug: false,
            downloads: 3,
            storage_driver: "overlay2".to_owned(),
            cgroup_driver: String::new(),
            address_pools: Vec::new(),
        }
    }
}

/// The keys that dockerd knows (25.0).
const KEYS: &[&str] = &[
    "allow-direct-routing",
    "allow-nondistributable-artifacts",
    "api-cors-header",
    "authorization-plugins",
    "bip",
    "bip6",
    "bridge",
    "builder",
    "cdi-spec-dirs",
    "cgroup-parent",
    "config-file",
    "containerd",
    "containerd-namespace",
    "containerd-plugin-namespace",
    "cpu-rt-period",
    "cpu-rt-runtime",
    "cri-containerd",
    "data-root",
    "debug",
    "default-address-pools",
    "default-cgroupns-mode",
    "default-gateway",
    "default-gateway-v6",
    "default-ipc-mode",
    "default-network-opts",
    "default-runtime",
    "default-shm-size",
    "default-ulimits",
    "dns",
    "dns-opts",
    "dns-search",
    "exec-opts",
    "exec-root",
    "experimental",
    "features",
    "fixed-cidr",
    "fixed-cidr-v6",
    "graph",
    "group",
    "host-gateway-ip",
    "hosts",
    "http-proxy",
    "https-proxy",
    "icc",
    "init",
    "init-path",
    "insecure-registries",
    "ip",
    "ip-forward",
    "ip-masq",
    "ip6tables",
    "iptables",
    "ipv6",
    "kernel-memory",
    "labels",
    "live-restore",
    "log-driver",
    "log-format",
    "log-level",
    "log-opts",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "max-download-attempts",
    "metrics-addr",
    "min-api-version",
    "mtu",
    "network-control-plane-mtu",
    "network-diagnostic-port",
    "no-new-privileges",
    "no-proxy",
    "node-generic-resources",
    "oom-score-adjust",
    "pidfile",
    "proxies",
    "raw-logs",
    "registry-mirrors",
    "rootless",
    "runtimes",
    "seccomp-profile",
    "selinux-enabled",
    "shutdown-timeout",
    "storage-driver",
    "storage-opts",
    "swarm-default-advertise-addr",
    "tls",
    "tlscacert",
    "tlscert",
    "tlskey",
    "tlsverify",
    "userland-proxy",
    "userland-proxy-path",
    "userns-remap",
];

impl Settings {
    /// Returns whether a registry is one of `insecure-registries`.
    pub(crate) fn is_insecure(&self, domain: &str) -> bool {
        self.insecure_registries.iter().any(|one| one == domain)
    }

    /// Reads `daemon.json`; an empty one says nothing.
    ///
    /// # Errors
    ///
    /// Returns what dockerd says before it gives up.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let value: Value =
            serde_json::from_str(text).map_err(|error| cannot(&syntax(text, &error)))?;
        let Value::Object(object) = value else {
            return Err(cannot(
                "json: cannot unmarshal value into Go value of type map[string]interface {}",
            ));
        };
        let mut unknown: Vec<&str> = object
            .keys()
            .map(String::as_str)
            .filter(|key| !KEYS.contains(key))
            .collect();
        unknown.sort_unstable();
        if !unknown.is_empty() {
            return Err(cannot(&format!(
                "the following directives don't match any configuration option: {}",
                unknown.join(", ")
            )));
        }
        Self::read(&object.into_iter().collect())
    }

    fn read(object: &BTreeMap<String, Value>) -> Result<Self, String> {
        let plain = Self::default();
        let cgroup_driver = list(object, "exec-opts")?.iter().find_map(|option| {
            option
                .strip_prefix("native.cgroupdriver=")
                .map(str::to_owned)
        });
        Ok(Self {
            data_root: text(object, "data-root")?
                .or(text(object, "graph")?)
                .unwrap_or(plain.data_root),
            labels: list(object, "labels")?,
            mirrors: list(object, "registry-mirrors")?,
            insecure_registries: list(object, "insecure-registries")?,
            log_driver: text(object, "log-driver")?.unwrap_or(plain.log_driver),
            log_options: texts(object.get("log-opts")),
            live_restore: truth(object, "live-restore")?,
            debug: truth(object, "debug")?,
            downloads: match object.get("max-concurrent-downloads") {
                Some(value) => value
                    .as_u64()
                    .and_then(|number| usize::try_from(number).ok())
                    .filter(|number| *number > 0)
                    .ok_or_else(|| cannot("invalid max concurrent downloads"))?,
                None => plain.downloads,
            },
            storage_driver: text(object, "storage-driver")?.unwrap_or(plain.storage_driver),
            cgroup_driver: cgroup_driver.unwrap_or(plain.cgroup_driver),
            address_pools: pools(object.get("default-address-pools")),
        })
    }
}

fn cannot(why: &str) -> String {
    format!("unable to configure the Docker daemon with file {PATH}: {why}")
}

fn kind(key: &str, value: &Value, wanted: &str) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    cannot(&format!(
        "json: cannot unmarshal {kind} into Go struct field Config.{key} of type {wanted}"
    ))
}

fn text(object: &BTreeMap<String, Value>, key: &str) -> Result<Option<String>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(kind(key, other, "string")),
    }
}

fn truth(object: &BTreeMap<String, Value>, key: &str) -> Result<bool, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(truth)) => Ok(*truth),
        Some(other) => Err(kind(key, other, "bool")),
    }
}

fn list(object: &BTreeMap<String, Value>, key: &str) -> Result<Vec<String>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| match value {
                Value::String(text) => Ok(text.clone()),
                other => Err(kind(key, other, "string")),
            })
            .collect(),
        Some(other) => Err(kind(key, other, "[]string")),
    }
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let pairs = value.and_then(Value::as_object).into_iter().flatten();
    let pairs = pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    pairs.collect()
}

fn pools(value: Option<&Value>) -> Vec<String> {
    let pools = value.and_then(Value::as_array).into_iter().flatten();
    pools
        .filter_map(|pool| pool.get("base")?.as_str().map(str::to_owned))
        .collect()
}

/// Says what is wrong with a text that is no JSON, in Go's words.
fn syntax(text: &str, error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let line = text.lines().nth(error.line().saturating_sub(1));
    let place = error.column().saturating_sub(1);
    let found = line
        .and_then(|line| line.chars().nth(place))
        .unwrap_or('\n');
    let message = error.to_string();
    let looking = if message.starts_with("expected value") {
        "looking for beginning of value"
    } else if message.starts_with("key must be a string") {
        "looking for beginning of object key string"
    } else if message.starts_with("trailing comma") {
        return format!("invalid character '{found}' looking for beginning of object key string");
    } else if message.contains("`,` or `}`") {
        "after object key:value pair"
    } else if message.contains("`,` or `]`") {
        "after array element"
    } else if message.starts_with("expected `:`") {
        "after object key"
    } else if message.starts_with("trailing characters") {
        "after top-level value"
    } else {
        "in literal"
    };
    format!("invalid character '{found}' {looking}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read() {
        let settings = Settings::parse(
            r#"{"data-root": "/data/docker", "labels": ["a=b"], "live-restore": true,
                "insecure-registries": ["registry.lab:5000"], "max-concurrent-downloads": 5}"#,
        )
        .unwrap();

        assert_eq!(settings.data_root, "/data/docker");
        assert_eq!(settings.labels, ["a=b"]);
        assert!(settings.live_restore);
        assert_eq!(settings.downloads, 5);
        assert_eq!(Settings::parse("").unwrap(), Settings::default());
    }

    #[test]
    fn what_makes_no_sense_keeps_an_engine_from_starting() {
        for (text, wanted) in [
            ("{", "unexpected end of JSON input"),
            (
                "{\"debug\": true,}",
                "invalid character '}' looking for beginning of object key string",
            ),
            (
                "{\"debug\": yes}",
                "invalid character 'y' looking for beginning of value",
            ),
            (
                "{\"nope\": 1, \"debug\": true, \"also\": 2}",
                "the following directives don't match any configuration option: also, nope",
            ),
            (
                "{\"debug\": \"yes\"}",
                "json: cannot unmarshal string into Go struct field Config.debug of type bool",
            ),
        ] {
            let error = Settings::parse(text).unwrap_err();

            assert_eq!(
                error,
                format!(
                    "unable to configure the Docker daemon with file \
                     /etc/docker/daemon.json: {wanted}"
                )
            );
        }
    }
}
