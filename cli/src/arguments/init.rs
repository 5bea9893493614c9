//! What may be typed for `init`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Common;

/// Arguments of `init`.
#[derive(Debug, Clone, Args)]
pub struct InitArguments {
    /// What is installed: MKE, or MKE and MSR
    #[arg(
        long,
        short = 'k',
        value_enum,
        value_name = "KIND",
        help_heading = "Cluster"
    )]
    pub kind: Option<ClusterKind>,
    /// Name of the cluster
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    pub name: Option<String>,
    /// Version of MKE
    #[arg(long, value_name = "VERSION", help_heading = "Cluster")]
    pub mke_version: Option<String>,
    /// Channel of the container runtime; the one that fits the version of MKE unless told
    #[arg(long, value_name = "CHANNEL", help_heading = "Cluster")]
    pub channel: Option<String>,
    /// Hosts: `10.0.0.11`, `10.0.0.11-10.0.0.15`, `node[01-05].example.com`, `ops@10.0.0.1:2222`.
    /// Several: repeat it, or separate them by commas
    #[arg(long, value_name = "HOSTS", help_heading = "Hosts")]
    pub hosts: Vec<String>,
    /// A file with one host on each line, or an inventory of Ansible in its INI form
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "hosts",
        help_heading = "Hosts"
    )]
    pub inventory: Option<PathBuf>,
    /// How many of the hosts are managers, an odd number; by the number of hosts unless told
    #[arg(long, value_name = "N", help_heading = "Hosts")]
    pub managers: Option<usize>,
    /// How many of the hosts are for MSR; 1 unless told, with `--kind mke+msr`
    #[arg(long, value_name = "N", help_heading = "Hosts")]
    pub msr_hosts: Option<usize>,
    /// Login user of the hosts
    #[arg(long, value_name = "NAME", help_heading = "Hosts")]
    pub user: Option<String>,
    /// Private key for the hosts
    #[arg(long, value_name = "FILE", help_heading = "Hosts")]
    pub key: Option<String>,
    /// Write it to a file, which must not be there yet; standard output unless told
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, short = 'f', requires = "output")]
    pub force: bool,
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
}

/// What is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClusterKind {
    /// MKE.
    #[value(name = "mke")]
    Mke,
    /// MKE and MSR.
    #[value(name = "mke+msr")]
    MkeAndMsr,
}
