//! Reads what the discovery script printed. Never fails on a part: what cannot be read is a fact
//! that is missing; only an answer without its frame is an error.

use std::collections::BTreeMap;
use std::net::IpAddr;

use configurer::daemon_json::PATH as DAEMON_JSON;
use phase::Known;
use phase::lock::LockRecord;
use rig::privilege::Privilege;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Bootstrap, Engine, EngineState, Facts, Files, InterfaceAddress, LockSeen, Machine, MkeOnHost,
    Node, Os, Swarm, Texts,
};

/// Why an answer could not be read at all.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseError {
    /// The script did not get to its end.
    #[error("the discovery script ended early, after part `{last}`")]
    Truncated {
        /// The last part that was printed.
        last: String,
    },
    /// No line of the script was found in the output.
    #[error("the host printed nothing that the discovery script prints")]
    NoAnswer,
}

/// What is known before the script runs.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The mark of this run, first on every header line.
    pub mark: &'a str,
    /// The configured private interface.
    pub private_interface: Option<&'a str>,
    /// The address by which the host is reached.
    pub address: &'a str,
    /// Our clock half way through the round trip, in seconds since the epoch.
    pub now: f64,
    /// Half of the round trip, in seconds: how far that may be off.
    pub doubt: f64,
}

/// One part of the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    status: i32,
    lines: Vec<String>,
}

impl Part {
    fn first(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }

    /// The lines, if the part ended well.
    fn good(&self) -> &[String] {
        if self.status == 0 { &self.lines } else { &[] }
    }

    fn text(&self) -> Option<String> {
        (self.status == 0).then(|| with_newline(&self.lines))
    }

    /// Every line that is a JSON object of the wanted form.
    fn json<T: for<'de> Deserialize<'de>>(&self) -> impl Iterator<Item = T> {
        self.lines
            .iter()
            .filter(|line| line.starts_with('{'))
            .filter_map(|line| serde_json::from_str(line).ok())
    }
}

fn with_newline(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Reads the answer of one host.
///
/// # Errors
///
/// Fails where the output does not hold the whole answer: the script was cut off.
pub fn parse(output: &str, question: &Question<'_>) -> Result<Facts, ParseError> {
    let parts = parts(output, question.mark)?;
    let part = |name: &str| parts.get(name).cloned().unwrap_or_default();
    let mut facts = Facts {
        privilege: part("privilege").first().to_owned(),
        no_privilege: Privilege::detected(&with_newline(&part("privilege").lines)).err(),
        login: part("login").first().to_owned(),
        hostname: part("hostname").first().to_owned(),
        fqdn: part("fqdn").good().first().cloned(),
        boot_id: part("boot-id").first().to_owned(),
        init: part("init").first().to_owned(),
        selinux_enforcing: part("selinux").first().eq_ignore_ascii_case("enforcing"),
        is_container: part("container")
            .good()
            .iter()
            .any(|line| line == "container=docker"),
        localhost_resolves: part("localhost").status == 0,
        machine: machine(&part("machine"), &part("disk")),
        addresses: addresses(&part("addresses")),
        listening: ports(&part("ports")),
        packages: packages(&part("packages")),
        broken_packages: broken_packages(&part("packages")),
        has_engine_data: part("engine-data").status == 0,
        leftovers: part("leftovers").good().to_vec(),
        last_run: part("last-run").good().first().cloned(),
        lock: lock(&part("lock")),
        ..Facts::default()
    };
    if let [_, kernel, architecture, ..] = part("kernel")
        .first()
        .split(' ')
        .collect::<Vec<_>>()
        .as_slice()
    {
        (*kernel).clone_into(&mut facts.kernel);
        (*architecture).clone_into(&mut facts.architecture);
    }
    facts.texts.os_release = with_newline(part("os-release").good());
    facts.os = os(&facts.texts.os_release);
    read_files(&mut facts, &part);
    network(&mut facts, &part("routes"), question);
    facts.clock_doubt_seconds = question.doubt;
    facts.clock_skew_seconds = skew(&part("clock"), question.now);
    engine(&mut facts, &part);
    Ok(facts)
}

fn parts(output: &str, mark: &str) -> Result<BTreeMap<String, Part>, ParseError> {
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    let mut current: Option<String> = None;
    let mut ended = false;
    for line in output.lines() {
        if let Some((name, status)) = header(line, mark) {
            ended |= name == "end";
            let lines = Vec::new();
            parts.insert(name.to_owned(), Part { status, lines });
            current = Some(name.to_owned());
        } else if let Some(name) = &current
            && let Some(part) = parts.get_mut(name)
        {
            part.lines.push(line.trim_end_matches('\r').to_owned());
        }
    }
    match current {
        _ if ended => Ok(parts),
        Some(last) => Err(ParseError::Truncated { last }),
        None => Err(ParseError::NoAnswer),
    }
}

/// Reads `<mark> <part> <exit status>`.
fn header<'a>(line: &'a str, mark: &str) -> Option<(&'a str, i32)> {
    let rest = line.strip_prefix(mark)?.strip_prefix(' ')?;
    let (name, status) = rest.split_once(' ')?;
    Some((name, status.trim_end().parse().ok()?))
}

