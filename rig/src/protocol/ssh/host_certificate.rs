//! Whether a host's certificate is one to believe.

use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, HashAlg};

use super::pattern;

/// Says why a certificate does not speak for the host `name`, if it does not. Whether its
/// authority is one to trust is for the caller to say.
pub(super) fn fault(certificate: &Certificate, name: &str, now: SystemTime) -> Option<String> {
    if certificate.cert_type() != CertType::Host {
        return Some("it is the certificate of a user".to_owned());
    }
    // Time before 1970 is the time of a broken clock.
    let seconds = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    if seconds < certificate.valid_after() {
        return Some("it is not valid yet; check the clock of this machine".to_owned());
    }
    if seconds >= certificate.valid_before() {
        return Some("it has expired".to_owned());
    }
    let principals = certificate.valid_principals();
    let is_named = |principal: &String| pattern::matches(principal, name);
    if !principals.is_empty() && !principals.iter().any(is_named) {
        let principals = principals.join(", ");
        return Some(format!("it is for {principals}, not for {name}"));
    }
    if let Some((option, _)) = certificate.critical_options().iter().next() {
        return Some(format!("it has the critical option `{option}`"));
    }
    if matches!(
        certificate.signature().algorithm(),
        Algorithm::Rsa { hash: None }
    ) {
        return Some("its authority signed it with SHA-1".to_owned());
    }
    let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
    certificate
        .validate_at(seconds, [&authority])
        .err()
        .map(|error| format!("its signature is not good: {error}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use super::*;

    fn keygen(directory: &Path, arguments: &[&str]) {
        let output = Command::new("ssh-keygen")
            .arg("-q")
            .args(arguments)
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    /// Signs a host key with an authority.
    fn signed(arguments: &[&str]) -> Certificate {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        for name in ["authority", "host"] {
            keygen(at, &["-t", "ed25519", "-N", "", "-f", name]);
        }
        let mut all = vec!["-s", "authority", "-I", "id"];
        all.extend(arguments);
        all.push("host.pub");
        keygen(at, &all);
        let text = std::fs::read_to_string(at.join("host-cert.pub")).unwrap();
        Certificate::from_openssh(&text).unwrap()
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn names_and_times_count() {
        // 2020-01-01 and 2030-01-01.
        let period = "20200101Z:20300101Z";
        let certificate = signed(&["-h", "-n", "web.lan,*.example.com", "-V", period]);
        let (before, within, after) = (at(1_577_836_799), at(1_700_000_000), at(1_893_456_000));

        assert_eq!(fault(&certificate, "web.lan", within), None);
        assert_eq!(fault(&certificate, "a.example.com", within), None);
        for (name, now, wanted) in [
            ("db.lan", within, "not for db.lan"),
            ("web.lan", before, "not valid yet"),
            ("web.lan", after, "expired"),
        ] {
            let reason = fault(&certificate, name, now).unwrap();
            assert!(reason.contains(wanted), "{reason}");
        }
    }

    #[test]
    fn a_certificate_without_names_or_end_speaks_for_all() {
        let certificate = signed(&["-h"]);

        assert_eq!(fault(&certificate, "any", at(1_700_000_000)), None);
    }

    #[test]
    fn users_and_critical_options_are_refused() {
        let user = signed(&["-n", "web.lan"]);
        let reason = fault(&user, "web.lan", at(1_700_000_000)).unwrap();
        assert!(reason.contains("user"), "{reason}");

        let critical = signed(&["-h", "-n", "web.lan", "-O", "critical:new@example.com=1"]);
        let reason = fault(&critical, "web.lan", at(1_700_000_000)).unwrap();
        assert!(reason.contains("new@example.com"), "{reason}");
    }
}
