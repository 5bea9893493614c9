//! `spec.msr`: Mirantis Secure Registry 2.

use crate::certificates::CertificateParts;
use crate::decode::Value;
use crate::flags::Flags;
use crate::mke;
use crate::schema;
use crate::version::Version;

/// Settings of MSR.
#[derive(Debug, Clone)]
pub struct Msr {
    /// The version.
    pub version: Version,
    /// The repository of its images.
    pub image_repo: String,
    /// Flags of the installer.
    pub install_flags: Flags,
    /// Flags of the upgrade.
    pub upgrade_flags: Flags,
    /// How replicas are numbered.
    pub replica_ids: ReplicaIds,
    /// The certificates, each by itself.
    pub certificates: CertificateParts,
}

/// How replicas are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaIds {
    /// As MSR likes.
    Random,
    /// One after the other.
    Sequential,
}

impl Msr {
    /// Whether images come from another repository than Mirantis'.
    pub fn has_custom_repo(&self) -> bool {
        mke::is_custom(&self.image_repo)
    }

    /// Returns the image of the installer.
    pub fn bootstrap_image(&self) -> String {
        format!("{}/dtr:{}", self.image_repo, self.version)
    }
}

/// Whether the images of a version of MSR are in the old repository.
fn is_legacy(version: &Version) -> bool {
    match (version.major(), version.minor(), version.patch()) {
        (2, 8, patch) => patch < 2,
        (2, 7, patch) => patch < 8,
        (2, 6, patch) => patch < 15,
        (major, minor, _) => (major, minor) < (2, 6),
    }
}

/// Reads `spec.msr`.
pub(crate) fn decode(value: &Value<'_>) -> Option<Msr> {
    let mut fields = value.fields(&schema::MSR)?;
    let version = mke::version(&mut fields, "set the version, as in `2.9.28`");
    let version = version.unwrap_or_else(Version::zero);
    let given = fields.text("imageRepo");
    let mut flags = |key| {
        fields
            .take(key)
            .map(|value| value.flags())
            .unwrap_or_default()
    };
    let (install_flags, upgrade_flags) = (flags("installFlags"), flags("upgradeFlags"));
    // The Go Launchpad takes every other word for `random`; a typing error should not.
    let kinds = [
        ("random", ReplicaIds::Random),
        ("sequential", ReplicaIds::Sequential),
    ];
    let replica_ids = fields.take("replicaIDs");
    let replica_ids =
        replica_ids.and_then(|value| value.one_of("a way to number replicas", &kinds));
    let certificates = CertificateParts::decode(&mut fields);
    fields.finish();
    Some(Msr {
        image_repo: mke::image_repo(given, is_legacy(&version)),
        version,
        install_flags,
        upgrade_flags,
        replica_ids: replica_ids.unwrap_or(ReplicaIds::Random),
        certificates,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_have_their_own_repository() {
        for (version, legacy) in [
            ("2.5.9", true),
            ("2.6.14", true),
            ("2.6.15", false),
            ("2.7.7", true),
            ("2.7.8", false),
            ("2.8.1", true),
            ("2.8.2", false),
            ("2.9.0", false),
        ] {
            let version = Version::parse(version).unwrap();
            assert_eq!(is_legacy(&version), legacy, "{version}");
        }
    }
}
