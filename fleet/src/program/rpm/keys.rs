//! Keys in the database of rpm: each is a package by the name `gpg-pubkey`.

use std::sync::Arc;

use crate::packages::{Installed, Package, State};
use crate::program::Invocation;
use crate::program::gpg;
use crate::web::{self, Url};

/// When keys of the fleet were made, in the release of their package.
const MADE: &str = "6b0869a9";

/// Returns a key as the package that rpm shows.
pub(super) fn package(key: &str) -> Installed {
    let short = key.get(32..).unwrap_or(key).to_ascii_lowercase();
    Installed {
        package: Arc::new(Package {
            summary: "Package repository public key".to_owned(),
            license: "pubkey".to_owned(),
            ..Package::base("gpg-pubkey", &format!("{short}-{MADE}"), "(none)")
        }),
        state: State::Installed,
        is_automatic: false,
        is_held: false,
        origin: String::new(),
        since: std::time::Duration::ZERO,
    }
}

/// Returns the name of the package of a key.
pub(crate) fn name_of(key: &str) -> String {
    let version = package(key).package.version.clone();
    format!("gpg-pubkey-{version}")
}

/// Takes a key up; the same one twice is one.
pub(crate) fn trust(invocation: &Invocation, key: &str) {
    invocation.host(|host| {
        if host.packages.keys.iter().all(|known| known != key) {
            host.packages.keys.push(key.to_owned());
        }
    });
}

/// `rpm --import FILE...`
pub(super) async fn import(invocation: &mut Invocation, operands: &[String]) -> u8 {
    if operands.is_empty() {
        invocation.complain("rpmkeys: no arguments given\n");
        return 1;
    }
    let mut status = 0;
    for operand in operands {
        let text = match fetch(invocation, operand).await {
            Ok(text) => text,
            Err(number) => {
                invocation.complain(&format!(
                    "error: {operand}: import read failed({number}).\n"
                ));
                status = 1;
                continue;
            }
        };
        let keys = gpg::keys(&text);
        if keys.is_empty() || !text.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
            invocation.complain(&format!(
                "error: {operand}: key 1 not an armored public key.\n"
            ));
            status = 1;
            continue;
        }
        if invocation.credentials.uid != 0 {
            invocation.complain(&format!("{}\n", super::LOCKED_AWAY));
            invocation.complain(&format!("error: {operand}: key 1 import failed.\n"));
            status = 1;
            continue;
        }
        for key in keys {
            trust(invocation, &key);
        }
    }
    status
}

/// Reads a file or an address; fails with the number that rpm says.
async fn fetch(invocation: &mut Invocation, operand: &str) -> Result<String, u8> {
    if !operand.contains("://") {
        let Ok(bytes) = invocation.read_file(operand) else {
            // rpm says its own number, whatever the reason was.
            return Err(2);
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // Less than a key is read as nothing at all.
        return if text.len() < 64 { Err(0) } else { Ok(text) };
    }
    let url = Url::parse(operand).ok_or(2)?;
    let page = web::fetch(&invocation.fleet, invocation.host, &url, &web::Request::GET).await;
    invocation.sleep(web::ROUND_TRIP * 2).await;
    match page {
        Ok(page) if page.status == 200 && page.is_trusted => {
            Ok(String::from_utf8_lossy(&page.body).into_owned())
        }
        _ => Err(2),
    }
}
