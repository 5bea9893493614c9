//! Launchpad 1.0: MKE is called UCP, MSR is called DTR, and no variables are put in.

use super::draft::{Draft, form, meaning};
use super::{Purpose, flag};
use crate::node::{Kind, item_path};

/// To `mke/v1.1`.
pub(super) fn step(draft: &mut Draft) {
    if draft.purpose == Purpose::Rewrite {
        escape(draft);
    }
    for host in draft.hosts() {
        let role = format!("{host}.role");
        if draft.text(&role) == Some("dtr") {
            let span = draft.written_at(&role);
            draft.set(
                &role,
                "msr",
                span,
                form("Docker Trusted Registry is called MSR now"),
            );
        }
        draft.drop_null(&format!("{host}.environment"));
    }
    interface(draft);
    draft.drop_null("spec.ucp");
    draft.drop_null("spec.dtr");
    credentials(draft);
    draft.rename(
        "spec.ucp",
        "mke",
        form("Universal Control Plane is called MKE now"),
    );
    registry(draft);
    // `UCP` is that of the releases before 0.13.
    draft.kind_by_products(&["DockerEnterprise", "UCP"]);
    draft.version("launchpad.mirantis.com/mke/v1.1");
}

/// Up to 1.0 the interface of the cluster was `eth0` where none was named.
fn interface(draft: &mut Draft) {
    let missing = |host: &String| draft.given(&format!("{host}.privateInterface")).is_none();
    let Some(host) = draft.hosts().into_iter().find(missing) else {
        return;
    };
    let why = "`privateInterface` was `eth0` where it was not set; it is found on the host now";
    draft.note(&host, form(why));
}

/// A `$` was a text: from the next form on it begins a variable.
fn escape(draft: &mut Draft) {
    for path in draft.texts("") {
        if draft.text(&path).is_some_and(|text| text.contains('$')) {
            draft.escape(&path, form("a `$` begins a variable now; `$$` is the text"));
        }
    }
}

/// The user and the password of the administrator were flags.
fn credentials(draft: &mut Draft) {
    for (name, key) in [
        ("--admin-username", "spec.ucp.adminUsername"),
        ("--admin-password", "spec.ucp.adminPassword"),
    ] {
        let found = flags(draft, "spec.ucp.installFlags", name);
        // The last one counts.
        let Some((last, value)) = found.last().cloned() else {
            continue;
        };
        let span = draft.written_at(&last);
        for (path, _) in found.iter().rev() {
            draft.drop(path, form("it is a key of its own now"));
        }
        draft.set(key, value, span, form("it was a flag"));
    }
    drop_if_empty(draft, "spec.ucp.installFlags");
}

/// The registry has another name, and its administrator is that of MKE.
fn registry(draft: &mut Draft) {
    if !draft.is_mapping("spec.dtr") {
        return;
    }
    for (name, key) in [
        ("--ucp-username", "spec.mke.adminUsername"),
        ("--ucp-password", "spec.mke.adminPassword"),
    ] {
        for (path, value) in flags(draft, "spec.dtr.installFlags", name)
            .into_iter()
            .rev()
        {
            let span = draft.written_at(&path);
            match draft.filled(key) {
                Some(same) if same == value => {
                    draft.drop(&path, form("it is the administrator of MKE"));
                }
                Some(_) => {
                    let why = format!("`{name}` is not the administrator of MKE");
                    draft.leave(
                        &path,
                        meaning(why, "the flag is kept; check that it is meant"),
                    );
                }
                None => {
                    draft.drop(&path, form("the administrator of MKE is used"));
                    draft.set(key, value, span, form("it was a flag of the registry"));
                }
            }
        }
    }
    drop_if_empty(draft, "spec.dtr.installFlags");
    draft.drop_null("spec.dtr.replicaConfig");
    draft.rename(
        "spec.dtr.replicaConfig",
        "replicaIDs",
        form("it has another name now"),
    );
    draft.rename(
        "spec.dtr",
        "msr",
        form("Docker Trusted Registry is called MSR now"),
    );
}

/// Returns the paths of all items that are a flag, with their values.
fn flags(draft: &Draft, list: &str, name: &str) -> Vec<(String, String)> {
    let count = match draft.value(list).map(|list| &list.kind) {
        Some(Kind::List(items)) => items.len(),
        _ => 0,
    };
    let item = |index| {
        let path = item_path(list, index);
        let value = flag::value(draft.text(&path)?, name)?;
        Some((path, value))
    };
    (0..count).filter_map(item).collect()
}

fn drop_if_empty(draft: &mut Draft, list: &str) {
    let is_empty = matches!(draft.value(list).map(|list| &list.kind), Some(Kind::List(items)) if items.is_empty());
    if is_empty {
        draft.drop(list, form("nothing is left of it"));
    }
}
