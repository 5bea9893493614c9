//! `subscription-manager`: whether a host of RHEL is registered. It is where it has a certificate.

use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "subscription-manager",
    run: |invocation| Box::pin(async { manager(invocation) }),
}];

/// The certificate of a registered host.
const CERTIFICATE: &str = "/etc/pki/consumer/cert.pem";

/// The id of a registered host.
fn identity(invocation: &Invocation) -> Option<String> {
    let text = invocation.host(|host| host.files.text(CERTIFICATE))?;
    Some(text.trim().to_owned())
}

/// What dnf's plugin says before anything else, where it is there.
pub(crate) fn preamble(invocation: &mut Invocation, is_quiet: bool) {
    let is_there = invocation.host(|host| host.files.exists("/usr/sbin/subscription-manager"));
    if !is_there || is_quiet || invocation.credentials.uid != 0 {
        return;
    }
    invocation.print("Updating Subscription Management repositories.\n");
    if identity(invocation).is_none() {
        invocation.print(
            "Unable to read consumer identity\n\nThis system is not registered with an entitlement \
             server. You can use \"rhc\" or \"subscription-manager\" to register.\n\n",
        );
    }
}

fn manager(invocation: &mut Invocation) -> u8 {
    let words = invocation.arguments.clone();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if invocation.credentials.uid != 0 {
        invocation.complain("This command requires root access to run.\n");
        return 77;
    }
    let identity = identity(invocation);
    let unregistered = "This system is not yet registered. Try 'subscription-manager register \
                        --help' for more information.\n";
    match (words.as_slice(), identity) {
        (["identity"], Some(id)) => {
            let name = invocation.host(|host| host.host_name().to_owned());
            invocation.print(&format!(
                "system identity: {id}\nname: {name}\norg name: 11111111\norg ID: 11111111\n"
            ));
            0
        }
        (["identity"], None) => {
            invocation.complain(unregistered);
            1
        }
        (["status"], found) => {
            let line = "+-------------------------------------------+\n";
            let title = "   System Status Details\n";
            let rest = match &found {
                Some(_) => "Overall Status: Registered\n\n",
                None => "Overall Status: Not registered\n\n",
            };
            invocation.print(&format!("{line}{title}{line}{rest}"));
            u8::from(found.is_none())
        }
        (["unregister"], Some(_)) => {
            let now = invocation.now();
            let root = crate::files::Credentials::root();
            // It was read a moment ago.
            let _ = invocation.host(|host| host.files.remove_file(CERTIFICATE, &root, now));
            invocation.print(
                "Unregistering from: subscription.rhsm.redhat.com:443/subscription\nSystem has been \
                 unregistered.\n",
            );
            0
        }
        (["unregister"], None) => {
            invocation.complain("This system is currently not registered.\n");
            1
        }
        (other, _) => invocation.not_simulated(&format!("anything like {}", other.join(" "))),
    }
}
