//! What was meant by a key that is not there: near names, the same name at another level, and what
//! other tools call it.

use crate::schema::{self, Block, Placed};
use crate::shown::{nearest, one_of};

/// How many keys a hint lists.
const MOST_LISTED: usize = 8;
/// The shortest name whose neighbours at other levels are looked for.
const SHORTEST: usize = 5;

/// Names that other tools and older forms use, without case, dashes and underscores, and what stands
/// for them here. Those that mean something in one block alone are with that block.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &[
            "manager",
            "managers",
            "master",
            "masters",
            "controller",
            "controllers",
            "controlplane",
            "kubecontrolplane",
        ],
        "spec.hosts[].role: manager",
    ),
    (
        &["worker", "workers", "agents", "kubenode"],
        "spec.hosts[].role: worker",
    ),
    (
        &["node", "nodes", "machines", "servers", "inventory"],
        "spec.hosts",
    ),
    (
        &[
            "host",
            "hostname",
            "ip",
            "ansiblehost",
            "publicaddress",
            "publicip",
            "accessip",
        ],
        "spec.hosts[].ssh.address",
    ),
    (
        &["username", "sshuser", "remoteuser", "ansibleuser", "login"],
        "spec.hosts[].ssh.user",
    ),
    (&["sshport", "ansibleport"], "spec.hosts[].ssh.port"),
    (
        &[
            "sshkey",
            "sshkeypath",
            "keyfile",
            "privatekey",
            "privatekeypath",
            "identityfile",
            "ansiblesshprivatekeyfile",
            "sshprivatekey",
        ],
        "spec.hosts[].ssh.keyPath",
    ),
    (
        &["jumphost", "proxyjump", "bastionhost"],
        "spec.hosts[].ssh.bastion",
    ),
    (
        &[
            "privateaddress",
            "privateip",
            "internaladdress",
            "internalip",
            "advertiseaddress",
        ],
        "spec.hosts[].swarmAddress",
    ),
    (
        &["dockerconfig", "daemonconfig", "daemonjson", "engineconfig"],
        "spec.hosts[].mcrConfig",
    ),
    (&["env", "environmentvariables"], "spec.hosts[].environment"),
    (
        &["dockerversion", "engineversion", "mcrversion"],
        "spec.mcr.channel",
    ),
    (
        &[
            "mkeversion",
            "ucpversion",
            "kubernetesversion",
            "kubeversion",
            "k8sversion",
        ],
        "spec.mke.version",
    ),
    (&["msrversion", "dtrversion"], "spec.msr.version"),
    (
        &["license", "licensefile", "licencefile"],
        "spec.mke.licenseFilePath",
    ),
    (
        &["registry", "imagerepository", "imageregistry"],
        "spec.mke.imageRepo",
    ),
    (&["clustername"], "metadata.name"),
    (
        &["san", "sans", "subjectaltnames"],
        "spec.mke.installFlags: [--san=…]",
    ),
    (
        &["podcidr", "clustercidr", "podsubnet", "kubepodssubnet"],
        "spec.mke.installFlags: [--pod-cidr=…]",
    ),
];

/// Returns what to do about an unknown key of a block that stands at a path.
pub(crate) fn hint(block: &Block, path: &str, written: &str) -> Option<String> {
    let low = letters(written);
    let same_letters = block.keys.iter().find(|key| letters(key.name) == low);
    if let Some(key) = same_letters {
        return Some(format!("did you mean `{}`?", key.name));
    }
    if let Some((_, hint)) = former(block, written) {
        return Some((*hint).to_owned());
    }
    let foreign = FOREIGN
        .iter()
        .find(|(names, _)| names.contains(&low.as_str()));
    if let Some((_, meant)) = foreign {
        return Some(elsewhere(path, written, &[resolved(meant, path)]));
    }
    let same = best_places(block, path, |name| letters(name) == low);
    if !same.is_empty() {
        return Some(elsewhere(path, written, &same));
    }
    let names: Vec<&str> = block.keys.iter().map(|key| key.name).collect();
    if let Some(near) = nearest(written, &names) {
        return Some(format!("did you mean `{near}`?"));
    }
    let near = best_places(block, path, |name| {
        name.len() >= SHORTEST && nearest(written, &[name]).is_some()
    });
    if !near.is_empty() {
        return Some(elsewhere(path, written, &near));
    }
    let is_few = (1..=MOST_LISTED).contains(&names.len());
    is_few.then(|| match path {
        "" => format!("the document has the keys {}", listed(&names)),
        _ => format!("`{path}` has the keys {}", listed(&names)),
    })
}

