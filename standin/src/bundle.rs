//! The entries of a client bundle: what a user needs to talk to a cluster.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
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
    /// The name or address by which the user has reached the controllers.
    pub host: &'a str,
    /// Their port.
    pub port: u16,
    /// The CA of their certificates.
    pub ca: &'a str,
    /// The certificate of the user.
    pub identity: &'a Identity,
}

/// Returns the files of a bundle: those that MKE 3.2 and 3.3 have sent, in their order and without
/// entries for directories.
pub fn entries(owner: &Owner<'_>) -> Vec<Entry> {
    let Owner { ca, identity, .. } = owner;
    let (ca, certificate, key) = (*ca, identity.certificate.as_str(), identity.key.as_str());
    let public = public_key(identity).unwrap_or_default();
    let (shell, power_shell, command) = environments(owner);
    let mut entries = Vec::new();
    let mut add = |path: String, content: &str| {
        let content = content.to_owned();
        entries.push(Entry { path, content });
    };
    for (path, content) in [
        ("ca.pem", ca),
        ("cert.pem", certificate),
        ("key.pem", key),
        ("cert.pub", &public),
        ("env.ps1", &power_shell),
        ("env.cmd", &command),
        ("kube.yml", &kube(owner)),
        ("env.sh", &shell),
        ("meta.json", &context(owner)),
    ] {
        add(path.to_owned(), content);
    }
    for endpoint in ["docker", "kubernetes"] {
        for (name, content) in [("ca", ca), ("cert", certificate), ("key", key)] {
            add(format!("tls/{endpoint}/{name}.pem"), content);
        }
    }
    entries
}

/// Returns the public key of a user as PEM; nothing where the key cannot be read.
fn public_key(identity: &Identity) -> Option<String> {
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).ok()?;
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).ok()?;
    let body = BASE64_STANDARD.encode(key.public_key()?);
    let lines: Vec<&str> = (0..body.len())
        .step_by(64)
        .map(|start| &body[start..body.len().min(start + 64)])
        .collect();
    let lines = lines.join("\n");
    Some(format!(
        "-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
    ))
}

/// Returns what a bundle calls everything in Kubernetes.
fn name(owner: &Owner<'_>) -> String {
    format!("ucp_{}:{KUBE_PORT}_{}", owner.host, owner.username)
}

/// Returns the scripts that point `docker` and `kubectl` to the cluster, from within the directory
/// of the bundle: for shells, PowerShell and the command prompt.
fn environments(owner: &Owner<'_>) -> (String, String, String) {
    let Owner { host, port, .. } = owner;
    let name = name(owner);
    let shell = format!(
        "export DOCKER_TLS_VERIFY=1\nexport COMPOSE_TLS_VERSION=TLSv1_2\n\
         export DOCKER_CERT_PATH=$PWD\nexport DOCKER_HOST=tcp://{host}:{port}\n\n\
         if kubectl >/dev/null 2>&1; then\n    unset KUBECONFIG\n    \
         kubectl config set-cluster {name} --server https://{host}:{KUBE_PORT} \
         --certificate-authority \"$PWD/ca.pem\" --embed-certs\n    \
         kubectl config set-credentials {name} --client-key \"$PWD/key.pem\" \
         --client-certificate \"$PWD/cert.pem\" --embed-certs\n    \
         kubectl config set-context {name} --user {name} --cluster {name}\nfi\n\
         export KUBECONFIG=$PWD/kube.yml\n"
    );
    let power_shell = format!(
        "$Env:DOCKER_TLS_VERIFY = \"1\"\n$Env:COMPOSE_TLS_VERSION = \"TLSv1_2\"\n\
         $Env:DOCKER_CERT_PATH = Split-Path $script:MyInvocation.MyCommand.Path\n\
         $Env:DOCKER_HOST = \"tcp://{host}:{port}\"\n"
    );
    let command = format!(
        "@echo off\nset DOCKER_TLS_VERIFY=1\nset COMPOSE_TLS_VERSION=TLSv1_2\n\
         set DOCKER_CERT_PATH=%~dp0\nset DOCKER_HOST=tcp://{host}:{port}\n\
         set KUBECONFIG=%~dp0kube.yml\n"
    );
    (shell, power_shell, command)
}

fn kube(owner: &Owner<'_>) -> String {
    let name = name(owner);
    let inside = |text: &str| BASE64_STANDARD.encode(text);
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    \
         server: https://{host}:{KUBE_PORT}\n  name: {name}\n\
         contexts:\n- context:\n    cluster: {name}\n    user: {name}\n  name: {name}\n\
         current-context: {name}\nkind: Config\npreferences: {{}}\n\
         users:\n- name: {name}\n  user:\n    client-certificate-data: {certificate}\n    \
         client-key-data: {key}\n",
        ca = inside(owner.ca),
        host = owner.host,
        certificate = inside(&owner.identity.certificate),
        key = inside(&owner.identity.key),
    )
}

/// Returns the description of a docker context.
fn context(owner: &Owner<'_>) -> String {
    let Owner { host, port, .. } = owner;
    json!({
        "Name": name(owner),
        "Metadata": { "StackOrchestrator": "all" },
        "Endpoints": {
            "docker": { "Host": format!("tcp://{host}:{port}"), "SkipTLSVerify": false },
            "kubernetes": {
                "Host": format!("https://{host}:{KUBE_PORT}"), "SkipTLSVerify": false,
                "DefaultNamespace": "",
            },
        },
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
    fn has_the_certificates_for_every_client() {
        for directory in ["", "tls/docker/", "tls/kubernetes/"] {
            assert_eq!(content(&format!("{directory}ca.pem")), "CA");
            assert_eq!(content(&format!("{directory}cert.pem")), "CERT");
            assert_eq!(content(&format!("{directory}key.pem")), "KEY");
        }
        assert_eq!(bundle().len(), 15);
    }

    #[test]
    fn names_the_cluster() {
        for script in ["env.sh", "env.cmd"] {
            assert!(content(script).contains("DOCKER_HOST=tcp://mke.lab:8443\n"));
        }
        let kube = content("kube.yml");
        assert!(
            kube.contains("    server: https://mke.lab:6443\n"),
            "{kube}"
        );
        assert!(
            kube.contains("current-context: ucp_mke.lab:6443_admin\n"),
            "{kube}"
        );
        assert!(content("meta.json").contains("tcp://mke.lab:8443"));
    }

    #[test]
    fn keys_are_not_printed() {
        assert!(!format!("{:?}", bundle()).contains("KEY"));
    }
}
