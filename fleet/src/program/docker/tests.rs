//! The command, typed into a shell as people and launchpad do it.

mod images;
mod msr;
mod programs;

use std::time::Duration;

use serde_json::Value;

use crate::engine::mke::serve;
use crate::engine::registry::Login;
use crate::engine::tests::Cluster;
use crate::engine::{enter, power};
use crate::testing::{Ran, run_with};

impl Cluster {
    async fn sh(&self, host: usize, script: &str) -> Ran {
        self.sh_with(host, script, &[], "").await
    }

    async fn sh_with(&self, host: usize, script: &str, arguments: &[&str], stdin: &str) -> Ran {
        let words = [&["sh", "-c", script, "sh"], arguments].concat();
        let ran = run_with(&self.fleet, self.hosts[host], &words, stdin).await;
        let unknown = self.fleet.not_simulated();
        assert!(unknown.is_empty(), "{unknown:?}");
        ran
    }

    /// What a script prints that has to succeed.
    async fn good(&self, host: usize, script: &str) -> String {
        let ran = self.sh(host, script).await;
        assert_eq!(ran.status, 0, "{script}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// What a script says that has to fail.
    async fn bad(&self, host: usize, script: &str) -> (u8, String) {
        let ran = self.sh(host, script).await;
        assert_ne!(ran.status, 0, "{script}: {}", ran.stdout);
        (ran.status, ran.stderr)
    }
}

/// As `product/src/mke/bootstrapper/mod.rs` has it.
const START: &str = r#"
set -eu
image=$1 operation=$2 flags=$3 selinux=$4
shift 4
labels=
for label in "$@"; do labels="$labels --label $label"; done
eval "set -- $flags"
if [ -n "${LAUNCHPAD_LICENSE:-}" ]; then set -- --license "$LAUNCHPAD_LICENSE" "$@"; fi
exec docker run -d --name ucp --env-file /dev/stdin $labels $selinux \
  -v /var/run/docker.sock:/var/run/docker.sock "$image" "$operation" "$@" >/dev/null
"#;

const STATUS: &str = r#"
docker inspect --type container ucp --format '{{if .State.Running}}running{{else}}exited {{.State.ExitCode}}{{end}}' 2>/dev/null || {
  docker version --format '{{.Server.Version}}' >/dev/null && echo absent
}
"#;

const STATE: &str = "docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}} \
    {{if .Swarm.Cluster}}{{.Swarm.Cluster.ID}}{{end}} {{.Swarm.ControlAvailable}}'";

async fn install(cluster: &Cluster) -> String {
    let arguments = [
        "docker.io/mirantis/ucp:3.8.8",
        "install",
        "--san mke.lab --force-minimums",
        "",
        "com.mirantis.launchpad.operation=install",
        "com.mirantis.launchpad.version=3.8.8",
    ];
    let secrets = "UCP_ADMIN_USER=admin\nUCP_ADMIN_PASSWORD=orca orca\n";
    let ran = cluster.sh_with(0, START, &arguments, secrets).await;
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_eq!(cluster.good(0, STATUS).await, "running\n");
    let log = cluster.good(0, "docker logs --follow ucp 2>&1").await;
    assert_eq!(cluster.good(0, STATUS).await, "exited 0\n", "{log}");
    log
}

#[tokio::test(start_paused = true)]
async fn a_cluster_from_nothing_to_mke_and_back() {
    let cluster = Cluster::new(31, 3);
    assert_eq!(cluster.good(0, STATE).await, "inactive   false\n");
    let said = cluster
        .good(0, "docker swarm init --advertise-addr eth0")
        .await;
    assert!(
        said.contains("docker swarm join --token SWMTKN-1-"),
        "{said}"
    );
    for (host, role) in [(1, "manager"), (2, "worker")] {
        let token = cluster
            .good(0, &format!("docker swarm join-token -q {role}"))
            .await;
        let script = format!("docker swarm join --token {} 10.0.0.1:2377", token.trim());
        let said = cluster.good(host, &script).await;
        assert_eq!(said, format!("This node joined a swarm as a {role}.\n"));
    }
    let state = cluster.good(0, STATE).await;
    assert!(
        state.starts_with("active ") && state.ends_with(" true\n"),
        "{state}"
    );
    assert_eq!(
        cluster.good(0, "docker node ls -q").await.lines().count(),
        3
    );

    let log = install(&cluster).await;
    assert!(log.contains("All Installation Steps Completed"), "{log}");
    cluster.good(0, "docker rm --force ucp").await;
    // The command prints an empty line where it has nothing to show.
    assert_eq!(cluster.good(0, STATUS).await, "\nabsent\n");
    cluster.wait(120).await;

    discovered(&cluster).await;

    let id = cluster
        .good(0, "docker info --format '{{.Swarm.Cluster.ID}}'")
        .await;
    let script = format!(
        "docker run --rm -i -v /var/run/docker.sock:/var/run/docker.sock mirantis/ucp:3.8.8 \
         uninstall-ucp --id {} 2>&1",
        id.trim()
    );
    let log = cluster.good(0, &script).await;
    assert!(log.contains("MKE has been removed"), "{log}");
    cluster.wait(2).await;
    assert_eq!(
        cluster.good(2, "docker ps -aq --filter name=^/ucp").await,
        ""
    );
    assert_eq!(
        cluster
            .good(0, "docker service ls -q --filter name=ucp-")
            .await,
        ""
    );
    let volumes = cluster
        .good(0, "docker volume ls -q --filter name=ucp-")
        .await;
    // The certificates of the user stay, as with the real uninstaller.
    assert_eq!(volumes, "ucp-controller-server-certs\n");
    for host in [2, 1, 0] {
        let said = cluster.good(host, "docker swarm leave --force").await;
        assert_eq!(said, "Node left the swarm.\n");
    }
    let (_, said) = cluster.bad(0, "docker swarm leave --force").await;
    assert!(said.contains("not part of a swarm"), "{said}");
}

/// The questions of `product/src/mke/facts/discover.sh`, against what a real host answered.
async fn discovered(cluster: &Cluster) {
    let recorded = include_str!("../../../../product/tests/recorded/manager.txt");
    let lines = |part: &str| -> Vec<Value> {
        let mark = format!("launchpad-recorded {part} 0");
        let lines = recorded.lines().skip_while(|line| **line != *mark).skip(1);
        lines
            .take_while(|line| !line.starts_with("launchpad-recorded "))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };

    let info = cluster.good(0, "docker info --format \"{{json .}}\"").await;
    assert!(info.contains("\"ServerVersion\":\"25.0.9\""), "{info}");
    assert!(info.contains("\"ControlAvailable\":true"), "{info}");
    let info: Value = serde_json::from_str(&info).unwrap();
    let gone = ["KernelMemory", "KernelMemoryTCP"];
    for key in keys(&lines("info")[0]) {
        assert!(
            info.get(&key).is_some() || gone.contains(&key.as_str()),
            "{key}"
        );
    }
    for key in keys(&lines("info")[0]["Swarm"]) {
        assert!(info["Swarm"].get(&key).is_some(), "{key}");
    }

    let script = r#"docker ps -a --no-trunc --filter name=ucp --format "{\"id\":{{json .ID}},\"name\":{{json .Names}},\"image\":{{json .Image}},\"state\":{{json .State}},\"status\":{{json .Status}}}""#;
    let text = cluster.good(0, script).await;
    let seen: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let wanted = lines("containers");
    assert_eq!(seen.len(), wanted.len(), "{text}");
    for (seen, wanted) in seen.iter().zip(&wanted) {
        assert_eq!(keys(seen), keys(wanted));
        assert_eq!(seen["image"], wanted["image"]);
        assert_eq!(seen["state"], wanted["state"]);
    }

    let script = r#"ids=$(docker node ls -q) && docker node inspect $ids --format "{\"id\":{{json .ID}},\"hostname\":{{json .Description.Hostname}},\"state\":{{json .Status.State}},\"address\":{{json .Status.Addr}},\"role\":{{json .Spec.Role}},\"availability\":{{json .Spec.Availability}},\"labels\":{{json .Spec.Labels}},\"manager\":{{if .ManagerStatus}}{{json .ManagerStatus}}{{else}}null{{end}}}""#;
    let text = cluster.good(0, script).await;
    let seen: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (seen, wanted) in seen.iter().zip(lines("nodes")) {
        assert_eq!(keys(seen), keys(&wanted));
        assert_eq!(seen["role"], wanted["role"]);
        assert_eq!(seen["manager"].is_null(), wanted["manager"].is_null());
        assert_eq!(
            seen["manager"].get("Leader"),
            wanted["manager"].get("Leader")
        );
    }

    let script = r#"docker service ls --filter name=ucp --format "{\"name\":{{json .Name}},\"image\":{{json .Image}},\"replicas\":{{json .Replicas}}}""#;
    let text = cluster.good(0, script).await;
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        lines("services")[0]
    );

    let script = r#"docker inspect --type container ucp --format "{\"id\":{{json .Id}},\"labels\":{{json .Config.Labels}}}" || exit 3"#;
    let ran = cluster.sh(0, script).await;
    assert_eq!((ran.status, ran.stdout.as_str()), (3, "\n"));
    assert!(
        ran.stderr.ends_with("No such container: ucp\n"),
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn the_api_is_reached_by_tls_through_a_host() {
    let cluster = Cluster::new(32, 1);
    cluster.good(0, "docker swarm init").await;
    install(&cluster).await;
    cluster.wait(60).await;
    let script = "docker run --rm -i -v /var/run/docker.sock:/var/run/docker.sock \
                  mirantis/ucp:3.8.8 dump-certs --ca";
    let ca = cluster.good(0, script).await;
    assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"), "{ca}");

    let stream = serve::dial(&cluster.fleet, cluster.hosts[0], "127.0.0.1", 443).unwrap();
    let answer = get(stream, &ca, "mke.lab", "/_ping").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let stream = serve::dial(&cluster.fleet, cluster.hosts[0], "10.0.0.1", 443).unwrap();
    assert!(get(stream, &ca, "other.lab", "/_ping").await.is_err());
    assert!(serve::dial(&cluster.fleet, cluster.hosts[0], "127.0.0.1", 8443).is_none());
}

async fn get(
    stream: tokio::io::DuplexStream,
    ca: &str,
    name: &str,
    path: &str,
) -> std::io::Result<String> {
    use rustls::pki_types::pem::PemObject as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut roots = rustls::RootCertStore::empty();
    let ca = rustls::pki_types::CertificateDer::from_pem_slice(ca.as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = connector.connect(name, stream).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    // Go's server answers somebody who has closed his half of the connection, too.
    stream.get_mut().0.shutdown().await?;
    let mut answer = String::new();
    // The other end may hang up without a word of TLS.
    stream.read_to_string(&mut answer).await.ok();
    Ok(answer)
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_dead_or_hangs_is_told_apart() {
    let cluster = Cluster::new(33, 1);
    cluster.stop(0);

    let (status, said) = cluster.bad(0, "docker ps").await;
    assert_eq!(status, 1);
    assert!(
        said.starts_with("Cannot connect to the Docker daemon at unix:///var/run"),
        "{said}"
    );
    let ran = cluster.sh(0, "docker info --format '{{json .}}'").await;
    assert!(
        ran.stdout.contains("\"ServerErrors\":[\"Cannot connect"),
        "{}",
        ran.stdout
    );
    let ran = cluster
        .sh(0, "docker version --format '{{.Server.Version}}'")
        .await;
    assert_eq!(ran.status, 1);

    cluster.start(0);
    cluster.see(|world, _| power::hang(world, cluster.hosts[0], true));
    let hangs = tokio::time::timeout(Duration::from_secs(60), cluster.sh(0, "docker ps"));
    assert!(hangs.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn containers_live_and_die() {
    let cluster = Cluster::new(34, 1);

    let id = cluster
        .good(0, "docker run -d --name web --restart always nginx")
        .await;
    assert_eq!(id.trim().len(), 64);
    let (status, said) = cluster.bad(0, "docker run -d --name web nginx").await;
    assert_eq!(status, 125);
    assert!(
        said.contains("The container name \"/web\" is already in use"),
        "{said}"
    );
    let shown = cluster.good(0, "docker ps").await;
    let mut lines = shown.lines();
    assert!(
        lines.next().unwrap().starts_with("CONTAINER ID   IMAGE"),
        "{shown}"
    );
    assert!(lines.next().unwrap().ends_with("web"), "{shown}");
    let (_, said) = cluster.bad(0, "docker rm web").await;
    assert!(said.contains("container is running"), "{said}");
    assert_eq!(cluster.good(0, "docker stop web").await, "web\n");
    let state = "docker inspect web --format '{{.State.Status}} {{.State.ExitCode}}'";
    assert_eq!(cluster.good(0, state).await, "exited 0\n");
    assert_eq!(cluster.good(0, "docker start web").await, "web\n");
    assert_eq!(cluster.good(0, "docker rm -f web").await, "web\n");
    let ran = cluster.sh(0, "docker rm -f web").await;
    assert_eq!(ran.status, 0);
    assert_eq!(
        ran.stderr,
        "Error response from daemon: No such container: web\n"
    );

    assert_eq!(
        cluster.good(0, "docker run --rm alpine echo hello").await,
        "hello\n"
    );
    assert_eq!(
        cluster.sh(0, "docker run --rm alpine false").await.status,
        1
    );
    assert_eq!(cluster.good(0, "docker ps -aq").await, "");
    let (status, said) = cluster.bad(0, "docker run -d nobody/nothing").await;
    assert_eq!(status, 125);
    assert!(
        said.contains("pull access denied for nobody/nothing"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn containers_come_back_with_their_engine() {
    let cluster = Cluster::new(35, 1);
    cluster
        .good(0, "docker run -d --name aa --restart unless-stopped nginx")
        .await;
    cluster.good(0, "docker run -d --name bb nginx").await;
    cluster
        .good(0, "docker run -d --name cc --restart unless-stopped nginx")
        .await;
    cluster.good(0, "docker stop cc").await;

    cluster.stop(0);
    cluster.start(0);

    let names = cluster.good(0, "docker ps --format '{{.Names}}'").await;
    assert_eq!(names, "aa\n");
}

#[tokio::test(start_paused = true)]
async fn volumes_are_directories_of_the_host() {
    let cluster = Cluster::new(36, 1);

    let script = r#"
        docker volume inspect certs >/dev/null 2>&1 || docker volume create certs >/dev/null
        dir=$(docker volume inspect certs --format '{{.Mountpoint}}')
        echo secret > "$dir/key.pem"
        echo "$dir"
        docker volume ls -q
    "#;
    let said = cluster.good(0, script).await;

    assert_eq!(said, "/var/lib/docker/volumes/certs/_data\ncerts\n");
    let text = cluster.fleet.host(cluster.hosts[0], |host| {
        host.files
            .text("/var/lib/docker/volumes/certs/_data/key.pem")
    });
    assert_eq!(text.as_deref(), Some("secret\n"));
    cluster.good(0, "docker volume rm certs").await;
    let (_, said) = cluster.bad(0, "docker volume rm certs").await;
    assert_eq!(
        said,
        "Error response from daemon: get certs: no such volume\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_opens_a_private_repository() {
    let cluster = Cluster::new(37, 1);
    enter(&cluster.fleet, |world, _| {
        let hub = world.engines.registries.registry("docker.io");
        let login = Login {
            username: "u".to_owned(),
            password: "p".to_owned(),
        };
        hub.users.insert(login.username, login.password);
        if let Some(repository) = hub.repositories.get_mut("library/nginx") {
            repository.is_private = true;
        }
    });

    let (_, said) = cluster.bad(0, "docker pull nginx").await;
    assert!(said.contains("pull access denied for nginx"), "{said}");
    let (status, said) = cluster
        .bad(0, "echo wrong | docker login --username u --password-stdin")
        .await;
    assert_eq!(status, 1);
    assert!(
        said.contains("unauthorized: incorrect username or password"),
        "{said}"
    );
    let script = "export DOCKER_CONFIG=/work/login; echo p | docker login -u u --password-stdin";
    assert_eq!(cluster.good(0, script).await, "Login Succeeded\n");
    let said = cluster
        .good(0, "DOCKER_CONFIG=/work/login docker pull nginx")
        .await;
    assert!(said.ends_with("docker.io/library/nginx:latest\n"), "{said}");
    assert_eq!(
        cluster
            .good(0, "docker image inspect nginx --format '{{.Os}}'")
            .await,
        "linux\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_a_pull() {
    let cluster = Cluster::new(38, 1);
    cluster.fleet.host(cluster.hosts[0], |host| {
        host.files
            .change_mount("/", |mount| mount.size = mount.used + (10 << 20));
    });

    let (_, said) = cluster.bad(0, "docker pull nginx").await;

    assert!(said.contains("no space left on device"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn nodes_are_labelled_drained_and_demoted() {
    let cluster = Cluster::swarm(39, 3, 1).await;

    let script = "id=$(docker node ls -q --filter name=h3)
        docker node update --label-add a=1 --label-add b=2 $id >/dev/null
        docker node inspect $id --format '{{json .Spec.Labels}}'";
    assert_eq!(cluster.good(0, script).await, "{\"a\":\"1\",\"b\":\"2\"}\n");
    cluster
        .good(0, "docker node update --availability drain h3")
        .await;
    let listing = cluster.good(0, "docker node ls").await;
    assert!(
        listing
            .lines()
            .any(|line| line.contains("h3") && line.contains("Drain")),
        "{listing}"
    );
    let said = cluster.good(0, "docker node demote h2").await;
    assert_eq!(said, "Manager h2 demoted in the swarm.\n");
    let (_, said) = cluster.bad(2, "docker node ls").await;
    assert!(
        said.contains("This node is not a swarm manager. Worker nodes"),
        "{said}"
    );
    let (_, said) = cluster.bad(0, "docker node rm h3").await;
    assert!(said.contains("is not down and can't be removed"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn services_and_configs() {
    let cluster = Cluster::swarm(40, 1, 2).await;

    let script = "echo text | docker config create c - >/dev/null
        docker config ls --format '{{.Name}}'
        docker service create -q --name web --replicas 2 nginx >/dev/null
        docker service ls --format '{{.Name}} {{.Mode}} {{.Replicas}}'
        docker service scale -d web=3 >/dev/null
        docker config rm c";
    assert_eq!(cluster.good(0, script).await, "c\nweb replicated 2/2\nc\n");
    cluster.wait(10).await;
    let tasks = cluster
        .good(
            0,
            "docker service ps web --format '{{.Name}} {{.DesiredState}}'",
        )
        .await;
    assert_eq!(tasks, "web.1 Running\nweb.2 Running\nweb.3 Running\n");
    assert_eq!(cluster.good(0, "docker service rm web").await, "web\n");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_simulated_fails_loudly() {
    let cluster = Cluster::new(41, 1);

    let words = ["docker", "events"];
    let ran = run_with(&cluster.fleet, cluster.hosts[0], &words, "").await;

    assert_eq!(ran.status, 70);
    assert_eq!(ran.stderr, "docker: not simulated: the command events\n");
    assert_eq!(cluster.fleet.not_simulated().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_some_users_reach_the_engine() {
    let cluster = Cluster::new(42, 1);
    let launch = |groups: Vec<u32>| {
        let (stderr, err) = crate::pipe::pipe();
        let mut launch =
            crate::testing::launch(&cluster.fleet, cluster.hosts[0], &["docker", "ps"]);
        launch.stderr = stderr;
        launch.credentials = crate::files::Credentials {
            user: "lab".to_owned(),
            uid: 1000,
            gid: 1000,
            groups,
        };
        async move {
            let child = launch.start();
            let said = err.read_to_end().await.unwrap();
            child.wait().await;
            String::from_utf8(said).unwrap()
        }
    };
    cluster.fleet.host(cluster.hosts[0], |host| {
        let root = crate::files::Credentials::root();
        let groups = "root:x:0:\ndocker:x:998:lab\n";
        host.files
            .write("/etc/group", groups, 0o644, &root, Duration::ZERO)
            .unwrap();
    });

    let said = launch(vec![1000]).await;
    assert!(
        said.contains("permission denied while trying to connect"),
        "{said}"
    );
    assert_eq!(launch(vec![1000, 998]).await, "");
}
