//! The algorithms that are offered: ours, as ssh_config changes them.

use std::borrow::Cow;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Preferred, cipher, kex, mac};

use super::config::AlgorithmLists;
use super::pattern;

/// What ends the name of a certificate's algorithm.
const CERTIFICATE: &str = "-cert-v01@openssh.com";
/// Signed with SHA-1: only for those who ask for it.
const RSA_SHA1: &str = "ssh-rsa";

/// The algorithms of one host, best first.
#[derive(Debug, Clone)]
pub(super) struct Algorithms {
    key_exchanges: Vec<kex::Name>,
    ciphers: Vec<cipher::Name>,
    macs: Vec<mac::Name>,
    host_keys: Vec<Algorithm>,
    host_certificates: Vec<Algorithm>,
    /// Whether what is known of the host may change the order of host keys.
    is_order_free: bool,
    /// Names of what users may log in with.
    public_keys: Vec<String>,
}

impl Algorithms {
    /// Applies what ssh_config says.
    pub(super) fn choose(lists: &AlgorithmLists) -> Result<Self, String> {
        let host_keys = list(
            "HostKeyAlgorithms",
            &lists.host_keys,
            usual_keys(),
            all_keys(),
        )?;
        let (certificates, plain): (Vec<_>, Vec<_>) = host_keys
            .into_iter()
            .partition(|name| name.ends_with(CERTIFICATE));
        let starts = lists.host_keys.as_deref().and_then(|it| it.chars().next());
        Ok(Self {
            key_exchanges: names("KexAlgorithms", &lists.key_exchanges, &key_exchanges())?,
            ciphers: names("Ciphers", &lists.ciphers, &ciphers())?,
            macs: names("MACs", &lists.macs, &macs())?,
            host_keys: plain.iter().filter_map(|name| key(name)).collect(),
            host_certificates: certificates.iter().filter_map(|name| key(name)).collect(),
            is_order_free: matches!(starts, None | Some('+' | '-')),
            public_keys: list(
                "PubkeyAcceptedAlgorithms",
                &lists.public_keys,
                usual_keys(),
                all_keys(),
            )?,
        })
    }

    /// Returns what to offer to a host of which keys of some kinds are recorded: those are asked
    /// for first.
    pub(super) fn preferred(&self, known: &KnownKinds) -> Preferred {
        let mut exchanges = self.key_exchanges.clone();
        exchanges.extend([
            kex::EXTENSION_SUPPORT_AS_CLIENT,
            kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
        ]);
        let certificates = if known.has_authority {
            self.host_certificates.clone()
        } else {
            Vec::new()
        };
        Preferred {
            kex: Cow::Owned(exchanges),
            key: Cow::Owned(self.host_keys(&known.kinds)),
            host_key_certificates: Cow::Owned(certificates),
            cipher: Cow::Owned(self.ciphers.clone()),
            mac: Cow::Owned(self.macs.clone()),
            compression: Preferred::DEFAULT.compression,
        }
    }

    fn host_keys(&self, kinds: &[String]) -> Vec<Algorithm> {
        if !self.is_order_free {
            return self.host_keys.clone();
        }
        let (mut first, rest): (Vec<_>, Vec<_>) = self
            .host_keys
            .iter()
            .cloned()
            .partition(|algorithm| kinds.iter().any(|kind| kind == kind_of(algorithm)));
        first.extend(rest);
        first
    }

    /// Returns whether users may log in with such a key, or with a certificate for one.
    pub(super) fn accepts(&self, key: &Algorithm, is_certificate: bool) -> bool {
        let suffix = if is_certificate { CERTIFICATE } else { "" };
        let holds = |name: &str| {
            let name = format!("{}{suffix}", name.trim_end_matches("@openssh.com"));
            let own = format!("{name}@openssh.com");
            self.public_keys.iter().any(|it| *it == name || *it == own)
        };
        match key {
            Algorithm::Rsa { .. } => ["rsa-sha2-512", "rsa-sha2-256", RSA_SHA1]
                .iter()
                .any(|name| holds(name)),
            other => holds(other.as_str()),
        }
    }

    /// Returns whether RSA keys may sign with SHA-1.
    pub(super) fn accepts_sha1(&self) -> bool {
        self.public_keys.iter().any(|name| name == RSA_SHA1)
    }
}

/// What is recorded of a host.
#[derive(Debug, Default)]
pub(super) struct KnownKinds {
    /// The kinds of its keys (`ssh-ed25519`).
    pub(super) kinds: Vec<String>,
    /// Whether an authority signs its keys.
    pub(super) has_authority: bool,
}

/// Returns the name that a key of an algorithm has in known_hosts.
fn kind_of(algorithm: &Algorithm) -> &str {
    match algorithm {
        Algorithm::Rsa { .. } => RSA_SHA1,
        other => other.as_str(),
    }
}

