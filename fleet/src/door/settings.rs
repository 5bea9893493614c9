//! What the SSH server of a host is told to do: `/etc/ssh/sshd_config` of its file tree, as
//! sshd_config(5) reads it.
//!
//! The first value of a keyword counts. `Include` and `Match` (`all`, `user`, `group`) are honoured;
//! what is not known is noted, as the real server would not start.

use std::time::Duration;

use crate::files::{Credentials, Files};
use crate::shell::pattern::fits as matches;

/// Where the configuration is.
const PATH: &str = "/etc/ssh/sshd_config";
/// How deep files may include each other.
const DEEPEST: usize = 16;

/// The configuration of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// The conditions of its `Match` block; none of them outside of one.
    conditions: Vec<(String, String)>,
    /// The keyword, in lower case.
    key: String,
    value: String,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'a> {
    /// The name of the account.
    pub(super) user: &'a str,
    /// The names of its groups.
    pub(super) groups: &'a [String],
}

/// How many may be about to log in: `start:rate:full`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MaxStartups {
    /// From how many on some are refused.
    pub(super) start: usize,
    /// How many percent of them.
    pub(super) rate: u32,
    /// From how many on all are.
    pub(super) full: usize,
}

impl MaxStartups {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let start = parts.next()?.parse().ok()?;
        let (rate, full) = match (parts.next(), parts.next()) {
            (Some(rate), Some(full)) => (rate.parse().ok()?, full.parse().ok()?),
            _ => (100, start),
        };
        Some(Self { start, rate, full })
    }

    /// Returns how likely one more is refused, in percent, where so many are about to log in.
    pub(super) fn refusal(self, about_to: usize) -> u32 {
        if about_to < self.start {
            return 0;
        }
        if about_to >= self.full || self.rate >= 100 {
            return 100;
        }
        let (over, span) = (about_to - self.start, self.full - self.start);
        let more = (100 - self.rate) as usize * over / span.max(1);
        self.rate + u32::try_from(more).unwrap_or(100)
    }
}

impl Settings {
    /// Reads the configuration of a host.
    pub(super) fn read(files: &Files) -> Self {
        let mut all = Self::default();
        let mut conditions = Vec::new();
        let text = files.text(PATH).unwrap_or_default();
        all.add(files, &text, &mut conditions, 0);
        all
    }

    fn add(
        &mut self,
        files: &Files,
        text: &str,
        conditions: &mut Vec<(String, String)>,
        depth: usize,
    ) {
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let end = line.find(|one: char| one.is_whitespace() || one == '=');
            let (key, value) = line.split_at(end.unwrap_or(line.len()));
            let is_between = |one: char| one.is_whitespace() || one == '=';
            let value = value.trim_start_matches(is_between).trim_end();
            match key.to_ascii_lowercase().as_str() {
                "include" if depth < DEEPEST => {
                    for path in value.split_whitespace().flat_map(|one| found(files, one)) {
                        let text = files.text(&path).unwrap_or_default();
                        // What a file matches is over at its end.
                        let mut inside = conditions.clone();
                        self.add(files, &text, &mut inside, depth + 1);
                    }
                }
                "match" => *conditions = conditions_of(value),
                key => self.lines.push(Line {
                    conditions: conditions.clone(),
                    key: key.to_owned(),
                    value: value.trim_matches('"').to_owned(),
                }),
            }
        }
    }

    /// Returns the value of a keyword, for somebody or before anybody is known.
    pub(super) fn value(&self, key: &str, who: Option<Who<'_>>) -> Option<&str> {
        let fits = |line: &&Line| line.key == key && holds(&line.conditions, who);
        self.lines.iter().find(fits).map(|line| line.value.as_str())
    }

    /// Returns all values of a keyword.
    pub(super) fn values<'a>(
        &'a self,
        key: &'a str,
        who: Option<Who<'a>>,
    ) -> impl Iterator<Item = &'a str> {
        let lines = self.lines.iter().filter(move |line| line.key == key);
        let lines = lines.filter(move |line| holds(&line.conditions, who));
        lines.map(|line| line.value.as_str())
    }

    /// Returns whether a keyword says yes.
    pub(super) fn is_on(&self, key: &str, who: Option<Who<'_>>, default: bool) -> bool {
        let value = self.value(key, who);
        value.map_or(default, |value| value.eq_ignore_ascii_case("yes"))
    }

    /// Returns the number of a keyword.
    pub(super) fn number(&self, key: &str, who: Option<Who<'_>>, default: u64) -> u64 {
        let value = self.value(key, who).and_then(|value| value.parse().ok());
        value.unwrap_or(default)
    }

    /// Returns how long somebody may take to log in; none where there is no end.
    pub(super) fn grace_time(&self) -> Option<Duration> {
        let value = self.value("logingracetime", None).and_then(time);
        let value = value.unwrap_or(Duration::from_secs(120));
        (!value.is_zero()).then_some(value)
    }

    /// Returns how many may be about to log in.
    pub(super) fn max_startups(&self) -> MaxStartups {
        let value = self.value("maxstartups", None).and_then(MaxStartups::parse);
        value.unwrap_or(MaxStartups {
            start: 10,
            rate: 30,
            full: 100,
        })
    }

    /// Returns whether keyboard-interactive authentication is offered.
    pub(super) fn asks_interactively(&self, who: Option<Who<'_>>) -> bool {
        let old = self.is_on("challengeresponseauthentication", who, true);
        self.is_on("kbdinteractiveauthentication", who, old)
    }

    /// Returns whether a variable of the client is taken.
    pub(super) fn accepts_variable(&self, name: &str, who: Option<Who<'_>>) -> bool {
        let patterns = self
            .values("acceptenv", who)
            .flat_map(str::split_whitespace);
        patterns.into_iter().any(|pattern| matches(pattern, name))
    }

    /// Returns whether an account may log in, as far as `AllowUsers` and its like say.
    pub(super) fn lets_in(&self, who: Who<'_>) -> bool {
        let says = |key: &str, names: &[&str]| {
            let words = self.values(key, Some(who)).flat_map(str::split_whitespace);
            let mut words = words.peekable();
            let is_said = words.peek().is_some();
            let is_named = words.any(|word| names.iter().any(|name| matches(word, name)));
            (is_said, is_named)
        };
        let groups: Vec<&str> = who.groups.iter().map(String::as_str).collect();
        let user = [who.user];
        let (_, denied) = says("denyusers", &user);
        let (_, group_denied) = says("denygroups", &groups);
        let (is_listed, allowed) = says("allowusers", &user);
        let (is_group_listed, group_allowed) = says("allowgroups", &groups);
        !denied && !group_denied && (!is_listed || allowed) && (!is_group_listed || group_allowed)
    }
}

