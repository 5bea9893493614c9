//! The entries of a client bundle: what a user needs to talk to a cluster.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::engine::Identity;

/// The port of the Kubernetes API, which the stand-in does not serve.
const KUBE_PORT: u16 = 6443;

/// A file of an archive.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the archive.
    pub path: String,
    /// Its content.
    pub content: String,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({})", self.path)
    }
}

/// Who a bundle is for, and where the cluster is.
#[derive(Debug, Clone)]
pub struct Owner<'a> {
    /// The name of the user.
    pub username: &'a str,
    /// A name or address of the controllers.
    pub host: &'a str,
    /// Their port.
    pub port: u16,
    /// The CA of their certificates.
    pub ca: &'a str,
    /// The certificate of the user.
    pub identity: &'a Identity,
}

/// Returns the files of a bundle, those of a docker context among them.
pub fn entries(owner: &Owner<'_>) -> Vec<Entry> {
    let Owner { ca, identity, .. } = owner;
    let files = [
        ("ca.pem", (*ca).to_owned()),
        ("cert.pem", identity.certificate.clone()),
        ("key.pem", identity.key.clone()),
        ("env.sh", environment(owner)),
        ("kube.yml", kube(owner)),
        ("meta.json", context(owner)),
        ("tls/docker/ca.pem", (*ca).to_owned()),
        ("tls/docker/cert.pem", identity.certificate.clone()),
        ("tls/docker/key.pem", identity.key.clone()),
    ];
    files
        .into_iter()
        .map(|(path, content)| Entry {
            path: path.to_owned(),
            content,
        })
        .collect()
}

fn environment(owner: &Owner<'_>) -> String {
    format!(
        "export DOCKER_TLS_VERIFY=1\nexport COMPOSE_TLS_VERSION=TLSv1_2\n\
         export DOCKER_CERT_PATH=\"$(pwd)\"\nexport DOCKER_HOST=tcp://{}:{}\n\
         export KUBECONFIG=\"$(pwd)/kube.yml\"\n",
        owner.host, owner.port
    )
}

fn kube(owner: &Owner<'_>) -> String {
    let Owner { username, host, .. } = owner;
    let name = format!("ucp_{host}:{KUBE_PORT}_{username}");
    let inside = |text: &str| BASE64_STANDARD.encode(text);
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": name, "cluster": {
            "certificate-authority-data": inside(owner.ca),
            "server": format!("https://{host}:{KUBE_PORT}"),
        } }],
        "users": [{ "name": name, "user": {
            "client-certificate-data": inside(&owner.identity.certificate),
            "client-key-data": inside(&owner.identity.key),
        } }],
        "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
        "current-context": name,
    });
    // JSON is YAML.
    format!("{config:#}\n")
}

fn context(owner: &Owner<'_>) -> String {
    let Owner {
        username,
        host,
        port,
        ..
    } = owner;
    json!({
        "Name": format!("ucp_{host}:{port}_{username}"),
        "Metadata": { "StackOrchestrator": "swarm" },
        "Endpoints": { "docker": {
            "Host": format!("tcp://{host}:{port}"), "SkipTLSVerify": false,
        } },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Vec<Entry> {
        let identity = Identity {
            certificate: "CERT".to_owned(),
            key: "KEY".to_owned(),
        };
        entries(&Owner {
            username: "admin",
            host: "mke.lab",
            port: 8443,
            ca: "CA",
            identity: &identity,
        })
    }

    fn content(path: &str) -> String {
        let entries = bundle();
        let entry = entries.iter().find(|entry| entry.path == path);
        entry.unwrap().content.clone()
    }

    #[test]
    fn has_the_certificates_twice() {
        for directory in ["", "tls/docker/"] {
            assert_eq!(content(&format!("{directory}ca.pem")), "CA");
            assert_eq!(content(&format!("{directory}cert.pem")), "CERT");
            assert_eq!(content(&format!("{directory}key.pem")), "KEY");
        }
    }

    #[test]
    fn names_the_cluster() {
        assert!(content("env.sh").contains("DOCKER_HOST=tcp://mke.lab:8443\n"));
        let kube: serde_json::Value = serde_json::from_str(&content("kube.yml")).unwrap();
        assert_eq!(
            kube["clusters"][0]["cluster"]["server"],
            "https://mke.lab:6443"
        );
        assert!(content("meta.json").contains("tcp://mke.lab:8443"));
    }

    #[test]
    fn keys_are_not_printed() {
        assert!(!format!("{:?}", bundle()).contains("KEY"));
    }
}