fn os(text: &str) -> Os {
    let release = rig::os::OsRelease::parse(text);
    Os {
        id: release.id,
        version: release.version_id,
        name: release.pretty_name,
    }
}

fn machine(machine: &Part, disk: &Part) -> Machine {
    let kib = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let memory = machine
        .lines
        .iter()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let memory = memory.and_then(|rest| rest.split_whitespace().next());
    let free = disk
        .good()
        .last()
        .and_then(|line| line.split_whitespace().nth(3));
    Machine {
        processors: machine.first().parse().unwrap_or(0),
        memory_bytes: kib(memory).saturating_mul(1024),
        free_disk_bytes: kib(free).saturating_mul(1024),
    }
}

/// Reads `ip -o addr show`: `2: eth0    inet 10.0.0.1/24 brd ...`.
fn addresses(part: &Part) -> Vec<InterfaceAddress> {
    part.good()
        .iter()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            let interface = words.next()?.split('@').next()?.to_owned();
            let family = words.next()?;
            let address = words.next()?.split('/').next()?.parse().ok()?;
            family
                .starts_with("inet")
                .then_some(InterfaceAddress { interface, address })
        })
        .collect()
}

/// Finds the private interface and the internal address.
///
/// The rules of the seed, without its slips: the configured interface; else the interface of the
/// first route to a private network; else that of the default route. On it the first IPv4 address
/// that is not the connection address, else the connection address itself.
fn network(facts: &mut Facts, routes: &Part, question: &Question<'_>) {
    let interface = question
        .private_interface
        .map(str::to_owned)
        .or_else(|| private_route(routes.good()))
        .or_else(|| default_route(routes.good()));
    let candidates: Vec<IpAddr> = facts
        .addresses
        .iter()
        .filter(|one| Some(&one.interface) == interface.as_ref() && one.address.is_ipv4())
        .map(|one| one.address)
        .collect();
    let connection: Option<IpAddr> = question.address.parse().ok();
    facts.internal_address = candidates
        .iter()
        .find(|address| Some(**address) != connection)
        .or_else(|| candidates.first())
        .map_or_else(|| question.address.to_owned(), ToString::to_string);
    facts.private_interface = interface;
}

fn device(route: &str) -> Option<String> {
    let mut words = route.split_whitespace();
    words.find(|word| *word == "dev")?;
    words.next().map(str::to_owned)
}

/// Interfaces that container engines and cluster networks make for themselves.
fn is_made_by_software(interface: &str) -> bool {
    [
        "docker", "br-", "veth", "cni", "flannel", "vxlan", "cali", "tunl", "kube", "virbr", "lxc",
    ]
    .iter()
    .any(|prefix| interface.starts_with(prefix))
}

fn private_route(routes: &[String]) -> Option<String> {
    routes.iter().find_map(|route| {
        let network = route.split_whitespace().next()?.split('/').next()?;
        let network: std::net::Ipv4Addr = network.parse().ok()?;
        let device = device(route)?;
        (network.is_private() && !is_made_by_software(&device)).then_some(device)
    })
}

fn default_route(routes: &[String]) -> Option<String> {
    routes
        .iter()
        .find(|route| route.starts_with("default"))
        .and_then(|route| device(route))
}

/// Reads `ss -Hltn`: the local address is the fourth column.
fn ports(part: &Part) -> Vec<u16> {
    let mut ports: Vec<u16> = part
        .good()
        .iter()
        .filter_map(|line| {
            line.split_whitespace()
                .nth(3)?
                .rsplit(':')
                .next()?
                .parse()
                .ok()
        })
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn packages(part: &Part) -> BTreeMap<String, String> {
    part.good()
        .iter()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, version, status) = (words.next()?, words.next()?, words.next()?);
            (status == "installed").then(|| (name.to_owned(), version.to_owned()))
        })
        .collect()
}