fn key(name: &str) -> Option<Algorithm> {
    match name.strip_suffix(CERTIFICATE) {
        None => Algorithm::new(name).ok(),
        Some("rsa-sha2-512") => Some(rsa(HashAlg::Sha512)),
        Some("rsa-sha2-256") => Some(rsa(HashAlg::Sha256)),
        Some(plain) => Algorithm::new(plain).ok(),
    }
}

fn rsa(hash: HashAlg) -> Algorithm {
    Algorithm::Rsa { hash: Some(hash) }
}

fn usual_keys() -> Vec<String> {
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    let plain = [
        Algorithm::Ed25519,
        ecdsa(EcdsaCurve::NistP256),
        ecdsa(EcdsaCurve::NistP384),
        ecdsa(EcdsaCurve::NistP521),
        Algorithm::SkEd25519,
        Algorithm::SkEcdsaSha2NistP256,
        rsa(HashAlg::Sha512),
        rsa(HashAlg::Sha256),
    ];
    let certificates = plain.iter().map(Algorithm::to_certificate_type);
    certificates
        .chain(plain.iter().map(ToString::to_string))
        .collect()
}

fn all_keys() -> Vec<String> {
    let mut all = usual_keys();
    all.extend([RSA_SHA1.to_owned(), format!("{RSA_SHA1}{CERTIFICATE}")]);
    all
}

/// Algorithms with names of their own type: the usual ones, and all.
struct Known<N> {
    usual: Vec<N>,
    all: Vec<N>,
}

fn key_exchanges() -> Known<kex::Name> {
    let is_real = |name: &kex::Name| {
        let text = name.as_ref();
        text != "none" && !text.starts_with("ext-info") && !text.starts_with("kex-strict")
    };
    let mut usual: Vec<kex::Name> = Preferred::DEFAULT
        .kex
        .iter()
        .copied()
        .filter(is_real)
        .collect();
    // Servers in FIPS mode may know no other.
    let curves = [
        kex::ECDH_SHA2_NISTP256,
        kex::ECDH_SHA2_NISTP384,
        kex::ECDH_SHA2_NISTP521,
    ];
    let at = usual
        .iter()
        .position(|name| *name == kex::DH_GEX_SHA256)
        .unwrap_or(usual.len());
    usual.splice(at..at, curves);
    let all = kex::ALL_KEX_ALGORITHMS.iter().map(|name| **name);
    Known {
        usual,
        all: all.filter(is_real).collect(),
    }
}

fn ciphers() -> Known<cipher::Name> {
    let all = cipher::ALL_CIPHERS.iter().map(|name| **name);
    Known {
        usual: vec![
            cipher::AES_128_GCM,
            cipher::AES_256_GCM,
            cipher::CHACHA20_POLY1305,
            cipher::AES_256_CTR,
            cipher::AES_192_CTR,
            cipher::AES_128_CTR,
        ],
        // Never without encryption, whatever the file says.
        all: all
            .filter(|name| *name != cipher::CLEAR && *name != cipher::NONE)
            .collect(),
    }
}

fn macs() -> Known<mac::Name> {
    let all = mac::ALL_MAC_ALGORITHMS.iter().map(|name| **name);
    Known {
        usual: Preferred::DEFAULT.mac.to_vec(),
        all: all.filter(|name| *name != mac::NONE).collect(),
    }
}

fn names<N: AsRef<str> + Copy>(
    keyword: &str,
    text: &Option<String>,
    known: &Known<N>,
) -> Result<Vec<N>, String> {
    let texts = |names: &[N]| names.iter().map(|name| name.as_ref().to_owned()).collect();
    let chosen = list(keyword, text, texts(&known.usual), texts(&known.all))?;
    let find = |wanted: &String| known.all.iter().find(|name| name.as_ref() == wanted);
    Ok(chosen.iter().filter_map(find).copied().collect())
}

fn list(
    keyword: &str,
    text: &Option<String>,
    usual: Vec<String>,
    all: Vec<String>,
) -> Result<Vec<String>, String> {
    let Some(text) = text else {
        return Ok(usual);
    };
    let chosen = assemble(text, &usual, &all);
    if chosen.is_empty() {
        return Err(format!(
            "`{keyword} {text}` of ssh_config leaves nothing that is known here ({})",
            all.join(", ")
        ));
    }
    Ok(chosen)
}

