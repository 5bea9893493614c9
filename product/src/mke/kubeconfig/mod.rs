//! Kubeconfig files: that of a client bundle named after its cluster, and merged into another one.
//!
//! Pure: texts in, texts out. MKE names everything in its `kube.yml` after the address of a
//! manager and the user (`ucp_10.0.0.1:6443_admin`); here the context and the cluster are called as
//! the cluster is, and the user `<user>@<cluster>`. Nothing that has a key in it can be printed.

mod edit;
mod merge;
mod tree;

use std::fmt;

use secrecy::SecretString;

pub use merge::{CurrentContext, Merged, check, merge};
use tree::{Kind, Node};

/// Why a text is no kubeconfig, or cannot be merged into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct KubeconfigError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong there.
    pub what: String,
}

impl KubeconfigError {
    fn at(text: &str, place: usize, what: impl Into<String>) -> Self {
        let before = text.get(..place).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            what: what.into(),
        }
    }
}

/// Access to a cluster: what a kubeconfig has to hold for it.
pub struct Access {
    /// What the context and the cluster are called.
    pub name: String,
    /// What the user is called.
    pub user: String,
    /// The address of the Kubernetes API.
    pub server: String,
    cluster: Node,
    credentials: Node,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({} at {})", self.user, self.server)
    }
}

impl Access {
    /// Takes the access of a user from the `kube.yml` of a client bundle.
    ///
    /// # Errors
    ///
    /// Fails where the text is no kubeconfig, or its current context leads nowhere.
    pub fn parse(kube_yml: &str, cluster: &str, user: &str) -> Result<Self, KubeconfigError> {
        let wrong = |place: usize, what: String| KubeconfigError::at(kube_yml, place, what);
        let Some(root) = tree::parse(kube_yml)? else {
            return Err(wrong(0, "the file is empty".to_owned()));
        };
        merge::check_tree(kube_yml, &root)?;
        let Some(current) = root.text_at("current-context") else {
            return Err(wrong(0, "`current-context` is missing".to_owned()));
        };
        let part = |list: &str, name: &str, key: &str| {
            let found = merge::named(&root, list, name).and_then(|entry| entry.at(key));
            found.cloned().ok_or_else(|| {
                let name = tree::shown(name);
                wrong(
                    root.start,
                    format!("`{list}` has no `{key}` named `{name}`"),
                )
            })
        };
        let context = part("contexts", current, "context")?;
        let of = |key: &str| {
            let missing = || wrong(context.start, format!("the context has no `{key}`"));
            context.text_at(key).ok_or_else(missing)
        };
        let entry = part("clusters", of("cluster")?, "cluster")?;
        let credentials = part("users", of("user")?, "user")?;
        let Some(server) = entry.text_at("server").map(str::to_owned) else {
            return Err(wrong(entry.start, "the cluster has no `server`".to_owned()));
        };
        Ok(Self {
            name: cluster.to_owned(),
            user: format!("{user}@{cluster}"),
            server,
            cluster: entry,
            credentials,
        })
    }

    /// Returns a kubeconfig with this access alone.
    pub fn document(&self) -> SecretString {
        let root = Node::map([
            ("apiVersion", Node::word("v1")),
            ("clusters", list(self.cluster_entry())),
            ("contexts", list(self.context_entry(&[]))),
            ("current-context", Node::text(&self.name)),
            ("kind", Node::word("Config")),
            ("preferences", Node::map([])),
            ("users", list(self.user_entry())),
        ]);
        tree::document(&root).into()
    }

    fn cluster_entry(&self) -> Node {
        let name = Node::text(&self.name);
        Node::map([("cluster", self.cluster.clone()), ("name", name)])
    }

    fn user_entry(&self) -> Node {
        let name = Node::text(&self.user);
        Node::map([("name", name), ("user", self.credentials.clone())])
    }

    /// Returns the entry of the context, with further keys that it had before.
    fn context_entry(&self, kept: &[(tree::Key, Node)]) -> Node {
        let mut context = Node::made(Kind::Map(kept.to_vec()));
        context.set("cluster", Node::text(&self.name));
        context.set("user", Node::text(&self.user));
        let name = Node::text(&self.name);
        Node::map([("context", context), ("name", name)])
    }
}

fn list(entry: Node) -> Node {
    Node::made(Kind::List(vec![entry]))
}

#[cfg(test)]
mod tests;
