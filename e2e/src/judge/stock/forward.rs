//! HTTPS through ports that `ssh` forwards: the API of MKE, and a registry.

use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::super::{Bench, ensure_same, ensure_so};
use crate::cache::hex;
use crate::command::Cmd;
use crate::paths::write_mode;

/// What an administrator logs in with.
const LOGIN: &str = r#"{"username":"admin","password":"a-rehearsal-needs-no-secret"}"#;

/// A port of this machine that leads to where `m1` can go.
struct Forwarded {
    /// The name in the certificate there.
    name: &'static str,
    /// Who has signed it.
    authority: PathBuf,
    port: u16,
    socket: PathBuf,
}

impl Forwarded {
    async fn open(
        bench: &Bench,
        target: &str,
        name: &'static str,
        authority: PathBuf,
    ) -> Result<Self> {
        let socket = bench.path("forward");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let line = format!(
            "{} -o ExitOnForwardFailure=yes -M -S {} -f -N -L {port}:{target}:443 m1 \
             >/dev/null 2>&1 </dev/null",
            bench.sim.ssh_line(),
            socket.display()
        );
        Cmd::new("sh").args(["-c", &line]).run().await?;
        Ok(Self {
            name,
            authority,
            port,
            socket,
        })
    }

    /// The way to the API on `m1`.
    async fn api(bench: &Bench) -> Result<Self> {
        let script = "cat /var/lib/docker/volumes/ucp-node-certs/_data/ca.pem";
        let authority = bench.path("ca.pem");
        write_mode(&authority, bench.sim.root("m1", script).await?, 0o600)?;
        Self::open(bench, "127.0.0.1", "mke.example.com", authority).await
    }

    fn curl(&self, path: &str) -> Cmd {
        let (name, port) = (self.name, self.port);
        Cmd::new("curl")
            .args(["--silent", "--show-error", "--fail", "--max-time", "30"])
            .arg("--cacert")
            .arg(&self.authority)
            .args(["--resolve", &format!("{name}:{port}:127.0.0.1")])
            .arg(format!("https://{name}:{port}{path}"))
    }

    async fn close(self, bench: &Bench) -> Result<()> {
        let end = bench.sim.client("ssh").arg("-S").arg(&self.socket);
        end.args(["-O", "exit", "m1"]).run().await?;
        Ok(())
    }
}

/// The certificate of MKE is that of the cluster, and names what the configuration asks for.
pub(super) async fn forward(bench: &Bench) -> Result<()> {
    let api = Forwarded::api(bench).await?;
    let ping = api.curl("/_ping").run().await?;
    let login = api.curl("/auth/login").args(["--data", LOGIN]);
    let token: serde_json::Value = serde_json::from_str(&login.run().await?.stdout)?;
    let token = token["auth_token"].as_str().context("no token")?.to_owned();
    let bearer = format!("Authorization: Bearer {token}");
    let nodes = api.curl("/nodes").args(["--header", &bearer]).run().await?;
    let wrong = api
        .curl("/nodes")
        .args(["--header", "Authorization: Bearer x"]);
    let wrong = wrong.finish().await?;
    let stranger = api.curl("/_ping");
    let stranger = stranger.args(["--cacert", "/etc/ssl/certs/ca-certificates.crt"]);
    let stranger = stranger.finish().await?;
    whole(&api, &bearer, nodes.stdout.len()).await?;
    api.close(bench).await?;

    ensure_same("the ping", ping.text(), "OK")?;
    let nodes: serde_json::Value = serde_json::from_str(&nodes.stdout)?;
    let names = |node: &serde_json::Value| node["Description"]["Hostname"].clone();
    let mut names: Vec<_> = nodes
        .as_array()
        .context("no nodes")?
        .iter()
        .map(names)
        .collect();
    names.sort_by_key(ToString::to_string);
    ensure_same("the nodes", names, vec!["m1", "w1", "w2", "w3", "w4"])?;
    ensure_same("without a token", wrong.code(), 22)?;
    ensure_same("to somebody who trusts others", stranger.code(), 60)
}

/// Answers come whole: many on one connection, and one to somebody who says no more.
async fn whole(api: &Forwarded, bearer: &str, length: usize) -> Result<()> {
    let many = api.curl("/nodes?[1-40]").args(["--header", bearer]);
    let many = many.run().await?.stdout.len();
    ensure_same("forty answers", many, 40 * length)?;
    ensure_so(many > 100_000, "they are long", many)?;
    let half = Cmd::new("python3")
        .args(["-c", include_str!("half_closed.py"), &api.port.to_string()])
        .arg(&api.authority)
        .finish()
        .await?;
    ensure_so(
        half.stdout.ends_with("\r\n\r\nOK"),
        "an answer to somebody who has closed his half",
        &half,
    )
}

/// A registry has what a host pulls from it, and everything is what its digest says.
pub(super) async fn registry(bench: &Bench) -> Result<()> {
    let authority = bench.sim.file("registries.pem");
    let name = "registry-1.docker.io";
    let registry = Forwarded::open(bench, name, name, authority).await?;
    let tags = registry.curl("/v2/library/alpine/tags/list").run().await?;
    let manifest = registry.curl("/v2/library/alpine/manifests/latest");
    let manifest = manifest.run().await?.stdout;
    let named: serde_json::Value = serde_json::from_str(&manifest)?;
    let config = named["config"]["digest"].as_str().unwrap_or_default();
    let config = registry.curl(&format!("/v2/library/alpine/blobs/{config}"));
    let config = config.run().await?.stdout;
    let nothing = registry.curl("/v2/library/alpine/manifests/0.0");
    let nothing = nothing.finish().await?;
    registry.close(bench).await?;
    let pull = "docker pull -q alpine >/dev/null && docker image inspect --format \
                '{{.Id}} {{index .RepoDigests 0}}' alpine";
    let pulled = bench.sim.root("m1", pull).await?;

    let tags: serde_json::Value = serde_json::from_str(&tags.stdout)?;
    ensure_same("the tags", &tags["tags"], &serde_json::json!(["latest"]))?;
    let digests = [config, manifest].map(|text| hex(&Sha256::digest(text)));
    let expected = format!("sha256:{} alpine@sha256:{}\n", digests[0], digests[1]);
    ensure_same("what a host has pulled", pulled, expected)?;
    ensure_same("a tag that there is not", nothing.code(), 22)
}