/// Returns the entry of a key that a block once had, or has under another name elsewhere.
pub(crate) fn former(
    block: &Block,
    written: &str,
) -> Option<&'static (&'static str, &'static str)> {
    let low = letters(written);
    let mut all = block.former.iter();
    all.find(|(name, _)| *name == written || letters(name) == low)
}

fn listed(names: &[&str]) -> String {
    let list = one_of(names);
    list.replace(" or ", " and ")
}

/// Returns a name without what people write in different ways.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

fn elsewhere(path: &str, written: &str, places: &[String]) -> String {
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let meant = one_of(&places);
    let written = crate::shown::quoted(written);
    match path {
        "" => format!("{written} is not a key of the document; did you mean {meant}?"),
        _ => format!("{written} is not a key of `{path}`; did you mean {meant}?"),
    }
}

/// Returns the nearest place of keys with a name: below the block first, then beside it. Two of them
/// where they are as near, and in different parts of the document.
fn best_places(block: &Block, path: &str, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let here = without_index(path);
    let mut found: Vec<(usize, &Placed)> = schema::every_key()
        .iter()
        .filter(|placed| is_meant(placed.key.name) && placed.block.name != block.name)
        .map(|placed| (distance(&here, &placed.parent), placed))
        .collect();
    found.sort_by_key(|(distance, _)| *distance);
    let Some((nearest, first)) = found.first() else {
        return Vec::new();
    };
    let part = |placed: &Placed| {
        let mut steps = placed.parent.split('.');
        (
            steps.next().map(str::to_owned),
            steps.next().map(str::to_owned),
        )
    };
    let second = found
        .iter()
        .find(|(distance, placed)| distance == nearest && part(placed) != part(first));
    let places = std::iter::once(first).chain(second.map(|(_, placed)| placed));
    places
        .map(|placed| resolved(&placed.path(), path))
        .collect()
}

/// Counts the steps from one block to another: up, and down.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<&str>, Vec<&str>) = (steps(from), steps(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    from.len() + to.len() - 2 * common
}

fn steps(path: &str) -> Vec<&str> {
    path.split('.').filter(|step| !step.is_empty()).collect()
}

/// Returns a path with lists in place of their items.
fn without_index(path: &str) -> String {
    let mut out = String::new();
    let mut is_index = false;
    for c in path.chars() {
        match c {
            '[' => is_index = true,
            ']' => is_index = false,
            _ if is_index => continue,
            _ => {}
        }
        out.push(c);
    }
    out
}