/// Packages that dpkg has begun with and not brought to an end.
fn broken_packages(part: &Part) -> Vec<String> {
    let is_broken = |status: &str| {
        matches!(
            status,
            "unpacked" | "half-installed" | "half-configured" | "triggers-awaited"
        )
    };
    part.good()
        .iter()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, status) = (words.next()?, words.next_back()?);
            is_broken(status).then(|| name.to_owned())
        })
        .collect()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Returns the hash by which facts speak of a file's text.
pub fn text_hash(text: &str) -> String {
    sha256(text.trim_end_matches('\n'))
}

fn read_files(facts: &mut Facts, part: &impl Fn(&str) -> Part) {
    let without_first = |part: Part| {
        (part.status == 0).then(|| with_newline(part.lines.get(1..).unwrap_or_default()))
    };
    let texts = Texts {
        daemon_json: without_first(part("daemon-json")),
        environment: part("environment").text(),
        proxy_drop_in: without_first(part("proxy-drop-in")),
        repository: without_first(part("repository")),
        os_release: std::mem::take(&mut facts.texts.os_release),
    };
    let hash = |text: &Option<String>| text.as_deref().map(text_hash);
    facts.files = Files {
        daemon_json: hash(&texts.daemon_json),
        environment: hash(&texts.environment),
        proxy_drop_in: hash(&texts.proxy_drop_in),
        repository: hash(&texts.repository),
    };
    facts.texts = texts;
    if let Some(text) = part("owned").text() {
        facts.owned = configurer::Owned::parse(&text);
    }
}

fn lock(part: &Part) -> Option<LockSeen> {
    let age_seconds = part.good().first()?.trim().parse().unwrap_or(0);
    let record: LockRecord = serde_json::from_str(part.good().get(1)?).ok()?;
    Some(LockSeen {
        age_seconds,
        record,
    })
}

fn skew(clock: &Part, now: f64) -> f64 {
    clock
        .first()
        .trim()
        .parse::<f64>()
        .map_or(0.0, |theirs| theirs - now)
}

fn engine(facts: &mut Facts, part: &impl Fn(&str) -> Part) {
    let info = part("info");
    let value: Value = info.json().next().unwrap_or(Value::Null);
    let text = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let known = |pointer: &str| text(pointer).map(|text| Known::Is(text.to_owned()));
    let unit = unit(&part("engine-unit"));
    // The command alone is not the engine: an installation may have been cut off between them.
    let installed =
        part("dockerd").status == 0 || unit.get("LoadState").is_some_and(|state| state == "loaded");
    let version = known("/ServerVersion");
    let state = match (&version, installed) {
        (Some(_), _) => EngineState::Running,
        (None, false) => EngineState::Absent,
        (None, true) => EngineState::Silent(why_silent(&info, &value)),
    };
    // systemd remembers the start of a unit that is gone.
    let started = started(&unit).filter(|_| state != EngineState::Absent);
    facts.engine = Engine {
        needs_restart: state == EngineState::Running && changed_since(facts, &part, &unit, started),
        state,
        version,
        root_dir: text("/DockerRootDir").map(str::to_owned),
        started: started.map(Known::Is),
    };
    facts.swarm = Swarm {
        state: text("/Swarm/LocalNodeState").unwrap_or_default().to_owned(),
        node_id: known("/Swarm/NodeID"),
        cluster_id: known("/Swarm/Cluster/ID"),
        is_manager: value
            .pointer("/Swarm/ControlAvailable")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        is_leader: false,
        error: text("/Swarm/Error").map(str::to_owned),
    };
    facts.nodes = nodes(&part("nodes"));
    facts.swarm.is_leader = facts
        .node_id()
        .and_then(|id| facts.nodes.get(id))
        .is_some_and(|node| node.leader);
    facts.mke = mke(part);
    facts.bootstrap = part("bootstrap")
        .json()
        .next()
        .map(|seen: BootstrapSeen| Bootstrap {
            id: seen.id,
            running: seen.running,
            exit_code: seen.exit_code,
            labels: seen.labels.unwrap_or_default(),
        });
    facts.certificates = part("certificates")
        .good()
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(hash, name)| (name.trim().to_owned(), hash.to_owned()))
        .collect();
}

fn why_silent(info: &Part, value: &Value) -> String {
    let error = value
        .pointer("/ServerErrors/0")
        .and_then(Value::as_str)
        .map(str::to_owned);
    match info.status {
        124 | 137 => "no answer within 20 s".to_owned(),
        127 => "the docker command is missing".to_owned(),
        status => error
            .or_else(|| {
                info.lines
                    .iter()
                    .rev()
                    .find(|line| !line.starts_with('{'))
                    .cloned()
            })
            .unwrap_or_else(|| format!("docker info ended with status {status}")),
    }
}

