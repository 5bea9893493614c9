//! The lab's private CA, the certificate of its services, and the key that signs its repositories.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use crate::cache::{Cache, Recipe};
use crate::command::Cmd;
use crate::paths::{write, write_mode};

/// The names under which the lab's services answer: those of the product's real sources, and the lab's own.
const NAMES: &[&str] = &[
    "repos.mirantis.com",
    "registry-1.docker.io",
    "docker.io",
    "index.docker.io",
    "auth.docker.io",
    "registry.mirantis.com",
    "registry.lab",
    "private.lab",
    "archive.lab",
];

/// Whom the signing key belongs to.
pub(super) const SIGNER: &str = "Launchpad lab <lab@example.invalid>";

/// The files of the lab's keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    dir: PathBuf,
    /// What other recipes depend on.
    pub(crate) id: String,
}

impl Keys {
    /// Returns the file of the CA's certificate.
    pub(crate) fn ca(&self) -> PathBuf {
        self.dir.join("ca.crt")
    }

    /// Returns the directory of `services.crt` and `services.key`.
    pub(crate) fn tls(&self) -> PathBuf {
        self.dir.join("tls")
    }

    /// Returns the file of the public signing key, in armour.
    pub(crate) fn repository_public(&self) -> PathBuf {
        self.dir.join("repository.asc")
    }

    /// Returns the file of the secret signing key, in armour.
    pub(super) fn repository_secret(&self) -> PathBuf {
        self.dir.join("repository.secret.asc")
    }

    /// Opens the signing key in a home of its own.
    pub(crate) async fn signer(&self) -> Result<Signer> {
        let signer = Signer::new()?;
        signer
            .gpg(&["--quiet", "--import"])
            .arg(self.repository_secret())
            .run()
            .await?;
        Ok(signer)
    }
}

/// A home of gpg with the signing key, gone when it is closed.
pub(crate) struct Signer {
    // A short path: gpg's agent listens on a socket in it.
    home: tempfile::TempDir,
}

impl Signer {
    fn new() -> Result<Self> {
        let home = tempfile::Builder::new()
            .prefix("lab-gpg-")
            .tempdir()
            .context("cannot create a home for gpg")?;
        Ok(Self { home })
    }

    fn gpg(&self, args: &[&str]) -> Cmd {
        Cmd::new("gpg")
            .arg("--homedir")
            .arg(self.home.path())
            .arg("--batch")
            .arg("--yes")
            .args(args)
    }

    /// Signs a file into another: `--clearsign`, or `--armor --detach-sign`.
    pub(crate) async fn sign(&self, how: &[&str], from: &Path, to: &Path) -> Result<()> {
        self.gpg(&["--output"])
            .arg(to)
            .args(how)
            .arg(from)
            .run()
            .await?;
        Ok(())
    }

    /// Writes the public key without armour, as apt's trusted directory wants it.
    pub(crate) async fn export(&self, to: &Path) -> Result<()> {
        self.gpg(&["--output"])
            .arg(to)
            .arg("--export")
            .run()
            .await?;
        Ok(())
    }

    /// Ends gpg's agent and removes the home.
    pub(crate) async fn close(self) -> Result<()> {
        Cmd::new("gpgconf")
            .arg("--homedir")
            .arg(self.home.path())
            .args(["--kill", "gpg-agent"])
            .run()
            .await?;
        self.home.close().context("cannot remove the home of gpg")
    }
}

/// Makes the keys once.
pub(crate) async fn ensure(cache: &Cache) -> Result<Keys> {
    let id = Recipe::new("keys")
        .with_all(NAMES)
        .with(SIGNER)
        .with("2")
        .id();
    let dir = match cache.ready(&id) {
        Some(dir) => dir,
        None => {
            let part = cache.start(&id)?;
            make(&Keys {
                dir: part.clone(),
                id: String::new(),
            })
            .await?;
            cache.finish(&id, &part)?
        }
    };
    // The same recipe makes other keys on another machine: what is built with them depends on them.
    let ca = dir.join("ca.crt");
    let signing = dir.join("repository.asc");
    let inputs = [&ca, &signing].map(|path| {
        std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
    });
    let inputs = inputs.into_iter().collect::<Result<Vec<_>>>()?;
    let id = Recipe::new("keys").with_all(inputs).id().file_name();
    Ok(Keys { dir, id })
}

async fn make(keys: &Keys) -> Result<()> {
    make_certificates(&keys.dir, "Launchpad lab CA")?;
    let signer = Signer::new()?;
    signer
        .gpg(&[
            "--passphrase",
            "",
            "--quick-gen-key",
            SIGNER,
            "rsa3072",
            "sign",
            "never",
        ])
        .run()
        .await?;
    let export = |flag: &'static str| signer.gpg(&["--armor", flag]);
    let public = export("--export").run().await?.stdout;
    write(&keys.repository_public(), public)?;
    let secret = export("--export-secret-keys").run().await?.stdout;
    write_mode(&keys.repository_secret(), secret, 0o600)?;
    signer.close().await
}

/// Makes a CA with a name, and a certificate of it for the services, in a directory: `ca.crt`, `tls/services.crt` and
/// `tls/services.key`.
pub(crate) fn make_certificates(dir: &Path, name: &str) -> Result<()> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key = KeyPair::generate().context("cannot make a key for the CA")?;
    let ca = CertifiedIssuer::self_signed(params, ca_key).context("cannot make the CA")?;

    let names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).context("a name is not a DNS name")?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Launchpad lab services");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().context("cannot make a key for the services")?;
    let certificate = params
        .signed_by(&key, &ca)
        .context("cannot make the certificate of the services")?;

    let keys = Keys {
        dir: dir.to_owned(),
        id: String::new(),
    };
    write(&keys.ca(), ca.pem())?;
    write(&keys.tls().join("services.crt"), certificate.pem())?;
    write_mode(&keys.tls().join("services.key"), key.serialize_pem(), 0o600)
}
