//! Merges the access to a cluster into a kubeconfig, and leaves everything else in it as it is.

use secrecy::SecretString;

use super::tree::{self, Kind, Node};
use super::{Access, KubeconfigError, edit};

/// The lists of a kubeconfig, with what each entry holds beside its name.
const LISTS: [&str; 3] = ["clusters", "contexts", "users"];

/// What became of the current context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CurrentContext {
    /// There was none; it is that of the cluster now.
    Set,
    /// It is that of the cluster already.
    Already,
    /// It is another one, and stays.
    Kept(String),
}

/// A kubeconfig that has the access in it.
pub struct Merged {
    /// Its text.
    pub text: SecretString,
    /// What became of the current context.
    pub current: CurrentContext,
    /// Whether it had to be written anew: values and order are as before, comments are gone.
    pub is_rewritten: bool,
}

impl std::fmt::Debug for Merged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Merged")
            .field("current", &self.current)
            .field("is_rewritten", &self.is_rewritten)
            .finish_non_exhaustive()
    }
}

/// Merges: entries of an earlier merge are replaced, the current context is set where there is
/// none, and everything else stays, comments included.
///
/// # Errors
///
/// Fails where the text is no kubeconfig, where it has a context or cluster of the same name that
/// is somebody else's, and where it has YAML that could not be written again as it was.
pub fn merge(existing: &str, access: &Access) -> Result<Merged, KubeconfigError> {
    let Some(root) = tree::parse(existing)? else {
        use secrecy::ExposeSecret as _;
        // Comments may stand in an empty file.
        let mut text = existing.trim_end().to_owned();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(access.document().expose_secret());
        return Ok(Merged {
            text: text.into(),
            current: CurrentContext::Set,
            is_rewritten: false,
        });
    };
    check_tree(existing, &root)?;
    refuse_others(existing, &root, access)?;
    let current = match root.text_at("current-context") {
        None | Some("") => CurrentContext::Set,
        Some(name) if name == access.name => CurrentContext::Already,
        Some(name) => CurrentContext::Kept(name.to_owned()),
    };
    let wanted = wanted(&root, access, &current);
    let is_as_wanted =
        |text: &String| matches!(tree::parse(text), Ok(Some(found)) if found.is_like(&wanted));
    let edited = edit::splice(existing, &root, &wanted).filter(is_as_wanted);
    Ok(Merged {
        is_rewritten: edited.is_none(),
        text: edited.unwrap_or_else(|| tree::document(&wanted)).into(),
        current,
    })
}

/// Checks that a text is a kubeconfig that can be merged into.
///
/// # Errors
///
/// Fails where it is none, with the place.
pub fn check(text: &str) -> Result<(), KubeconfigError> {
    match tree::parse(text)? {
        Some(root) => check_tree(text, &root),
        None => Ok(()),
    }
}

/// Checks that a document is a kubeconfig.
pub(super) fn check_tree(text: &str, root: &Node) -> Result<(), KubeconfigError> {
    let wrong = |node: &Node, what: String| Err(KubeconfigError::at(text, node.start, what));
    let no_kubeconfig = |node| wrong(node, "this is no kubeconfig".to_owned());
    if !matches!(root.kind, Kind::Map(_)) {
        return no_kubeconfig(root);
    }
    for (key, wanted) in [("kind", "Config"), ("apiVersion", "v1")] {
        match root.at(key) {
            Some(value) if !value.is_null() && value.as_text() != Some(wanted) => {
                return wrong(
                    value,
                    format!("this is no kubeconfig: its `{key}` is another"),
                );
            }
            Some(_) | None => {}
        }
    }
    if root.at("kind").is_none() && LISTS.iter().all(|list| root.at(list).is_none()) {
        return no_kubeconfig(root);
    }
    for list in LISTS {
        let Some(value) = root.at(list).filter(|value| !value.is_null()) else {
            continue;
        };
        let Kind::List(entries) = &value.kind else {
            return wrong(value, format!("`{list}` is not a list"));
        };
        for entry in entries {
            if entry.text_at("name").is_none() {
                return wrong(entry, format!("this entry of `{list}` has no name"));
            }
        }
    }
    Ok(())
}

/// Returns the entry of a list that has a name.
pub(super) fn named<'n>(root: &'n Node, list: &str, name: &str) -> Option<&'n Node> {
    entries(root, list)
        .iter()
        .find(|entry| entry.text_at("name") == Some(name))
}

fn entries<'n>(root: &'n Node, list: &str) -> &'n [Node] {
    match root.at(list).map(|value| &value.kind) {
        Some(Kind::List(entries)) => entries,
        Some(Kind::Scalar { .. } | Kind::Map(_)) | None => &[],
    }
}

/// Refuses to take over what an earlier merge has not made. That is known by its form: the context
/// leads to the cluster of its own name, and to a user `…@<cluster>`.
fn refuse_others(text: &str, root: &Node, access: &Access) -> Result<(), KubeconfigError> {
    let name = access.name.as_str();
    let suffix = format!("@{name}");
    let is_ours = |user: Option<&str>| user.is_some_and(|user| user.ends_with(&suffix));
    let context = named(root, "contexts", name);
    let cluster = named(root, "clusters", name);
    let (list, entry) = match (context, cluster) {
        (Some(entry), _) => {
            let context = entry.at("context");
            let leads_to = |key| context.and_then(|context| context.text_at(key));
            if leads_to("cluster") == Some(name) && is_ours(leads_to("user")) {
                return Ok(());
            }
            ("context", entry)
        }
        (None, Some(entry)) => {
            let mut users = entries(root, "users").iter();
            if users.any(|user| is_ours(user.text_at("name"))) {
                return Ok(());
            }
            ("cluster", entry)
        }
        (None, None) => return Ok(()),
    };
    let what = format!(
        "a {list} named `{}` is there that launchpad has not made: rename it, or merge into another \
         file with `--merge=PATH`",
        tree::shown(name)
    );
    Err(KubeconfigError::at(text, entry.start, what))
}

/// Returns the tree as it shall be.
fn wanted(root: &Node, access: &Access, current: &CurrentContext) -> Node {
    let mut wanted = root.clone();
    put(&mut wanted, "clusters", access.cluster_entry());
    put(&mut wanted, "contexts", context(root, access));
    put(&mut wanted, "users", access.user_entry());
    if *current == CurrentContext::Set {
        wanted.set("current-context", Node::text(&access.name));
    }
    wanted
}

/// Returns the entry of the context; a namespace that the user has set in it stays.
fn context(root: &Node, access: &Access) -> Node {
    let old = named(root, "contexts", &access.name).and_then(|entry| entry.at("context"));
    match old.map(|context| &context.kind) {
        Some(Kind::Map(kept)) => access.context_entry(kept),
        Some(Kind::Scalar { .. } | Kind::List(_)) | None => access.context_entry(&[]),
    }
}

/// Puts an entry into a list: in the place of that of its name, or at the end.
fn put(root: &mut Node, list: &str, entry: Node) {
    let name = entry.text_at("name").map(str::to_owned);
    let mut all = entries(root, list).to_vec();
    match all
        .iter_mut()
        .find(|old| old.text_at("name") == name.as_deref())
    {
        Some(old) if old.is_like(&entry) => {}
        Some(old) => *old = entry,
        None => all.push(entry),
    }
    let (start, end) = root.at(list).map_or((0, 0), |old| (old.start, old.end));
    let kind = Kind::List(all);
    root.set(list, Node { start, end, kind });
}
