//! Putting images into the lab's registry over its HTTP API, without an engine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, header};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::cache::hex;
use crate::https::{Connection, Trust};
use crate::recipe::repository::gzip;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// An image of one layer.
pub(crate) struct Image {
    tar: Vec<u8>,
    entrypoint: Vec<String>,
}

impl Image {
    /// Makes an image of files: where each comes from, and its path in the image.
    ///
    /// Links are given as pairs of path and target. The same input is the same image.
    pub(crate) fn of(
        files: &[(PathBuf, &str)],
        links: &[(String, &str)],
        directories: &[&str],
        entrypoint: &[&str],
    ) -> Result<Self> {
        let mut builder = tar::Builder::new(Vec::new());
        for directory in directories {
            let mut header = entry(tar::EntryType::Directory, 0o1777, 0);
            builder.append_data(&mut header, directory, std::io::empty())?;
        }
        for (source, path) in files {
            let content = std::fs::read(source)
                .with_context(|| format!("cannot read `{}`", source.display()))?;
            let mut header = entry(tar::EntryType::Regular, 0o755, content.len() as u64);
            builder.append_data(&mut header, path, content.as_slice())?;
        }
        for (path, target) in links {
            let mut header = entry(tar::EntryType::Symlink, 0o777, 0);
            builder.append_link(&mut header, path, target)?;
        }
        let tar = builder.into_inner().context("cannot pack an image")?;
        Ok(Self {
            tar,
            entrypoint: entrypoint.iter().map(|word| (*word).to_owned()).collect(),
        })
    }

    fn config(&self, reference: &str) -> Vec<u8> {
        let entrypoint = (!self.entrypoint.is_empty()).then_some(&self.entrypoint);
        json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": entrypoint,
                "Cmd": if entrypoint.is_none() { json!(["sh"]) } else { json!(null) },
                "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                "Labels": { "lab.reference": reference },
            },
            "rootfs": { "type": "layers", "diff_ids": [digest(&self.tar)] },
        })
        .to_string()
        .into_bytes()
    }
}

fn entry(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// A connection to a registry.
pub(crate) struct Registry {
    connection: Connection,
    host: String,
    authorization: Option<String>,
}

impl Registry {
    /// Connects to an address, expecting a certificate for `host` that the lab's CA signed.
    pub(crate) async fn connect(address: SocketAddr, host: &str, ca: &Path) -> Result<Self> {
        let ca = std::fs::read_to_string(ca).context("cannot read the CA of the lab")?;
        let connection = Connection::open(address, host, &Trust::only(&ca)?).await?;
        Ok(Self {
            connection,
            host: host.to_owned(),
            authorization: None,
        })
    }

    /// Names itself to a registry that asks for a password.
    pub(crate) fn log_in(&mut self, user: &str, password: &str) {
        use base64::prelude::{BASE64_STANDARD, Engine};
        let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.authorization = Some(format!("Basic {pair}"));
    }

    /// Asks whether the registry answers.
    pub(crate) async fn version(&mut self) -> Result<StatusCode> {
        Ok(self
            .send(Method::GET, "/v2/", None, Bytes::new())
            .await?
            .status())
    }

    /// Stores an image under references like `mirantis/ucp:3.8.8`.
    pub(crate) async fn push(&mut self, image: &Image, references: &[String]) -> Result<()> {
        let layer = Bytes::from(gzip(&image.tar)?);
        for reference in references {
            let (repository, tag) = reference
                .rsplit_once(':')
                .with_context(|| format!("no tag in `{reference}`"))?;
            let config = Bytes::from(image.config(reference));
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": part(CONFIG, &config),
                "layers": [part(LAYER, &layer)],
            });
            self.upload(repository, layer.clone()).await?;
            self.upload(repository, config).await?;
            let path = format!("/v2/{repository}/manifests/{tag}");
            let body = Bytes::from(manifest.to_string());
            let answer = self.send(Method::PUT, &path, Some(MANIFEST), body).await?;
            expect(&answer, StatusCode::CREATED, reference)?;
        }
        Ok(())
    }

    async fn upload(&mut self, repository: &str, blob: Bytes) -> Result<()> {
        let digest = digest(&blob);
        let path = format!("/v2/{repository}/blobs/{digest}");
        let found = self.send(Method::HEAD, &path, None, Bytes::new()).await?;
        if found.status() == StatusCode::OK {
            return Ok(());
        }
        let path = format!("/v2/{repository}/blobs/uploads/");
        let started = self.send(Method::POST, &path, None, Bytes::new()).await?;
        let location = started
            .headers()
            .get(header::LOCATION)
            .and_then(|to| to.to_str().ok());
        let location = location.context("the registry names no place for an upload")?;
        let start = location
            .find("/v2/")
            .context("the registry's place for an upload is odd")?;
        let location = &location[start..];
        let separator = if location.contains('?') { '&' } else { '?' };
        let path = format!("{location}{separator}digest={digest}");
        let kind = Some("application/octet-stream");
        let answer = self.send(Method::PUT, &path, kind, blob).await?;
        expect(&answer, StatusCode::CREATED, repository)
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Bytes,
    ) -> Result<Response<Bytes>> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host);
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request
            .body(Full::new(body))
            .context("cannot build a request")?;
        self.connection.send(request).await
    }
}

fn part(kind: &str, blob: &[u8]) -> serde_json::Value {
    json!({ "mediaType": kind, "size": blob.len(), "digest": digest(blob) })
}

fn expect(answer: &Response<Bytes>, wanted: StatusCode, what: &str) -> Result<()> {
    if answer.status() != wanted {
        let said = String::from_utf8_lossy(answer.body());
        bail!(
            "the registry refused `{what}` with {}: {said}",
            answer.status()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_are_the_same_image() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("program");
        std::fs::write(&file, "one").unwrap();
        let make = || {
            Image::of(
                &[(file.clone(), "bin/program")],
                &[],
                &["tmp"],
                &["/bin/program"],
            )
        };
        let first = make().unwrap();

        assert_eq!(first.tar, make().unwrap().tar);

        std::fs::write(&file, "two").unwrap();
        assert_ne!(first.tar, make().unwrap().tar);
    }

    #[test]
    fn a_config_names_the_uncompressed_layer() {
        let image = Image::of(&[], &[], &["tmp"], &["/ucp"]).unwrap();

        let config: serde_json::Value =
            serde_json::from_slice(&image.config("mirantis/ucp:3.8.8")).unwrap();

        assert_eq!(config["rootfs"]["diff_ids"][0], digest(&image.tar));
        assert_eq!(config["config"]["Entrypoint"][0], "/ucp");
    }
}
