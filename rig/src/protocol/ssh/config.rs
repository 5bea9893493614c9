//! ssh_config: what it says about one host.
//!
//! The first value that is found counts; blocks apply by `Host` patterns and by those `Match`
//! criteria that need no command to be run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config_file::{Condition, Document, Item, Key, Place, Setting};
use super::host_key::Strictness;
use super::pattern;
use crate::connection::ConnectError;

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Asker<'a> {
    /// The host, as the user named it.
    pub(super) alias: &'a str,
    /// What the user decided already.
    pub(super) user: Option<&'a str>,
    pub(super) port: Option<u16>,
    /// Home directory and name of the user on this machine.
    pub(super) home: &'a Path,
    pub(super) local_user: &'a str,
}

/// What ssh_config says about a host; paths are expanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HostConfig {
    pub(super) host_name: String,
    pub(super) user: String,
    pub(super) port: u16,
    pub(super) identity_files: Vec<PathBuf>,
    pub(super) identities_only: bool,
    /// The agent's socket; `Some(None)` where no agent is to be asked.
    pub(super) identity_agent: Option<Option<PathBuf>>,
    pub(super) user_known_hosts: Option<Vec<PathBuf>>,
    pub(super) global_known_hosts: Option<Vec<PathBuf>>,
    pub(super) strictness: Option<Strictness>,
    pub(super) hash_known_hosts: bool,
    pub(super) host_key_alias: Option<String>,
    /// A way through another host or program, which is not there yet.
    pub(super) proxy: Option<&'static str>,
}

/// Values as they stand in the files.
#[derive(Default)]
struct Raw<'a> {
    first: std::collections::BTreeMap<Key, &'a Setting>,
    identity_files: Vec<&'a Setting>,
}

impl<'a> Raw<'a> {
    fn word(&self, key: Key) -> Option<&'a str> {
        self.first.get(&key)?.words.first().map(String::as_str)
    }

    fn is_yes(&self, key: Key) -> bool {
        self.word(key).is_some_and(|word| {
            word.eq_ignore_ascii_case("yes") || word.eq_ignore_ascii_case("true")
        })
    }
}

/// Reads what the documents say about a host.
pub(super) fn resolve(
    documents: &[Arc<Document>],
    asker: &Asker<'_>,
) -> Result<HostConfig, ConnectError> {
    let mut raw = Raw::default();
    for document in documents {
        walk(&document.items, asker, true, &mut raw)?;
    }
    let mut tokens = Tokens {
        asker,
        host_name: asker.alias.to_owned(),
        port: 22,
        user: String::new(),
    };
    tokens.host_name = host_name(&raw, asker)?;
    tokens.port = match (asker.port, raw.word(Key::Port)) {
        (Some(port), _) => port,
        // The parser has seen that it is one.
        (None, Some(word)) => word.parse().unwrap_or(22),
        (None, None) => 22,
    };
    tokens.user = asker
        .user
        .or_else(|| raw.word(Key::User))
        .unwrap_or("root")
        .to_owned();
    let mut identity_files = Vec::new();
    for setting in &raw.identity_files {
        for path in tokens.paths(setting)? {
            if !identity_files.contains(&path) {
                identity_files.push(path);
            }
        }
    }
    let paths = |key| -> Result<Option<Vec<PathBuf>>, ConnectError> {
        raw.first
            .get(&key)
            .map(|setting| tokens.paths(setting))
            .transpose()
    };
    let identity_agent = match raw.word(Key::IdentityAgent) {
        None => None,
        Some(word) if word.eq_ignore_ascii_case("none") => Some(None),
        Some("SSH_AUTH_SOCK") => None,
        Some(_) => paths(Key::IdentityAgent)?.map(|paths| paths.into_iter().next()),
    };
    Ok(HostConfig {
        identities_only: raw.is_yes(Key::IdentitiesOnly),
        identity_files,
        identity_agent,
        user_known_hosts: paths(Key::UserKnownHostsFile)?,
        global_known_hosts: paths(Key::GlobalKnownHostsFile)?,
        strictness: raw.word(Key::StrictHostKeyChecking).map(strictness),
        hash_known_hosts: raw.is_yes(Key::HashKnownHosts),
        host_key_alias: raw.word(Key::HostKeyAlias).map(str::to_owned),
        proxy: proxy(&raw),
        host_name: tokens.host_name,
        port: tokens.port,
        user: tokens.user,
    })
}

