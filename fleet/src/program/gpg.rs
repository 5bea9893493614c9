//! `gpg`, as far as keys of repositories go: a key is a text that names its fingerprint.

use futures_util::future::BoxFuture;

use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "gpg",
    run: gpg,
}];

/// Whose the keys of repositories are.
pub(crate) const OWNER: &str = "Package repository";

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// Returns a public key in its armour. What is inside is the fingerprint: nobody computes with it.
pub(crate) fn armoured(fingerprint: &str) -> String {
    format!("{BEGIN}\n\n{fingerprint}\n-----END PGP PUBLIC KEY BLOCK-----\n")
}

/// Returns the fingerprints of the keys in a text, armoured or not.
pub(crate) fn keys(text: &str) -> Vec<String> {
    let is_key =
        |line: &&str| line.len() == 40 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.lines().filter(is_key).map(str::to_owned).collect()
}

fn gpg(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("gpg")).await;
        let (mut verb, mut output, mut files) = (None, None, Vec::new());
        let arguments = invocation.arguments.clone();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--batch"
                | "--quiet"
                | "-q"
                | "--no-tty"
                | "--yes"
                | "--with-colons"
                | "--no-default-keyring" => {}
                "--show-keys" | "--dearmor" | "--import" => verb = Some(word.clone()),
                "--output" | "-o" => output = words.next().cloned(),
                "--homedir" => drop(words.next()),
                word if word.starts_with('-') && word != "-" => {
                    return invocation.not_simulated(&format!("option {word}"));
                }
                word => files.push(word.to_owned()),
            }
        }
        if verb.as_deref() == Some("--show-keys") {
            make_home(invocation);
        }
        let bytes = match files.first() {
            None => Ok(invocation.read_input().await),
            Some(path) => invocation.read_file(path),
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(errno) => {
                let path = files.first().cloned().unwrap_or_default();
                invocation.complain(&format!("gpg: can't open '{path}': {errno}\n"));
                return 2;
            }
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match verb.as_deref() {
            Some("--show-keys") => show(invocation, &text),
            Some("--dearmor") => dearmour(invocation, &text, output.as_deref()),
            _ => invocation.not_simulated("no command, or --import"),
        }
    })
}

/// Makes the directory of keys, and tells of it, where it is not there.
fn make_home(invocation: &mut Invocation) {
    let own = invocation.variable("GNUPGHOME").is_some();
    let home = invocation.variable("HOME").unwrap_or("/root").to_owned();
    let home = format!("{home}/.gnupg");
    let is_quiet = ["--quiet", "-q"]
        .iter()
        .any(|word| invocation.arguments.iter().any(|one| one == word));
    if own || is_quiet || invocation.host(|host| host.files.exists(&home)) {
        return;
    }
    let made = invocation.files(|files, who, now| {
        files.make_dirs(&home, 0o700, who, now)?;
        files.write(&format!("{home}/pubring.kbx"), "", 0o600, who, now)?;
        files.write(&format!("{home}/trustdb.gpg"), "", 0o600, who, now)
    });
    if made.is_ok() {
        invocation.complain(&format!(
            "gpg: directory '{home}' created\ngpg: keybox '{home}/pubring.kbx' created\ngpg: \
             {home}/trustdb.gpg: trustdb created\n"
        ));
    }
}

fn show(invocation: &mut Invocation, text: &str) -> u8 {
    let keys = keys(text);
    if keys.is_empty() {
        invocation.complain("gpg: no valid OpenPGP data found.\n");
        return 2;
    }
    let is_for_programs = invocation
        .arguments
        .iter()
        .any(|word| word == "--with-colons");
    for key in keys {
        if is_for_programs {
            let short = key.get(24..).unwrap_or_default();
            invocation.print(&format!(
                "pub:-:3072:1:{short}:1795640000:::-:::scSC::::::23::0:\nfpr:::::::::{key}:\n"
            ));
            continue;
        }
        invocation.print(&format!(
            "pub   rsa3072 2026-11-25 [SC]\n      {key}\nuid                      Package \
             repository\n\n"
        ));
    }
    0
}

fn dearmour(invocation: &mut Invocation, text: &str, output: Option<&str>) -> u8 {
    let keys = keys(text);
    if !text.contains(BEGIN) || keys.is_empty() {
        invocation.complain("gpg: no valid OpenPGP data found.\ngpg: dearmoring failed: eof\n");
        return 2;
    }
    // As long as one with a key of RSA; what is behind the fingerprint nobody reads.
    let ring = format!("{}\n{:861}", keys.join("\n"), "");
    match output {
        None => invocation.print(&ring),
        Some(path) => {
            if let Err(errno) = invocation.write_file(path, ring.into_bytes()) {
                invocation.complain(&format!("gpg: can't create '{path}': {errno}\n"));
                return 2;
            }
        }
    }
    0
}
