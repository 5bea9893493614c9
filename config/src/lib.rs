//! The `launchpad.yaml` document: from its text to a configuration in which nothing is wrong, or to
//! all of its problems at once.
//!
//! The crate connects to nothing, and reads files and the environment only through [`World`]. The
//! way of a document is [`load`]: parse, migrate, substitute, decode, validate. A scalar is read
//! once, as it was written; the field that wants it decides what it means.
//!
//! Loading:
//! - `load`: the way from a [`Source`] to a [`Config`]
//! - `source`: the text, and places in it
//! - `documents`: where the first of several documents ends
//! - `parse`: from text to tree, bounded
//! - `node`: the tree, with the place of every value
//! - `api`: `apiVersion` and `kind`
//! - `migration`: from the form of any release to the current one
//! - `substitute`: variables of the environment
//! - `decode`: asking a tree for values
//! - `scalar`: what a plain scalar means in YAML 1.1
//! - `validate`: what has to be true of the whole
//! - `world`: the machine, and where the file is looked for
//!
//! The configuration:
//! - `config`: all of it, and what follows from it
//! - `host`, `connection`: hosts, and how they are reached
//! - `mcr`, `mke`, `msr`: the products
//! - `certificates`, `credentials`: what they share
//! - `flags`: lists of command-line flags
//! - `version`: versions and their order
//! - `address`: names, addresses and networks
//! - `effective`, `yaml_out`: the configuration as YAML
//!
//! The description:
//! - `schema`: every key, and the JSON Schema and the reference that are made of it
//! - `suggest`: what was meant by a key that is not there
//!
//! A new one:
//! - `starter`: a first configuration for hosts of a list
//!
//! Messages:
//! - `code`: the kinds of problems, and what explains them
//! - `problem`: what was found, with its place
//! - `diagnostic`: a problem as it is told
//! - `secret`: what is never shown
//! - `shown`: texts of the user in messages

mod address;
mod api;
mod certificates;
mod code;
mod config;
mod connection;
mod credentials;
mod decode;
mod diagnostic;
mod documents;
mod effective;
mod flags;
mod host;
mod load;
mod mcr;
mod migration;
mod mke;
mod msr;
mod node;
mod parse;
mod problem;
mod scalar;
mod schema;
mod secret;
mod shown;
mod source;
mod starter;
mod substitute;
mod suggest;
mod validate;
mod version;
mod world;
mod yaml_out;

pub use certificates::{CertificatePart, CertificateParts, Certificates};
pub use code::{Code, Example, Page, UnknownCode, reference};
pub use config::{Cluster, Config, Secrets};
pub use connection::{Connection, Localhost, OpenSsh, Ssh, WinRm};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, Snippet};
pub use flags::Flags;
pub use host::{HookPair, Hooks, Host, Role, UnknownRole};
pub use load::{Loaded, load};
pub use mcr::Mcr;
pub use migration::{Migrated, Note, migrated};
pub use mke::{Cloud, Mke};
pub use msr::{Msr, ReplicaIds};
pub use schema::{SCHEMA_URL, json_schema};
pub use source::{LARGEST_DOCUMENT, Position, Source};
pub use starter::{
    ListedHost, PASSWORD_VARIABLE, Starter, StarterError, USUAL_MKE, fitting_channel, parse_hosts,
    parse_inventory, propose_managers,
};
pub use version::{Version, VersionError};
pub use world::{LARGEST_FILE, NotFound, World, locate};