/// Returns when the engine was started, in microseconds: since boot, with OpenRC since 1970.
fn started(unit: &BTreeMap<String, String>) -> Option<u64> {
    let number = |key: &str| unit.get(key)?.replace('.', "").parse::<u64>().ok();
    let since_boot = number("ExecMainStartTimestampMonotonic");
    let nanoseconds = number("StartedAt");
    let started = since_boot.or(nanoseconds.map(|at| at / 1000));
    started.filter(|micros| *micros > 0)
}

fn unit(part: &Part) -> BTreeMap<String, String> {
    part.good()
        .iter()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Whether the engine's files are younger than the engine.
fn changed_since(
    facts: &Facts,
    part: &impl Fn(&str) -> Part,
    unit: &BTreeMap<String, String>,
    started_micros: Option<u64>,
) -> bool {
    if unit
        .get("NeedDaemonReload")
        .is_some_and(|answer| answer == "yes")
    {
        return true;
    }
    let (owned, daemon_json) = (&facts.owned, facts.texts.daemon_json.as_deref());
    let clock = part("clock");
    let seconds = |text: Option<&str>| text.and_then(|text| text.trim().parse::<f64>().ok());
    let now = seconds(clock.lines.first().map(String::as_str));
    let uptime = seconds(clock.lines.get(1).and_then(|line| line.split(' ').next()));
    let (Some(now), Some(uptime), Some(started)) = (now, uptime, started_micros) else {
        return false;
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds, even since 1970, are below 2^52"
    )]
    let started = match unit.contains_key("StartedAt") {
        true => started as f64 / 1e6,
        false => now - uptime + started as f64 / 1e6,
    };
    // A time that is yet to come was written by another clock, and says nothing.
    let is_younger = |name: &str| {
        let part = part(name);
        let changed = seconds(Some(part.first())).filter(|_| part.status == 0);
        changed.is_some_and(|changed| changed > started && changed <= now)
    };
    // What an administrator has written there is his to load.
    let is_ours = daemon_json.is_some_and(|text| owned.owns_file(DAEMON_JSON, text));
    (is_ours && is_younger("daemon-json")) || is_younger("drop-ins")
}

#[derive(Deserialize)]
struct NodeSeen {
    id: String,
    hostname: String,
    state: String,
    address: String,
    role: String,
    availability: String,
    labels: Option<BTreeMap<String, String>>,
    manager: Option<ManagerSeen>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ManagerSeen {
    #[serde(default)]
    leader: bool,
    reachability: Option<String>,
}

#[derive(Deserialize)]
struct BootstrapSeen {
    id: String,
    running: bool,
    exit_code: i64,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct ContainerSeen {
    name: String,
    image: String,
    state: String,
}

#[derive(Deserialize)]
struct ServiceSeen {
    name: String,
}

fn nodes(part: &Part) -> BTreeMap<String, Node> {
    part.json::<NodeSeen>()
        .map(|seen| {
            let manager = seen.manager;
            let node = Node {
                hostname: seen.hostname,
                state: seen.state,
                address: seen.address,
                role: seen.role,
                availability: seen.availability,
                labels: seen.labels.unwrap_or_default(),
                leader: manager.as_ref().is_some_and(|manager| manager.leader),
                reachability: manager.and_then(|manager| manager.reachability),
            };
            (seen.id, node)
        })
        .collect()
}

fn mke(part: &impl Fn(&str) -> Part) -> MkeOnHost {
    let containers: Vec<ContainerSeen> = part("containers").json().collect();
    let proxy = containers
        .iter()
        .find(|one| one.name == "ucp-proxy" && one.state == "running")
        .map(|one| tag(&one.image));
    let mut names: Vec<String> = containers
        .into_iter()
        .map(|one| one.name)
        .filter(|name| name.starts_with("ucp-"))
        .collect();
    names.sort();
    let mut services: Vec<String> = part("services")
        .json()
        .map(|one: ServiceSeen| one.name)
        .filter(|name| name.starts_with("ucp-"))
        .collect();
    services.sort();
    MkeOnHost {
        proxy_version: proxy,
        containers: names,
        services,
        ping: part("ping")
            .good()
            .first()
            .and_then(|line| line.trim().parse().ok()),
    }
}

/// Returns the tag of `registry:5000/path/name:tag@digest`.
fn tag(image: &str) -> String {
    let image = image.split('@').next().unwrap_or(image);
    let last = image.rsplit('/').next().unwrap_or(image);
    let tag = last.split_once(':').map_or("latest", |(_, tag)| tag);
    tag.to_owned()
}
