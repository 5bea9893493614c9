//! Launchpad 0.6 to 0.11: how a host is reached stands among the keys of the host.

use super::draft::{Draft, form, meaning};

/// To `v1beta2`.
pub(super) fn step(draft: &mut Draft) {
    for host in draft.hosts() {
        let at = |key: &str| format!("{host}.{key}");
        draft.drop_unread(&at("ssh"));
        let why = "how a host is reached has a block of its own";
        for (from, to) in [
            ("user", "ssh.user"),
            ("sshPort", "ssh.port"),
            ("sshKeyPath", "ssh.keyPath"),
        ] {
            draft.drop_null(&at(from));
            draft.shift(&at(from), &at(to), false, form(why));
        }
        let why = "`extraArgs` never had an effect";
        draft.drop(&at("extraArgs"), meaning(why, "remove it"));
    }
    // Both spellings were read: the one of the code, and the one of the documentation.
    let why = "the key is spelt like others";
    draft.rename("spec.engine.repoUrl", "repoURL", form(why));
    draft.version("launchpad.mirantis.com/v1beta2");
}