/// Applies a list of ssh_config: `+` adds, `-` takes away, `^` puts in front, else it replaces.
/// Names may be patterns; those that are not known are passed over.
fn assemble(text: &str, usual: &[String], all: &[String]) -> Vec<String> {
    let usual = || usual.iter().map(String::as_str);
    let (sign, rest) = match text.chars().next() {
        Some(sign @ ('+' | '-' | '^')) => (Some(sign), &text[1..]),
        _ => (None, text),
    };
    let wanted: Vec<&str> = match sign {
        Some('-') => {
            let is_kept = |name: &&str| !rest.split(',').any(|out| pattern::matches(out, name));
            return usual().filter(is_kept).map(str::to_owned).collect();
        }
        Some('+') => usual().chain(rest.split(',')).collect(),
        Some('^') => rest.split(',').chain(usual()).collect(),
        _ => rest.split(',').collect(),
    };
    let mut chosen: Vec<String> = Vec::new();
    for wanted in wanted {
        for name in all.iter().filter(|name| pattern::matches(wanted, name)) {
            if !chosen.contains(name) {
                chosen.push(name.clone());
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn lines_of(arguments: &[&str]) -> Vec<String> {
        let output = Command::new("ssh").args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Returns the ciphers that `ssh` makes of an option.
    fn ciphers_of_ssh(option: &str) -> Vec<String> {
        let mut arguments = vec!["-G", "-F", "none"];
        arguments.extend((!option.is_empty()).then_some(option));
        arguments.push("host");
        let line = lines_of(&arguments);
        let line = line.iter().find_map(|line| line.strip_prefix("ciphers "));
        let line = line.map(|line| line.split(',').map(str::to_owned).collect());
        line.unwrap_or_default()
    }

    #[test]
    fn lists_are_put_together_as_ssh_does() {
        let usual = ciphers_of_ssh("");
        let all = lines_of(&["-Q", "cipher"]);
        assert!(usual.len() > 2 && all.len() > usual.len());

        for text in [
            "aes128-ctr",
            "aes256-ctr,aes128-ctr,aes256-ctr",
            "+aes128-cbc",
            "-aes*",
            "-*-ctr,chacha20-poly1305@openssh.com",
            "^aes256-ctr,aes128-cbc",
        ] {
            let expected = ciphers_of_ssh(&format!("-oCiphers={text}"));
            assert!(!expected.is_empty(), "ssh refuses {text}");
            assert_eq!(assemble(text, &usual, &all), expected, "{text}");
        }
    }

    fn chosen(lists: AlgorithmLists) -> Algorithms {
        Algorithms::choose(&lists).unwrap()
    }

    #[test]
    fn the_recorded_kinds_are_asked_for_first() {
        let known = KnownKinds {
            kinds: vec!["ssh-rsa".to_owned()],
            has_authority: false,
        };

        let preferred = chosen(AlgorithmLists::default()).preferred(&known);

        let names: Vec<String> = preferred.key.iter().map(ToString::to_string).collect();
        assert_eq!(names[..3], ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]);
        assert!(preferred.host_key_certificates.is_empty());
        assert!(
            preferred
                .kex
                .contains(&kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT)
        );
    }

    #[test]
    fn a_list_of_host_keys_keeps_its_order() {
        let lists = AlgorithmLists {
            host_keys: Some("ssh-ed25519,rsa-sha2-256,*-cert-v01@openssh.com".to_owned()),
            ..AlgorithmLists::default()
        };
        let known = KnownKinds {
            kinds: vec!["ssh-rsa".to_owned()],
            has_authority: true,
        };

        let preferred = chosen(lists).preferred(&known);

        let names: Vec<String> = preferred.key.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["ssh-ed25519", "rsa-sha2-256"]);
        assert!(preferred.host_key_certificates.len() > 5);
    }

    #[test]
    fn weak_algorithms_are_there_for_those_who_ask_and_none_never_is() {
        let usual = chosen(AlgorithmLists::default());
        assert!(!usual.accepts_sha1() && !usual.ciphers.contains(&cipher::AES_128_CBC));

        let lists = AlgorithmLists {
            ciphers: Some("+aes128-cbc,none,clear".to_owned()),
            public_keys: Some("+ssh-rsa".to_owned()),
            ..AlgorithmLists::default()
        };
        let more = chosen(lists);

        assert!(more.accepts_sha1() && more.ciphers.contains(&cipher::AES_128_CBC));
        assert!(!more.ciphers.contains(&cipher::NONE) && !more.ciphers.contains(&cipher::CLEAR));
    }

    #[test]
    fn a_list_that_leaves_nothing_is_an_error() {
        let lists = AlgorithmLists {
            macs: Some("umac-64@openssh.com".to_owned()),
            ..AlgorithmLists::default()
        };

        let error = Algorithms::choose(&lists).unwrap_err();

        assert!(error.contains("MACs umac-64@openssh.com"), "{error}");
    }

    #[test]
    fn keys_to_log_in_with_are_told_apart() {
        let lists = AlgorithmLists {
            public_keys: Some("-ssh-ed25519*,rsa-sha2-512,sk-*".to_owned()),
            ..AlgorithmLists::default()
        };
        let algorithms = chosen(lists);

        assert!(!algorithms.accepts(&Algorithm::Ed25519, false));
        assert!(!algorithms.accepts(&Algorithm::Ed25519, true));
        assert!(!algorithms.accepts(&Algorithm::SkEd25519, false));
        assert!(algorithms.accepts(&Algorithm::Rsa { hash: None }, false));
        let usual = chosen(AlgorithmLists::default());
        assert!(usual.accepts(&Algorithm::SkEd25519, false));
        assert!(usual.accepts(&Algorithm::SkEd25519, true));
        assert!(!usual.accepts(&Algorithm::Dsa, false));
    }
}
