//! The network and the services that stand for the world outside: package repositories and registries.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hyper::StatusCode;

use super::{PREFIX, SUBNET};
use crate::command::Cmd;
use crate::machine::tools::is_root;
use crate::paths::write_mode;
use crate::recipe::Images;
use crate::recipe::rpms::Engines;
use crate::recipe::services::{REGISTRY_CONFIG, REGISTRY_PRIVATE_CONFIG};
use crate::registry::{Image, Registry};

/// Where the package repositories are.
const REPOSITORIES: Ipv4Addr = Ipv4Addr::new(10, 77, 255, 2);
/// Where the registry is.
const REGISTRY: Ipv4Addr = Ipv4Addr::new(10, 77, 255, 3);
/// Where the same images are behind a password.
const PRIVATE: Ipv4Addr = Ipv4Addr::new(10, 77, 255, 4);

/// Who may read the private registry.
pub(crate) const PRIVATE_USER: &str = "puller";

/// The versions of MKE that the registry has.
pub(crate) const MKE_VERSIONS: [&str; 2] = ["3.8.8", "3.8.9"];

/// The images of MKE; all are the stand-in, which looks at its name.
const MKE_IMAGES: [&str; 4] = ["ucp", "ucp-agent", "ucp-controller", "ucp-proxy"];

/// How long a service may take to answer.
const START: Duration = Duration::from_secs(30);

/// The file of a run that holds the private registry's password.
pub(crate) const PRIVATE_PASSWORD_FILE: &str = "private-registry-password";

/// Starts the services and fills the registry.
pub(crate) async fn start(images: &Images, dir: &Path) -> Result<()> {
    Cmd::new("docker")
        .args(["network", "create", "--label", PREFIX, "--subnet", SUBNET])
        .args([
            "--opt",
            &format!("com.docker.network.bridge.name={PREFIX}"),
            PREFIX,
        ])
        .run()
        .await?;
    block_metadata().await?;
    let tls = mount(&images.keys.tls(), "/tls");
    let repositories = repositories(images, Engines::Real);
    let data = format!("{PREFIX}-registry:/data");
    Cmd::new("docker")
        .args([
            "volume",
            "create",
            "--label",
            PREFIX,
            &format!("{PREFIX}-registry"),
        ])
        .run()
        .await?;
    let names = [
        "registry-1.docker.io",
        "registry.mirantis.com",
        "registry.lab",
        // Nothing listens there for packages.
        "refused.lab",
    ];
    let registry = service("registry", REGISTRY, &names)
        .args(["-v", &data, "-v", &tls, &images.services])
        .args(["docker-registry", "serve", REGISTRY_CONFIG]);
    tokio::try_join!(repositories.run(), registry.run())?;
    fill(images).await?;
    renew_private(images, dir).await?;
    wait_repository().await
}

/// Starts the package repositories anew, with other packages of the product for hosts with rpm.
pub(crate) async fn renew_repositories(images: &Images, engines: Engines) -> Result<()> {
    Cmd::new("docker")
        .args(["rm", "--force", &format!("{PREFIX}-repositories")])
        .run()
        .await?;
    repositories(images, engines).run().await?;
    wait_repository().await
}

fn repositories(images: &Images, engines: Engines) -> Cmd {
    let names = ["repos.mirantis.com", "archive.lab", "busy.lab"];
    let mut run = service("repositories", REPOSITORIES, &names)
        .args(["-v", &mount(&images.packages.repository(), "/www/ubuntu")])
        .args(["-v", &mount(&images.archive.dir, "/www/archive")])
        .args(["-v", &mount(&images.rpms.archive(), "/www/rpm-archive")])
        .args(["-v", &mount(&images.keys.tls(), "/tls")]);
    for (vendor, dir) in images.rpms.products(engines) {
        run = run.args(["-v", &mount(&dir, &format!("/www/{vendor}"))]);
    }
    run.args([images.services.as_str(), "nginx"])
}

/// Starts the private registry anew, with the lab's certificate and a password that was never used.
pub(crate) async fn renew_private(images: &Images, dir: &Path) -> Result<()> {
    use rand::distr::{Alphanumeric, SampleString};
    let password = Alphanumeric.sample_string(&mut rand::rng(), 24);
    let authority = (images.keys.ca(), images.keys.tls());
    start_private(images, dir, &password, (&authority.0, &authority.1)).await
}

