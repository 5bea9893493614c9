//! The API of MKE through a port that `ssh` forwards.

use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::super::{Bench, ensure_same, ensure_so};
use crate::command::Cmd;
use crate::paths::write_mode;

/// What an administrator logs in with.
const LOGIN: &str = r#"{"username":"admin","password":"a-rehearsal-needs-no-secret"}"#;

/// A port of this machine that leads to the API on `m1`, and the CA of the cluster.
struct Forwarded {
    port: u16,
    socket: PathBuf,
    authority: PathBuf,
}

impl Forwarded {
    async fn open(bench: &Bench) -> Result<Self> {
        let script = "cat /var/lib/docker/volumes/ucp-node-certs/_data/ca.pem";
        let authority = bench.path("ca.pem");
        write_mode(&authority, bench.sim.root("m1", script).await?, 0o600)?;
        let socket = bench.path("forward");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let line = format!(
            "{} -o ExitOnForwardFailure=yes -M -S {} -f -N -L {port}:127.0.0.1:443 m1 \
             >/dev/null 2>&1 </dev/null",
            bench.sim.ssh_line(),
            socket.display()
        );
        Cmd::new("sh").args(["-c", &line]).run().await?;
        Ok(Self {
            port,
            socket,
            authority,
        })
    }

    fn curl(&self, path: &str) -> Cmd {
        let port = self.port;
        Cmd::new("curl")
            .args(["--silent", "--show-error", "--fail", "--max-time", "30"])
            .arg("--cacert")
            .arg(&self.authority)
            .args(["--resolve", &format!("mke.example.com:{port}:127.0.0.1")])
            .arg(format!("https://mke.example.com:{port}{path}"))
    }

    async fn close(self, bench: &Bench) -> Result<()> {
        let end = bench.sim.client("ssh").arg("-S").arg(&self.socket);
        end.args(["-O", "exit", "m1"]).run().await?;
        Ok(())
    }
}

/// The certificate of MKE is that of the cluster, and names what the configuration asks for.
pub(super) async fn forward(bench: &Bench) -> Result<()> {
    let api = Forwarded::open(bench).await?;
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
