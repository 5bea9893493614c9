//! Builds of the engine: what an engine and its command say of themselves.

use super::show::info::major;

/// How an engine of a version was built, and what came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The version that the engine and the command tell.
    pub version: String,
    /// Who has built it, as `docker version` says; nobody where it is empty.
    pub platform: String,
    /// The commit of the command.
    pub client_commit: String,
    /// The commit of the engine.
    pub commit: String,
    /// The version of Go.
    pub go: String,
    /// When it was built, as `docker version` says.
    pub built: String,
    /// The oldest version of the API that it speaks.
    pub least_api: String,
    /// containerd: its version, and its commit.
    pub containerd: (String, String),
    /// runc: its version, and its commit.
    pub runc: (String, String),
    /// docker-init: its version, and its commit.
    pub init: (String, String),
}

impl Build {
    /// Returns how Mirantis builds a version.
    pub(crate) fn of(version: &str) -> Self {
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        Self {
            version: version.to_owned(),
            platform: "Mirantis Container Runtime".to_owned(),
            client_commit: "5f9da84".to_owned(),
            commit: "5f9da84".to_owned(),
            go: "go1.21.11".to_owned(),
            built: "Wed Jun  5 11:29:22 2024".to_owned(),
            least_api: if major(version) < 25 { "1.12" } else { "1.24" }.to_owned(),
            containerd: pair("1.6.28", "ae07eda36dd25f8a1b98dfbf587313b99c0190bb"),
            runc: pair("1.1.12", "v1.1.12-0-g51d5e94"),
            init: pair("0.19.0", "de40ad0"),
        }
    }
}
