//! Kubeconfig files as MKE, `kubectl` and people write them.

use secrecy::ExposeSecret as _;

use super::*;

/// As MKE sends it.
const KUBE_YML: &str = "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://10.77.1.1:6443
  name: ucp_10.77.1.1:6443_admin
contexts:
- context:
    cluster: ucp_10.77.1.1:6443_admin
    user: ucp_10.77.1.1:6443_admin
  name: ucp_10.77.1.1:6443_admin
current-context: ucp_10.77.1.1:6443_admin
kind: Config
preferences: {}
users:
- name: ucp_10.77.1.1:6443_admin
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
";

/// As somebody keeps it, comments and all.
const KEPT: &str = "# my clusters
apiVersion: v1
kind: Config
clusters:
  # the old one
  - name: old
    cluster:
      server: 'https://old:6443'   # do not touch
      insecure-skip-tls-verify: false
contexts:
  - name: old
    context: {cluster: old, user: old}
current-context: old
preferences:
  colors: true
users:
  - name: old
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        args:
        - token
        - --cluster=old
        command: login   # asks for a card
# the end
";

fn access() -> Access {
    Access::parse(KUBE_YML, "toy", "admin").unwrap()
}

fn newer() -> Access {
    let text = KUBE_YML
        .replace("S0VZ", "TkVX")
        .replace("10.77.1.1", "10.77.1.9");
    Access::parse(&text, "toy", "admin").unwrap()
}

fn merged(existing: &str) -> (String, Merged) {
    let merged = merge(existing, &access()).unwrap();
    (merged.text.expose_secret().to_owned(), merged)
}

fn refused(existing: &str) -> String {
    merge(existing, &access()).unwrap_err().to_string()
}

#[test]
fn everything_is_called_after_the_cluster() {
    let access = access();

    assert_eq!(access.server, "https://10.77.1.1:6443");
    assert_eq!(
        access.document().expose_secret(),
        "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://10.77.1.1:6443
  name: toy
contexts:
- context:
    cluster: toy
    user: admin@toy
  name: toy
current-context: toy
kind: Config
preferences: {}
users:
- name: admin@toy
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
"
    );
    assert!(!format!("{access:?}").contains("S0VZ"));
}

#[test]
fn strange_names_stay_texts() {
    let access = Access::parse(KUBE_YML, "1.10", "no: #x\\y").unwrap();
    let text = access.document().expose_secret().to_owned();

    assert!(text.contains("name: \"1.10\"\n"), "{text}");
    assert!(text.contains("name: \"no: #x\\\\y@1.10\"\n"), "{text}");
    assert!(Access::parse(&text, "toy", "admin").is_ok());
}

#[test]
fn a_kube_yml_that_leads_nowhere_is_refused() {
    for (from, to, what) in [
        (
            "current-context: ucp_",
            "current-context: x_",
            "`contexts` has no",
        ),
        ("    server: https", "    sever: https", "no `server`"),
        (
            "current-context: ucp_10.77.1.1:6443_admin\n",
            "",
            "is missing",
        ),
        ("kind: Config", "kind: mke", "no kubeconfig"),
        ("    user: ucp_", "    user: x_", "`users` has no"),
    ] {
        let error = Access::parse(&KUBE_YML.replace(from, to), "toy", "admin").unwrap_err();

        assert!(error.what.contains(what), "{from}: {error}");
    }
}

#[test]
fn a_new_file_has_the_access_alone() {
    for empty in ["", "\n", "# mine\n", "---\n"] {
        let (text, merged) = merged(empty);

        assert_eq!(merged.current, CurrentContext::Set);
        assert!(
            text.ends_with(access().document().expose_secret()),
            "{text}"
        );
        assert!(merge(&text, &access()).is_ok(), "{text}");
    }
}

#[test]
fn nothing_else_is_touched() {
    let (text, merged) = merged(KEPT);

    assert_eq!(merged.current, CurrentContext::Kept("old".to_owned()));
    assert!(!merged.is_rewritten);
    let mut left = text.lines();
    for line in KEPT.lines() {
        assert!(left.any(|found| found == line), "{line}: {text}");
    }
    assert!(
        text.contains("  - cluster:\n      certificate-authority-data: Q0E=\n"),
        "{text}"
    );
    assert!(text.ends_with("    client-key-data: S0VZ\n# the end\n") || text.contains("S0VZ"));
}

#[test]
fn a_second_merge_changes_nothing_and_a_newer_bundle_only_its_entries() {
    let (once, _) = merged(KEPT);

    let (twice, _) = merged(&once);
    let renewed = merge(&once, &newer()).unwrap();

    assert_eq!(twice, once);
    let renewed = renewed.text.expose_secret();
    let wanted = once
        .replace("S0VZ", "TkVX")
        .replace("10.77.1.1", "10.77.1.9");
    assert_eq!(*renewed, wanted);
}

#[test]
fn a_namespace_that_the_user_has_set_stays() {
    let (text, _) = merged("");
    let text = text.replace(
        "    cluster: toy\n",
        "    cluster: toy\n    namespace: mine # my own\n",
    );
    let other = text.replace("user: admin@toy", "user: bob@toy");

    let (same, _) = merged(&text);
    let (moved, _) = merged(&other);

    assert_eq!(same, text);
    assert!(moved.contains("namespace: mine"), "{moved}");
    assert!(moved.contains("    user: admin@toy\n"), "{moved}");
}

