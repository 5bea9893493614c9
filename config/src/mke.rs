//! `spec.mke`: Mirantis Kubernetes Engine.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use crate::certificates::{CertificateParts, Certificates, file};
use crate::code::Code;
use crate::credentials;
use crate::decode::{Fields, Value};
use crate::flags::Flags;
use crate::schema;
use crate::version::Version;

/// The repository of current images.
pub(crate) const IMAGE_REPO: &str = "docker.io/mirantis";
/// The repository of images of old versions.
const LEGACY_IMAGE_REPO: &str = "docker.io/docker";

/// Settings of MKE.
#[derive(Debug, Clone)]
pub struct Mke {
    /// The version.
    pub version: Version,
    /// The repository of its images.
    pub image_repo: String,
    /// The name of the administrator.
    pub admin_username: Option<String>,
    /// The password of the administrator.
    pub admin_password: Option<SecretString>,
    /// Flags of the installer, without the administrator's.
    pub install_flags: Flags,
    /// Flags of the upgrade, without the administrator's.
    pub upgrade_flags: Flags,
    /// The file that `config_data` was read from.
    pub config_file: Option<PathBuf>,
    /// The configuration of MKE (TOML).
    pub config_data: Option<SecretString>,
    /// The file that `license` was read from.
    pub license_file_path: Option<PathBuf>,
    /// The license.
    pub license: Option<SecretString>,
    /// The certificates of the server, where all three parts are given.
    pub certificates: Option<Certificates>,
    /// The certificates as they are given.
    pub certificate_parts: CertificateParts,
    /// The cloud that the cluster runs in.
    pub cloud: Option<Cloud>,
    /// How often the health of the nodes is asked for; 0 is never.
    pub nodes_health_retry: u32,
}

/// The cloud that a cluster runs in.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// The provider.
    pub provider: String,
    /// The file that `config_data` was read from.
    pub config_file: Option<PathBuf>,
    /// The configuration of the provider.
    pub config_data: Option<SecretString>,
}

impl Mke {
    /// Whether images come from another repository than Mirantis'.
    pub fn has_custom_repo(&self) -> bool {
        is_custom(&self.image_repo)
    }

    /// Returns the image of the installer.
    pub fn bootstrap_image(&self) -> String {
        format!("{}/ucp:{}", self.image_repo, self.version)
    }

    /// Returns the port of the API and of the user interface.
    pub fn controller_port(&self) -> u16 {
        let given = self.install_flags.value("--controller-port");
        given.and_then(|port| port.parse().ok()).unwrap_or(443)
    }
}

/// Whether a repository is none of Mirantis'.
pub(crate) fn is_custom(repository: &str) -> bool {
    repository != IMAGE_REPO && repository != LEGACY_IMAGE_REPO
}

/// Returns the repository of images: old versions are in another one than new ones.
pub(crate) fn image_repo(given: Option<String>, is_legacy: bool) -> String {
    let given = given.unwrap_or_else(|| IMAGE_REPO.to_owned());
    if given == IMAGE_REPO && is_legacy {
        return LEGACY_IMAGE_REPO.to_owned();
    }
    given
}

/// Whether the images of a version of MKE are in the old repository.
fn is_legacy(version: &Version) -> bool {
    match (version.major(), version.minor(), version.patch()) {
        (3, 1, patch) => patch < 15,
        (3, 2, patch) => patch <= 7,
        (3, 3, patch) => patch <= 1,
        (major, minor, _) => (major, minor) < (3, 1),
    }
}

/// Reads the version of a product.
pub(crate) fn version(fields: &mut Fields<'_>, hint: &str) -> Option<Version> {
    let value = fields.require("version", hint)?;
    let text = value.text()?;
    let version = Version::parse(&text).ok();
    match &version {
        None => {
            let problem = value.wrong(Code::Version, format!("{} is not a version", value.shown()));
            value.add(problem.hint(hint));
        }
        Some(version) if !version.is_release() => {
            let message = format!(
                "{} names no release: those have three numbers",
                value.shown()
            );
            value.add(value.warning(Code::ShortVersion, message).hint(hint));
        }
        Some(_) => {}
    }
    version
}