/// Returns a path of the description with the host that is meant, where one is.
fn resolved(meant: &str, path: &str) -> String {
    let list = "spec.hosts[";
    let index = path
        .strip_prefix(list)
        .and_then(|rest| rest.split_once(']'));
    match index {
        Some((index, _)) => meant.replacen("spec.hosts[]", &format!("{list}{index}]"), 1),
        None => meant.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{CLUSTER, DOCUMENT, HOST, METADATA, MKE, SPEC, SSH};

    fn hints(block: &Block, path: &str, written: &str) -> String {
        hint(block, path, written).unwrap_or_default()
    }

    #[test]
    fn a_name_that_is_written_in_another_way_is_that_of_the_block() {
        assert_eq!(
            hints(&HOST, "spec.hosts[0]", "winrm"),
            "did you mean `winRM`?"
        );
        assert_eq!(
            hints(&HOST, "spec.hosts[0]", "private_interface"),
            "did you mean `privateInterface`?"
        );
        assert_eq!(
            hints(&SSH, "spec.hosts[0].ssh", "key-path"),
            "did you mean `keyPath`?"
        );
        assert_eq!(hints(&HOST, "spec.hosts[0]", "rol"), "did you mean `role`?");
    }

    #[test]
    fn a_key_of_another_level_is_named_with_its_path() {
        for (block, path, written, meant) in [
            (
                &METADATA,
                "metadata",
                "version",
                "`spec.mke.version` or `spec.msr.version`",
            ),
            (&SPEC, "spec", "channel", "`spec.mcr.channel`"),
            (
                &HOST,
                "spec.hosts[3]",
                "keyPath",
                "`spec.hosts[3].ssh.keyPath`",
            ),
            (
                &SSH,
                "spec.hosts[3].ssh",
                "imageDir",
                "`spec.hosts[3].imageDir`",
            ),
            (
                &MKE,
                "spec.mke",
                "prune",
                "`spec.mcr.prune` or `spec.cluster.prune`",
            ),
            (&DOCUMENT, "", "mke", "`spec.mke`"),
            (&SPEC, "spec", "adminPasword", "`spec.mke.adminPassword`"),
        ] {
            let hint = hints(block, path, written);
            let end = format!("did you mean {meant}?");
            assert!(hint.ends_with(&end), "{written}: {hint}");
        }
        assert_eq!(
            hints(&MKE, "spec.mke", "managers"),
            "`managers` is not a key of `spec.mke`; did you mean `spec.hosts[].role: manager`?"
        );
    }

    #[test]
    fn names_of_other_tools_have_their_place() {
        for (block, path, written, meant) in [
            (&SPEC, "spec", "nodes", "it is called `hosts`"),
            (&HOST, "spec.hosts[1]", "roles", "`role: manager`"),
            (
                &HOST,
                "spec.hosts[1]",
                "privateAddress",
                "`spec.hosts[1].swarmAddress`",
            ),
            (
                &HOST,
                "spec.hosts[1]",
                "ssh_key_path",
                "`ssh: {keyPath: …}`",
            ),
            (
                &HOST,
                "spec.hosts[1]",
                "ansible_host",
                "`spec.hosts[1].ssh.address`",
            ),
            (
                &HOST,
                "spec.hosts[1]",
                "hostname",
                "`spec.hosts[1].ssh.address`",
            ),
            (&MKE, "spec.mke", "license", "`licenseFilePath`"),
            (&SPEC, "spec", "license", "`spec.mke.licenseFilePath`"),
        ] {
            let hint = hints(block, path, written);
            assert!(hint.contains(meant), "{written}: {hint}");
        }
    }

    #[test]
    fn few_keys_are_listed_where_nothing_is_near() {
        assert_eq!(
            hints(&CLUSTER, "spec.cluster", "zzz"),
            "`spec.cluster` has the keys `prune`"
        );
        assert_eq!(hint(&HOST, "spec.hosts[0]", "zzz"), None);
        assert_eq!(
            hints(&DOCUMENT, "", "zzz"),
            "the document has the keys `apiVersion`, `kind`, `metadata` and `spec`"
        );
    }

    #[test]
    fn what_is_suggested_exists() {
        let all: Vec<String> = schema::every_key().iter().map(Placed::path).collect();
        for (names, meant) in FOREIGN {
            let path = meant.split(':').next().unwrap_or_default();
            assert!(all.iter().any(|one| one == path), "{meant}");
            for name in *names {
                assert_eq!(*name, letters(name), "{name} is never found");
            }
        }
    }
}