fn strictness(word: &str) -> Strictness {
    match word.to_ascii_lowercase().as_str() {
        "no" | "false" | "off" => Strictness::Off,
        "accept-new" => Strictness::AcceptNew,
        // `ask` too: there may be nobody to ask, and they asked to be asked.
        _ => Strictness::Known,
    }
}

fn proxy(raw: &Raw<'_>) -> Option<&'static str> {
    let word = raw.word(Key::Proxy)?;
    if word.eq_ignore_ascii_case("none") {
        return None;
    }
    let setting = raw.first.get(&Key::Proxy)?;
    Some(match setting.keyword.as_str() {
        "proxyjump" => "ProxyJump, which ssh_config sets for this host,",
        _ => "ProxyCommand, which ssh_config sets for this host,",
    })
}

fn host_name(raw: &Raw<'_>, asker: &Asker<'_>) -> Result<String, ConnectError> {
    let Some(setting) = raw.first.get(&Key::HostName) else {
        return Ok(asker.alias.to_owned());
    };
    let word = setting.words.first().map_or("", String::as_str);
    expand(word, &setting.place, |token| match token {
        'h' => Some(asker.alias.to_owned()),
        _ => None,
    })
}

/// Takes what applies, in the order of the file.
fn walk<'a>(
    items: &'a [Item],
    asker: &Asker<'_>,
    outer: bool,
    raw: &mut Raw<'a>,
) -> Result<(), ConnectError> {
    let mut active = outer;
    for item in items {
        match item {
            Item::Block(condition) => active = outer && applies(condition, asker, raw)?,
            Item::Include(documents) => {
                for document in documents {
                    walk(&document.items, asker, active, raw)?;
                }
            }
            Item::Set(_) if !active => {}
            Item::Set(setting) if setting.key == Key::IdentityFile => {
                raw.identity_files.push(setting);
            }
            Item::Set(setting) => {
                raw.first.entry(setting.key).or_insert(setting);
            }
        }
    }
    Ok(())
}

fn applies(condition: &Condition, asker: &Asker<'_>, raw: &Raw<'_>) -> Result<bool, ConnectError> {
    let criteria = match condition {
        Condition::Host(patterns) => {
            return Ok(pattern::list_matches(
                patterns.iter().map(String::as_str),
                asker.alias,
            ));
        }
        Condition::Match(criteria) => criteria,
    };
    for criterion in criteria {
        let text = match criterion.name.as_str() {
            "all" => continue,
            "host" => Some(host_name(raw, asker)?),
            "originalhost" => Some(asker.alias.to_owned()),
            "user" => Some(
                asker
                    .user
                    .or_else(|| raw.word(Key::User))
                    .unwrap_or("root")
                    .to_owned(),
            ),
            "localuser" => Some(asker.local_user.to_owned()),
            // They would need a command, or a second reading: taken as not met.
            _ => None,
        };
        let Some(text) = text else {
            return Ok(false);
        };
        let met = pattern::list_matches(criterion.patterns.split(','), &text);
        if met == criterion.negated {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Tokens<'a> {
    asker: &'a Asker<'a>,
    host_name: String,
    port: u16,
    user: String,
}

impl Tokens<'_> {
    /// Expands the paths of a setting; `none` stands for no path at all.
    fn paths(&self, setting: &Setting) -> Result<Vec<PathBuf>, ConnectError> {
        setting
            .words
            .iter()
            .filter(|word| !word.eq_ignore_ascii_case("none"))
            .map(|word| self.path(word, &setting.place))
            .collect()
    }

    fn path(&self, word: &str, place: &Place) -> Result<PathBuf, ConnectError> {
        if word.contains("${") {
            return Err(place.error("variables (`${…}`) are not supported in paths".to_owned()));
        }
        let expanded = expand(word, place, |token| {
            Some(match token {
                'h' => self.host_name.clone(),
                'n' => self.asker.alias.to_owned(),
                'p' => self.port.to_string(),
                'r' => self.user.clone(),
                'u' => self.asker.local_user.to_owned(),
                'd' => self.asker.home.display().to_string(),
                _ => return None,
            })
        })?;
        match expanded.strip_prefix('~') {
            None => Ok(PathBuf::from(expanded)),
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                Ok(self.asker.home.join(rest.trim_start_matches('/')))
            }
            Some(_) => Err(place.error("`~user` is not supported in paths".to_owned())),
        }
    }
}

