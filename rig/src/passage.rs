//! How a connection came to be: what a run does on its way to a host, told afterwards.

/// How a connection came to be, as far as its kind knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// `address:port` of the host, once names are resolved.
    pub target: Option<String>,
    /// Who has logged in.
    pub user: Option<String>,
    /// The hosts on the way there, the first of them first.
    pub through: Vec<String>,
    /// What has opened the door: a key with its origin, a password.
    pub credential: Option<String>,
    /// The key of the host: kind and fingerprint.
    pub host_key: Option<String>,
    /// Who vouches for that key: file and line of known_hosts.
    pub known_by: Option<String>,
}