/// Starts the private registry anew, with a password and a certificate: the file of its CA, and the
/// directory of the certificate and its key.
pub(crate) async fn start_private(
    images: &Images,
    dir: &Path,
    password: &str,
    (ca, tls): (&Path, &Path),
) -> Result<()> {
    Cmd::new("docker")
        .args(["rm", "--force", &format!("{PREFIX}-private")])
        .run()
        .await?;
    let htpasswd = write_password(dir, password)?;
    service("private", PRIVATE, &["private.lab"])
        .args(["-v", &format!("{PREFIX}-registry:/data")])
        .args(["-v", &mount(tls, "/tls")])
        .args([
            "-v",
            &mount(&htpasswd, "/etc/registry-htpasswd"),
            &images.services,
        ])
        .args(["docker-registry", "serve", REGISTRY_PRIVATE_CONFIG])
        .run()
        .await?;
    check_private(ca, password).await
}

fn service(name: &str, address: Ipv4Addr, aliases: &[&str]) -> Cmd {
    let run = Cmd::new("docker")
        .args([
            "run",
            "--detach",
            "--label",
            PREFIX,
            "--name",
            &format!("{PREFIX}-{name}"),
        ])
        .args(["--network", PREFIX, "--ip", &address.to_string()]);
    aliases
        .iter()
        .fold(run, |run, alias| run.args(["--network-alias", alias]))
}

fn mount(path: &Path, inside: &str) -> String {
    format!("{}:{inside}:ro", path.display())
}

/// Writes the password of the private registry down and returns its htpasswd file.
fn write_password(dir: &Path, password: &str) -> Result<std::path::PathBuf> {
    // The lowest cost: the password lives as long as the lab.
    let hash = bcrypt::hash(password, 4).context("cannot hash a password")?;
    write_mode(&dir.join(PRIVATE_PASSWORD_FILE), password, 0o600)?;
    let file = dir.join("htpasswd");
    write_mode(&file, format!("{PRIVATE_USER}:{hash}\n"), 0o644)?;
    Ok(file)
}

/// Puts the images into the registry.
async fn fill(images: &Images) -> Result<()> {
    let mut registry = connect(&images.keys.ca(), REGISTRY, "registry.lab").await?;
    let ucp = Image::of(&[(images.ucp.clone(), "ucp")], &[], &["tmp"], &["/ucp"])?;
    let references: Vec<String> = MKE_VERSIONS
        .iter()
        .flat_map(|version| {
            MKE_IMAGES
                .iter()
                .map(move |name| format!("mirantis/{name}:{version}"))
        })
        .collect();
    registry.push(&ucp, &references).await?;
    let applets = Cmd::new(images.packages.busybox())
        .arg("--list")
        .run()
        .await?;
    let links: Vec<(String, &str)> = applets
        .stdout
        .lines()
        .filter(|applet| *applet != "busybox")
        .map(|applet| (format!("bin/{applet}"), "busybox"))
        .collect();
    let busybox = Image::of(
        &[(images.packages.busybox(), "bin/busybox")],
        &links,
        &["tmp"],
        &[],
    )?;
    registry
        .push(&busybox, &["mirantis/busybox:1".to_owned()])
        .await
}

async fn connect(ca: &Path, address: Ipv4Addr, host: &str) -> Result<Registry> {
    let started = Instant::now();
    let address = SocketAddr::from((address, 443));
    loop {
        match Registry::connect(address, host, ca).await {
            Ok(registry) => return Ok(registry),
            Err(error) if started.elapsed() > START => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Makes sure that the private registry really wants its password.
async fn check_private(ca: &Path, password: &str) -> Result<()> {
    let mut registry = connect(ca, PRIVATE, "private.lab").await?;
    let anonymous = registry.version().await?;
    registry.log_in(PRIVATE_USER, password);
    let known = registry.version().await?;
    if (anonymous, known) != (StatusCode::UNAUTHORIZED, StatusCode::OK) {
        bail!("the private registry answers {anonymous} without and {known} with its password");
    }
    Ok(())
}

async fn wait_repository() -> Result<()> {
    let started = Instant::now();
    let address = SocketAddr::from((REPOSITORIES, 443));
    while let Err(error) = tokio::net::TcpStream::connect(address).await {
        if started.elapsed() > START {
            return Err(error).context("the package repository does not answer");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Keeps hosts from the metadata service of the cloud that this machine may run in.
async fn block_metadata() -> Result<()> {
    if is_root() {
        metadata_rule("-I").run().await?;
    }
    Ok(())
}

/// Takes the rule back, as often as it is there.
pub(crate) async fn unblock_metadata() -> Result<()> {
    if is_root() {
        while metadata_rule("-C").succeeds().await {
            metadata_rule("-D").run().await?;
        }
    }
    Ok(())
}

fn metadata_rule(action: &str) -> Cmd {
    Cmd::new("iptables")
        .args([
            "--wait",
            action,
            "DOCKER-USER",
            "-s",
            SUBNET,
            "-d",
            "169.254.169.254",
        ])
        .args(["-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"])
}