fn expand(
    text: &str,
    place: &Place,
    token: impl Fn(char) -> Option<String>,
) -> Result<String, ConnectError> {
    let mut expanded = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            expanded.push(character);
            continue;
        }
        match characters.next() {
            Some('%') => expanded.push('%'),
            Some(name) => match token(name) {
                Some(value) => expanded.push_str(&value),
                None => return Err(place.error(format!("`%{name}` is not supported here"))),
            },
            None => return Err(place.error("a `%` stands alone".to_owned())),
        }
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::super::config_file::Reader;
    use super::*;

    fn read(text: &str, alias: &str) -> Result<HostConfig, ConnectError> {
        read_as(text, alias, None, None)
    }

    fn read_as(
        text: &str,
        alias: &str,
        user: Option<&str>,
        port: Option<u16>,
    ) -> Result<HostConfig, ConnectError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        std::fs::write(&path, text).unwrap();
        let document = Reader::new(Path::new("/home/me")).read(&path)?;
        let asker = Asker {
            alias,
            user,
            port,
            home: Path::new("/home/me"),
            local_user: "me",
        };
        resolve(&[Arc::new(document)], &asker)
    }

    #[test]
    fn the_first_value_counts_and_identity_files_add_up() {
        let text = "Host web*\n  HostName %h.example.com\n  User deploy\n  IdentityFile ~/.ssh/a\n\
                    Host *\n  User nobody\n  Port 2222\n  IdentityFile %d/.ssh/%r@%h:%p-%n-%u%%\n";

        let config = read(text, "web1").unwrap();

        assert_eq!(config.host_name, "web1.example.com");
        assert_eq!((config.user.as_str(), config.port), ("deploy", 2222));
        assert_eq!(
            config.identity_files,
            [
                PathBuf::from("/home/me/.ssh/a"),
                PathBuf::from("/home/me/.ssh/deploy@web1.example.com:2222-web1-me%"),
            ]
        );
    }

    #[test]
    fn what_the_host_says_beats_ssh_config() {
        let config = read_as("User a\nPort 1\n", "h", Some("b"), Some(2)).unwrap();

        assert_eq!((config.user.as_str(), config.port), ("b", 2));
    }

    #[test]
    fn without_a_word_it_is_root_on_port_22() {
        let config = read("Host other\nUser a\nPort 1\nHostName b\n", "h").unwrap();

        assert_eq!((config.user.as_str(), config.port), ("root", 22));
        assert_eq!(config.host_name, "h");
    }

    #[test]
    fn keywords_quotes_and_equal_signs_are_understood() {
        let text = "HOST=\"a b\" h\n\tuser = \"x y\" # why\nPORT\t=\t7\nUnknownThing what ever\n\
                    UserKnownHostsFile \"/a b\" /c\nGlobalKnownHostsFile none\n";

        let config = read(text, "h").unwrap();

        assert_eq!((config.user.as_str(), config.port), ("x y", 7));
        assert_eq!(
            config.user_known_hosts,
            Some(vec![PathBuf::from("/a b"), PathBuf::from("/c")])
        );
        assert_eq!(config.global_known_hosts, Some(Vec::new()));
    }

    #[test]
    fn negated_hosts_are_left_out() {
        let text = "Host *.lan !db.lan\nPort 7\n";

        assert_eq!(read(text, "web.lan").unwrap().port, 7);
        assert_eq!(read(text, "db.lan").unwrap().port, 22);
    }

    #[test]
    fn match_blocks_apply_by_their_criteria_and_never_leak() {
        let text = "Host alias\nHostName web.lan\nUser deploy\n\
                    Match host *.lan user deploy\nPort 1\n\
                    Match originalhost other\nHostName wrong\n\
                    Match exec \"true\"\nIdentitiesOnly yes\n\
                    Match !host web.lan\nHashKnownHosts yes\n\
                    Match all\nHostKeyAlias always\n";

        let config = read(text, "alias").unwrap();

        assert_eq!(config.port, 1);
        assert_eq!(config.host_name, "web.lan");
        assert!(!config.identities_only && !config.hash_known_hosts);
        assert_eq!(config.host_key_alias.as_deref(), Some("always"));
        assert_eq!(read(text, "db-1").unwrap().port, 22);
    }

    #[test]
    fn includes_belong_to_the_block_they_stand_in() {
        let directory = tempfile::tempdir().unwrap();
        let include = directory.path().join("conf.d");
        std::fs::create_dir(&include).unwrap();
        std::fs::write(include.join("10-a.conf"), "Port 1\nHost db\nUser db\n").unwrap();
        std::fs::write(include.join("20-b.conf"), "Port 2\nUser b\n").unwrap();
        let text = format!(
            "Host web\nInclude {}/*.conf\nHostName after\n",
            include.display()
        );

        let web = read(&text, "web").unwrap();
        let db = read(&text, "db").unwrap();

        assert_eq!((web.port, web.user.as_str()), (1, "b"));
        assert_eq!(web.host_name, "after");
        assert_eq!((db.port, db.user.as_str()), (22, "root"));
    }

    #[test]
    fn an_endless_include_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        std::fs::write(&path, format!("Include {}\n", path.display())).unwrap();

        let error = Reader::new(Path::new("/home/me")).read(&path).unwrap_err();

        assert!(error.to_string().contains("Include"), "{error}");
    }

    #[test]
    fn a_way_through_another_host_is_named_unless_it_is_none() {
        assert_eq!(read("ProxyJump none\n", "h").unwrap().proxy, None);
        assert_eq!(read("Host x\nProxyJump b\n", "h").unwrap().proxy, None);
        let proxy = read("ProxyJump b\nProxyCommand nc %h %p\n", "h")
            .unwrap()
            .proxy;
        assert!(proxy.unwrap().starts_with("ProxyJump"));
        let proxy = read("ProxyCommand nc %h %p\n", "h").unwrap().proxy;
        assert!(proxy.unwrap().starts_with("ProxyCommand"));
    }

    #[test]
    fn bad_lines_are_named() {
        for (text, wanted) in [
            ("User a\nPort ssh\n", "line 2"),
            ("Port 0\n", "line 1"),
            ("\n\nHost \"a\n", "line 3"),
            ("Host\n", "line 1"),
            ("IdentitiesOnly maybe\n", "line 1"),
            ("StrictHostKeyChecking perhaps\n", "line 1"),
            ("Match\n", "line 1"),
            ("IdentityFile %Z\n", "line 1"),
            ("User\n", "line 1"),
        ] {
            let error = read(text, "h").unwrap_err().to_string();
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }

    #[test]
    fn strictness_is_what_the_words_mean() {
        for (word, expected) in [
            ("yes", Strictness::Known),
            ("ask", Strictness::Known),
            ("accept-new", Strictness::AcceptNew),
            ("no", Strictness::Off),
            ("OFF", Strictness::Off),
        ] {
            let config = read(&format!("StrictHostKeyChecking {word}\n"), "h").unwrap();
            assert_eq!(config.strictness, Some(expected), "{word}");
        }
    }
}