fn conditions_of(text: &str) -> Vec<(String, String)> {
    let mut words = text.split_whitespace();
    let mut all = Vec::new();
    while let Some(word) = words.next() {
        let key = word.to_ascii_lowercase();
        let value = match key.as_str() {
            "all" => String::new(),
            _ => words.next().unwrap_or_default().to_owned(),
        };
        all.push((key, value));
    }
    all
}

fn holds(conditions: &[(String, String)], who: Option<Who<'_>>) -> bool {
    conditions.iter().all(|(key, value)| {
        let mut patterns = value.split(',');
        match (key.as_str(), who) {
            ("all", _) => true,
            ("user", Some(who)) => patterns.any(|pattern| matches(pattern, who.user)),
            ("group", Some(who)) => {
                patterns.any(|pattern| who.groups.iter().any(|name| matches(pattern, name)))
            }
            _ => false,
        }
    })
}

/// Returns the files that a word of `Include` names, in their order.
fn found(files: &Files, word: &str) -> Vec<String> {
    let word = match word.starts_with('/') {
        true => word.to_owned(),
        false => format!("/etc/ssh/{word}"),
    };
    let (directory, pattern) = crate::files::split(&word);
    let mut names = files
        .list(directory, &Credentials::root())
        .unwrap_or_default();
    names.retain(|name| matches(pattern, name));
    names.sort();
    let paths = names.into_iter().map(|name| format!("{directory}/{name}"));
    paths.collect()
}

/// Reads a time of sshd_config(5): `30`, `2m`, `1h30m`.
fn time(text: &str) -> Option<Duration> {
    let mut seconds = 0;
    let mut number = String::new();
    for one in text.chars() {
        if one.is_ascii_digit() {
            number.push(one);
            continue;
        }
        let count: u64 = std::mem::take(&mut number).parse().ok()?;
        seconds += count
            * match one.to_ascii_lowercase() {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86_400,
                'w' => 604_800,
                _ => return None,
            };
    }
    if !number.is_empty() {
        seconds += number.parse::<u64>().ok()?;
    }
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(files: &[(&str, &str)]) -> Settings {
        let mut tree = Files::new();
        let root = Credentials::root();
        tree.make_dirs("/etc/ssh/sshd_config.d", 0o755, &root, Duration::ZERO)
            .unwrap();
        for (path, text) in files {
            tree.write(path, *text, 0o644, &root, Duration::ZERO)
                .unwrap();
        }
        Settings::read(&tree)
    }

    #[test]
    fn the_first_value_counts_and_included_files_come_where_they_are_named() {
        let settings = settings(&[
            (
                PATH,
                "Include /etc/ssh/sshd_config.d/*.conf\nMaxSessions 5\nBanner=/etc/issue\n",
            ),
            ("/etc/ssh/sshd_config.d/50-a.conf", "# no\nMaxSessions 2\n"),
            ("/etc/ssh/sshd_config.d/60-b.conf", "maxsessions 3\n"),
            ("/etc/ssh/sshd_config.d/notes", "MaxSessions 9\n"),
        ]);

        assert_eq!(settings.number("maxsessions", None, 10), 2);
        assert_eq!(settings.value("banner", None), Some("/etc/issue"));
    }

    #[test]
    fn a_block_is_for_those_whom_it_names() {
        let settings = settings(&[(
            PATH,
            "PasswordAuthentication no\nMatch User ops* Group adm,wheel\n\
             PasswordAuthentication yes\nForceCommand id\nMatch all\nX yes\n",
        )]);
        let groups = ["wheel".to_owned()];
        let who = |user| {
            Some(Who {
                user,
                groups: &groups,
            })
        };

        assert_eq!(settings.value("forcecommand", who("opsy")), Some("id"));
        assert_eq!(settings.value("forcecommand", who("root")), None);
        assert!(settings.is_on("x", None, false));
    }

    #[test]
    fn who_may_log_in_is_said_by_patterns() {
        let settings = settings(&[(PATH, "AllowUsers ubuntu dep*\nDenyUsers deputy\n")]);
        let lets_in = |user| settings.lets_in(Who { user, groups: &[] });

        assert!(lets_in("ubuntu") && lets_in("deploy"));
        assert!(!lets_in("deputy") && !lets_in("root"));
    }

    #[test]
    fn the_more_are_about_to_log_in_the_more_are_refused() {
        let limits = MaxStartups::parse("10:30:60").unwrap();
        let refusals = [0, 9, 10, 35, 60, 99].map(|count| limits.refusal(count));

        assert_eq!(refusals, [0, 0, 30, 65, 100, 100]);
        assert_eq!(MaxStartups::parse("4").unwrap().refusal(4), 100);
        assert_eq!(time("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(time("soon"), None);
    }
}