/// Reads `spec.mke`.
pub(crate) fn decode(value: &Value<'_>) -> Option<Mke> {
    let mut fields = value.fields(&schema::MKE)?;
    let version = version(&mut fields, "set the version, as in `3.8.10`");
    let version = version.unwrap_or_else(Version::zero);
    let given = fields.text("imageRepo");
    let mut user = fields
        .take("adminUsername")
        .and_then(|value| value.secret());
    let mut password = fields.take("adminPassword").and_then(|value| {
        value.check_plain_secret("MKE_ADMIN_PASSWORD");
        value.secret()
    });
    for field in [&mut user, &mut password] {
        *field = field.take().filter(|text| !text.expose_secret().is_empty());
    }
    let lists = [fields.take("installFlags"), fields.take("upgradeFlags")];
    let [install_flags, upgrade_flags] = lists.map(|list| {
        let mut flags = list.as_ref().map(Value::flags).unwrap_or_default();
        let list = list.as_ref();
        let names = ("--admin-username", "adminUsername");
        credentials::take(&mut user, list, &mut flags, names);
        let names = ("--admin-password", "adminPassword");
        credentials::take(&mut password, list, &mut flags, names);
        flags
    });
    let data = fields.take("configData").and_then(|value| value.secret());
    let (config_file, read) = file(&mut fields, "configFile").unzip();
    let (license_file_path, license) = file(&mut fields, "licenseFilePath").unzip();
    let certificate_parts = CertificateParts::decode(&mut fields);
    check_certificates(&certificate_parts, &fields);
    let cloud = fields.take("cloud").and_then(|value| cloud(&value));
    let retry = fields.take("nodesHealthRetry");
    let retry = retry.and_then(|value| value.number(0, u32::MAX));
    fields.finish();
    Some(Mke {
        image_repo: image_repo(given, is_legacy(&version)),
        version,
        admin_username: user.map(|user| user.expose_secret().to_owned()),
        admin_password: password,
        install_flags,
        upgrade_flags,
        config_file,
        config_data: read
            .or(data)
            .filter(|text| !text.expose_secret().is_empty()),
        license_file_path,
        license,
        certificates: certificate_parts.complete(),
        certificate_parts,
        cloud,
        nodes_health_retry: retry.unwrap_or(0),
    })
}

/// A server needs all three parts.
fn check_certificates(parts: &CertificateParts, fields: &Fields<'_>) {
    let missing = parts.missing();
    if !missing.is_empty() {
        let message = format!(
            "of the certificates, `{}` is missing",
            missing.join("` and `")
        );
        fields.error(
            Code::Certificates,
            message,
            "set `caCertPath`, `certPath` and `keyPath`, or none of them",
        );
    }
}

fn cloud(value: &Value<'_>) -> Option<Cloud> {
    let mut fields = value.fields(&schema::CLOUD)?;
    let provider = fields.required_text("provider", "set the name of the cloud, as in `azure`");
    let data = fields.take("configData");
    let given = fields.take("configFile").or_else(|| data.clone());
    let data = data.and_then(|value| value.secret());
    let (config_file, read) = file(&mut fields, "configFile").unzip();
    let takes_file = |provider: &String| matches!(provider.as_str(), "azure" | "openstack");
    if let Some(given) = given.filter(|_| provider.as_ref().is_some_and(|it| !takes_file(it))) {
        let problem = given.wrong(
            Code::CloudConfig,
            "a cloud configuration is for `azure` and `openstack` only",
        );
        given.add(problem.hint("remove it"));
    }
    fields.finish();
    Some(Cloud {
        provider: provider?,
        config_file,
        config_data: read
            .or(data)
            .filter(|text| !text.expose_secret().is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_have_their_own_repository() {
        for (version, legacy) in [
            ("3.0.9", true),
            ("3.1.14", true),
            ("3.1.15", false),
            ("3.2.0", true),
            ("3.2.7", true),
            ("3.2.8", false),
            ("3.3.1", true),
            ("3.3.2", false),
            ("3.3.2-rc1", false),
            ("3.3.1-rc1", true),
            ("3.4.0", false),
            ("3.8.10", false),
        ] {
            let version = Version::parse(version).unwrap();
            assert_eq!(is_legacy(&version), legacy, "{version}");
        }
        assert_eq!(image_repo(None, true), "docker.io/docker");
        assert_eq!(image_repo(Some("my.repo/x".to_owned()), true), "my.repo/x");
        assert_eq!(image_repo(None, false), "docker.io/mirantis");
    }
}
