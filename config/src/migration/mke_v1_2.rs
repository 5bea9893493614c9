//! Launchpad 1.2, betas: the address stands beside the block of the connection.

use super::draft::{Draft, form, meaning};

/// To `mke/v1.3`.
pub(super) fn step(draft: &mut Draft) {
    for host in draft.hosts() {
        connection(draft, &host);
    }
    draft.version("launchpad.mirantis.com/mke/v1.3");
}

fn connection(draft: &mut Draft, host: &str) {
    let at = |key: &str| format!("{host}.{key}");
    let (address, localhost) = (at("address"), at("localhost"));
    for key in ["address", "localhost", "ssh", "winRM"] {
        draft.drop_null(&at(key));
    }
    if draft.is_open(&localhost) {
        let why = "whether this is the local machine is known only when the variable is put in";
        let hint = "write `localhost: {enabled: true}`, or a block with an address";
        return draft.leave(&localhost, meaning(why, hint));
    }
    match draft.boolean(&localhost) {
        Some(true) => {
            let why = "the host is the local machine: nothing else of its connection was read";
            for key in ["address", "ssh", "winRM"] {
                draft.drop(&at(key), form(why));
            }
            draft.wrap(&localhost, "enabled", "true", form("it is a block now"));
        }
        Some(false) => draft.drop(&localhost, form("it says that this is no local machine")),
        None => {}
    }
    let to = if draft.given(&at("winRM")).is_some() {
        at("winRM.address")
    } else {
        at("ssh.address")
    };
    let why = "the address belongs to the block of the connection";
    draft.shift(&address, &to, true, form(why));
}
