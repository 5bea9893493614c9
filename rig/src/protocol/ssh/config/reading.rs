//! One reading of the documents for one host: which blocks apply, and what they set.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::file::{Condition, Criterion, Document, Item, Setting};
use super::key::Key;
use super::tokens::{self, Tokens};
use super::{Asker, ConfigWarning, pattern};
use crate::connection::ConnectError;

impl Condition {
    /// Returns whether it asks for another pass: also behind a criterion that is not met, the
    /// next pass may meet it.
    fn names_final(&self) -> bool {
        match self {
            Self::Host(_) => false,
            Self::Match(criteria) => criteria.iter().any(|criterion| criterion.name == "final"),
        }
    }
}

/// What was found, and what is needed to find it.
pub(super) struct Reading<'a> {
    pub(super) asker: &'a Asker<'a>,
    /// The name that `Host` is matched with: the alias, in the final pass the real name.
    pub(super) host: String,
    pub(super) is_final: bool,
    /// Whether a `Match final` asks for another pass.
    pub(super) wants_final: bool,
    pub(super) warnings: Vec<ConfigWarning>,
    first: BTreeMap<Key, &'a Setting>,
    identity_files: Vec<&'a Setting>,
    certificate_files: Vec<&'a Setting>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(asker: &'a Asker<'a>) -> Self {
        Self {
            asker,
            host: asker.alias.to_owned(),
            is_final: false,
            wants_final: false,
            warnings: Vec::new(),
            first: BTreeMap::new(),
            identity_files: Vec::new(),
            certificate_files: Vec::new(),
        }
    }

    /// Takes what applies, in the order of the files.
    pub(super) fn pass(&mut self, documents: &'a [Arc<Document>]) -> Result<(), ConnectError> {
        for document in documents {
            self.walk(&document.items, true)?;
        }
        Ok(())
    }

    fn walk(&mut self, items: &'a [Item], outer: bool) -> Result<(), ConnectError> {
        let mut is_active = outer;
        for item in items {
            match item {
                Item::Block(condition) => {
                    self.wants_final |= condition.names_final();
                    is_active = outer && self.applies(condition)?;
                }
                Item::Include(documents) => {
                    for document in documents {
                        self.walk(&document.items, is_active)?;
                    }
                }
                Item::Set(setting) if is_active => self.set(setting),
                Item::Set(_) => {}
            }
        }
        Ok(())
    }

    fn set(&mut self, setting: &'a Setting) {
        let list = match setting.key {
            Key::IdentityFile => &mut self.identity_files,
            Key::CertificateFile => &mut self.certificate_files,
            key => {
                if !self.is_ruled_out(setting) {
                    self.first.entry(key).or_insert(setting);
                }
                return;
            }
        };
        if list.iter().all(|known| known.words != setting.words) {
            list.push(setting);
        }
    }

    /// Returns whether a value does not count although it is the first of its key.
    fn is_ruled_out(&self, setting: &Setting) -> bool {
        match setting.key {
            Key::ProxyJump => self.first.contains_key(&Key::ProxyCommand),
            // Unlike a real one, a `ProxyJump none` leaves the way free for a command.
            Key::ProxyCommand => !self.jumps().is_empty(),
            // A `none` is the same as no word to ssh: a later value counts.
            Key::ConnectTimeout | Key::ServerAliveInterval => setting.is_none(),
            _ => false,
        }
    }

    fn applies(&mut self, condition: &'a Condition) -> Result<bool, ConnectError> {
        let criteria = match condition {
            Condition::Host(patterns) => {
                let patterns = patterns.iter().map(String::as_str);
                return Ok(pattern::list_matches(patterns, &self.host));
            }
            Condition::Match(criteria) => criteria,
        };
        for criterion in criteria {
            if !self.meets(criterion)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn meets(&mut self, criterion: &'a Criterion) -> Result<bool, ConnectError> {
        let lists = |text: &str| pattern::list_matches(criterion.value.split(','), text);
        let in_lower_case = |text: &str| {
            let patterns = criterion.value.to_lowercase();
            pattern::list_matches(patterns.split(','), &text.to_lowercase())
        };
        let is_met = match criterion.name.as_str() {
            "all" => true,
            "canonical" | "final" => self.is_final,
            "host" => in_lower_case(&self.host_name()?),
            "originalhost" => in_lower_case(self.asker.alias),
            "user" => lists(self.user()),
            "localuser" => lists(self.asker.local_user),
            "tagged" => lists(self.word(Key::Tag).unwrap_or_default()),
            "exec" => {
                let command = self.command(criterion)?;
                match self.asker.world.succeeds(&command) {
                    Some(success) => success,
                    None => {
                        return Ok(self.pass_over(
                            criterion,
                            "runs a command, which takes `--allow-match-exec`",
                        ));
                    }
                }
            }
            _ => return Ok(self.pass_over(criterion, "is not known here")),
        };
        Ok(is_met != criterion.is_negated)
    }

    /// Takes a criterion as not met, whether it is negated or not, and says so.
    fn pass_over(&mut self, criterion: &Criterion, why: &str) -> bool {
        let warning = ConfigWarning {
            path: criterion.place.path.to_path_buf(),
            line: criterion.place.line,
            text: format!("`Match {}` {why}: the block is passed over", criterion.name),
        };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
        false
    }

    fn command(&self, criterion: &Criterion) -> Result<String, ConnectError> {
        let host_name = self.host_name()?;
        self.tokens(&host_name)
            .expand(&criterion.value, tokens::EVERYWHERE)
            .map_err(|reason| criterion.place.error(reason))
    }

    /// Returns the name to connect to, as far as it is known.
    pub(super) fn host_name(&self) -> Result<String, ConnectError> {
        if self.is_final {
            return Ok(self.host.clone());
        }
        let Some(setting) = self.setting(Key::HostName) else {
            return Ok(self.asker.alias.to_owned());
        };
        let word = setting.words.first().map_or("", String::as_str);
        self.tokens(self.asker.alias)
            .expand(word, tokens::HOST_NAME)
            .map_err(|reason| setting.place.error(reason))
    }

    pub(super) fn user(&self) -> &str {
        self.asker
            .user
            .or_else(|| self.word(Key::User))
            .unwrap_or(self.asker.usual_user)
    }

    pub(super) fn port(&self) -> u16 {
        let of_file = || self.word(Key::Port)?.parse().ok();
        self.asker.port.or_else(of_file).unwrap_or(22)
    }

    /// Returns what the tokens stand for, with a name to connect to.
    pub(super) fn tokens<'b>(&'b self, host_name: &'b str) -> Tokens<'b> {
        let asker = self.asker;
        Tokens {
            world: asker.world,
            home: asker.home,
            local_user: asker.local_user,
            local_uid: asker.local_uid,
            local_host: asker.local_host,
            alias: asker.alias,
            host_key_alias: self.word(Key::HostKeyAlias),
            host_name,
            port: self.port(),
            user: self.user(),
            jumps: self.jumps(),
        }
    }

    /// Returns the hosts to jump through, as they stand in the file.
    fn jumps(&self) -> &str {
        let setting = self.setting(Key::ProxyJump);
        let setting = setting.filter(|setting| !setting.is_none());
        setting
            .and_then(|setting| setting.words.first())
            .map_or("", String::as_str)
    }

    /// Returns what the connection goes through, if anything.
    pub(super) fn proxy(&self) -> Option<&'a Setting> {
        let command = self.setting(Key::ProxyCommand);
        let setting = command.or_else(|| self.setting(Key::ProxyJump));
        setting.filter(|setting| !setting.is_none())
    }

    pub(super) fn setting(&self, key: Key) -> Option<&'a Setting> {
        self.first.get(&key).copied()
    }

    pub(super) fn word(&self, key: Key) -> Option<&'a str> {
        self.setting(key)?.words.first().map(String::as_str)
    }

    /// Returns what a flag says; `usual` where it is not set.
    pub(super) fn flag(&self, key: Key, usual: bool) -> bool {
        // The parser has seen that it is a word for yes or for no.
        self.word(key).map_or(usual, |word| {
            !(word.eq_ignore_ascii_case("no") || word.eq_ignore_ascii_case("false"))
        })
    }

    pub(super) fn number(&self, key: Key) -> Option<u32> {
        self.word(key)?.parse().ok()
    }

    pub(super) fn identity_files(&self) -> &[&'a Setting] {
        &self.identity_files
    }

    pub(super) fn certificate_files(&self) -> &[&'a Setting] {
        &self.certificate_files
    }
}