#[test]
fn the_current_context_is_set_only_where_there_is_none() {
    for missing in [
        "kind: Config\n",
        "kind: Config\ncurrent-context: \"\"\n",
        "kind: Config\ncurrent-context:\nclusters: []\n",
        "current-context: ''   # none yet\nkind: Config\n",
        "kind: Config\ncurrent-context: null\n",
    ] {
        let (text, merged) = merged(missing);

        assert_eq!(merged.current, CurrentContext::Set, "{missing}");
        assert!(!merged.is_rewritten, "{missing}: {text}");
        let access = Access::parse(&text, "x", "y").unwrap();
        assert_eq!(access.server, "https://10.77.1.1:6443");
    }
    let (once, _) = merged("kind: Config\n");
    assert_eq!(merged(&once).1.current, CurrentContext::Already);
}

#[test]
fn lists_are_filled_however_they_are_empty() {
    for empty in [
        "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: null\nusers:\n",
        "clusters: # none\ncontexts: ~\nusers: [] # nobody\nkind: Config",
        "kind: Config\r\nclusters:\r\nusers: []\r\n",
    ] {
        let (text, merged) = merged(empty);

        assert!(!merged.is_rewritten, "{empty:?}: {text:?}");
        assert!(Access::parse(&text, "x", "y").is_ok(), "{text}");
    }
}

#[test]
fn a_file_in_braces_is_written_anew() {
    let json = r#"{"apiVersion":"v1","kind":"Config","preferences":{"colors":true},
        "clusters":[{"name":"on","cluster":{"server":"https://x:1","proxy-url":""}}],
        "contexts":[{"name":"on","context":{"cluster":"on","user":"1"}}],
        "users":[{"name":"1","user":{"token":"a\nb"}}],"current-context":"on"}"#;

    let (text, merged) = merged(json);

    assert!(merged.is_rewritten);
    for line in [
        "- name: \"on\"",
        "    server: https://x:1",
        "    proxy-url: \"\"",
        "  colors: true",
        "    token: \"a\\nb\"",
        "current-context: \"on\"",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line}: {text}");
    }
    assert!(!merge(&text, &access()).unwrap().is_rewritten);
}

#[test]
fn what_is_no_kubeconfig_is_refused_with_its_place() {
    for (text, wanted) in [
        ("- a\n", "line 1, column 1: this is no kubeconfig"),
        ("metadata: {}\n", "line 1, column 1: this is no kubeconfig"),
        (
            "apiVersion: launchpad.mirantis.com/mke/v1.6\nkind: mke\n",
            "line 2, column 7: this is no kubeconfig: its `kind` is another",
        ),
        (
            "kind: Config\nclusters:\n  toy: {}\n",
            "line 3, column 3: `clusters` is not a list",
        ),
        (
            "kind: Config\nusers:\n- user: {}\n",
            "line 3, column 3: this entry of `users` has no name",
        ),
        (
            "kind: Config\nkind: Config\n",
            "line 2, column 1: `kind` is given twice",
        ),
        (
            "kind: Config\n---\nkind: Config\n",
            "line 2, column 1: the file has more than one YAML document",
        ),
        (
            "a: &x {}\nkind: Config\nb: *x\n",
            "line 3, column 4: aliases (`*…`) are not understood here",
        ),
    ] {
        assert_eq!(refused(text), wanted, "{text}");
    }
    assert!(refused("kind: Config\nusers: [\n").starts_with("line "));
    assert!(refused("kind: \"Config\n").contains("not valid YAML"));
}

#[test]
fn what_somebody_else_has_made_under_this_name_stays() {
    let context = "kind: Config\ncontexts:\n- name: toy\n  context: {cluster: kind, user: kind}\n";
    let cluster = "kind: Config\nclusters:\n- name: toy\n  cluster: {server: https://x}\n";
    let left_over = format!("{cluster}users:\n- name: bob@toy\n  user: {{}}\n");

    for (text, what) in [(context, "context"), (cluster, "cluster")] {
        let wanted = format!("line 3, column 3: a {what} named `toy` is there");
        assert!(refused(text).starts_with(&wanted), "{}", refused(text));
    }
    assert!(merge(&left_over, &access()).is_ok());
}

#[test]
fn no_way_of_writing_a_list_loses_an_entry() {
    let entry = "name: a\n  cluster: {server: x}";
    for text in [
        format!("kind: Config\nclusters:\n- {entry}\n"),
        format!("kind: Config\nclusters:\n-\n  {entry}\n# last\n"),
        format!("kind: Config\nclusters:\n- # first\n  {entry}\n\n\n"),
        format!("kind: Config\nclusters:\n\n# c\n- {entry} # c\n\nusers:\n"),
        "clusters: [{name: a, cluster: {server: x}}]\nkind: Config\n".to_owned(),
        "clusters:\n    - {name: a, cluster: {server: x}}\nkind: Config".to_owned(),
        "---\nclusters:\n-   name: a\n    cluster:\n        server: |\n            x\n".to_owned(),
        "--- # c\nkind: Config\nclusters:\n- name: >-\n    a\n  cluster: {server: x}\n...\n"
            .to_owned(),
    ] {
        let (text, _) = merged(&text);

        let root = tree::parse(&text).unwrap().unwrap();
        let kept =
            super::merge::named(&root, "clusters", "a").and_then(|entry| entry.at("cluster"));
        let server = kept.and_then(|cluster| cluster.text_at("server"));
        assert_eq!(server.map(str::trim), Some("x"), "{text}");
        assert!(
            super::merge::named(&root, "clusters", "toy").is_some(),
            "{text}"
        );
    }
}
