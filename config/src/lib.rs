//! scaffold
#![allow(missing_docs, clippy::all, dead_code)]
mod version;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
pub use version::Version;
pub const LARGEST_DOCUMENT: usize = 4 << 20;
#[derive(Debug, Clone)]
pub struct Diagnostic {
    pub message: String,
}
impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
#[derive(Debug, Clone)]
pub struct Diagnostics {
    pub items: Vec<Diagnostic>,
    pub more: usize,
}
impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for d in &self.items {
            writeln!(f, "{d}")?;
        }
        Ok(())
    }
}
impl std::error::Error for Diagnostics {}
impl From<Vec<Diagnostic>> for Diagnostics {
    fn from(items: Vec<Diagnostic>) -> Self {
        Self { items, more: 0 }
    }
}
pub struct Source {
    pub name: String,
    pub text: Vec<u8>,
}
pub trait World {
    fn var(&self, name: &str) -> Option<String>;
    fn home(&self) -> Option<PathBuf>;
    fn current_dir(&self) -> PathBuf;
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>>;
}
pub struct Loaded {
    pub config: Config,
    pub warnings: Vec<Diagnostic>,
}
pub fn load(_: Source, _: &dyn World) -> Result<Loaded, Diagnostics> {
    Err(Diagnostics {
        items: vec![],
        more: 0,
    })
}
pub fn locate(_: Option<&Path>, _: &dyn World) -> Option<PathBuf> {
    None
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    Masked,
    Shown,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}
#[derive(Debug, Clone)]
pub struct Config {
    pub name: String,
    pub kind: String,
    pub hosts: Vec<Host>,
    pub mcr: Mcr,
    pub mke: Mke,
    pub msr: Option<Msr>,
    pub cluster: Cluster,
}
impl Config {
    pub fn position(&self, _: &str) -> Option<Position> {
        None
    }
    pub fn to_yaml(&self, _: Secrets) -> String {
        String::new()
    }
    pub fn mke_url(&self) -> String {
        String::new()
    }
    pub fn problem_at(&self, _path: &str, message: String) -> Diagnostic {
        Diagnostic { message }
    }
}
#[derive(Debug, Clone)]
pub struct Cluster {
    pub prune: bool,
}
#[derive(Debug, Clone)]
pub struct Msr {}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Manager,
    Worker,
    Msr,
}
impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("x")
    }
}
#[derive(Debug, Clone)]
pub struct Ssh {
    pub address: String,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub key_path: Option<PathBuf>,
    pub host_key: Option<String>,
    pub bastion: Option<Box<Ssh>>,
}
#[derive(Debug, Clone)]
pub struct OpenSsh {
    pub address: String,
}
#[derive(Debug, Clone)]
pub struct WinRm {
    pub address: String,
}
#[derive(Debug, Clone)]
pub struct Localhost {}
#[derive(Debug, Clone)]
pub enum Connection {
    Ssh(Ssh),
    OpenSsh(OpenSsh),
    WinRm(WinRm),
    Localhost(Localhost),
}
#[derive(Debug, Clone)]
pub struct HookPair {
    pub before: Vec<String>,
    pub after: Vec<String>,
}
#[derive(Debug, Clone)]
pub struct Hooks {
    pub apply: HookPair,
    pub reset: HookPair,
}
#[derive(Debug, Clone)]
pub struct Host {
    pub index: usize,
    pub role: Role,
    pub connection: Connection,
    pub private_interface: Option<String>,
    pub mcr_config: BTreeMap<String, serde_json::Value>,
    pub environment: BTreeMap<String, String>,
    pub hooks: Hooks,
    pub image_dir: Option<PathBuf>,
    pub sudodocker: bool,
    pub sudooverride: bool,
    pub mcrupgradeskip: bool,
    pub swarm_address: Option<String>,
}
impl Host {
    pub fn address(&self) -> &str {
        ""
    }
    pub fn name(&self) -> &str {
        ""
    }
    pub fn path(&self) -> String {
        String::new()
    }
}
#[derive(Debug, Clone, Default)]
pub struct Flags(Vec<String>);
impl Flags {
    pub fn has(&self, _: &str) -> bool {
        false
    }
    pub fn value(&self, _: &str) -> Option<&str> {
        None
    }
    pub fn values(&self, _: &str) -> Vec<&str> {
        vec![]
    }
    pub fn shell_words(&self) -> Vec<String> {
        vec![]
    }
}
#[derive(Debug, Clone)]
pub struct Mcr {
    pub channel: String,
    pub repo_url: String,
    pub install_url_windows: String,
    pub license: Option<SecretString>,
    pub prune: bool,
    pub swarm_install_flags: Flags,
    pub swarm_update_commands: Vec<String>,
}
#[derive(Debug, Clone)]
pub struct Certificates {
    pub ca: SecretString,
    pub cert: SecretString,
    pub key: SecretString,
}
#[derive(Debug, Clone)]
pub struct Cloud {}
#[derive(Debug, Clone)]
pub struct Mke {
    pub version: Version,
    pub image_repo: String,
    pub admin_username: Option<String>,
    pub admin_password: Option<SecretString>,
    pub install_flags: Flags,
    pub upgrade_flags: Flags,
    pub config_data: Option<SecretString>,
    pub license: Option<SecretString>,
    pub certificates: Option<Certificates>,
    pub cloud: Option<Cloud>,
    pub nodes_health_retry: u32,
}
impl Mke {
    pub fn has_custom_repo(&self) -> bool {
        false
    }
    pub fn bootstrap_image(&self) -> String {
        String::new()
    }
    pub fn controller_port(&self) -> u16 {
        443
    }
}
