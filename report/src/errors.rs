//! Failures for people: message, host, phase, command, stderr, causes, hint.
//!
//! Equal failures of many hosts are one block, so that a repository that is down is one error and
//! not two hundred.

use phase::Failure;

use crate::fold::Titles;
use crate::printable::{printable, printable_lines};

/// How many lines of a failed command's stderr are shown.
const STDERR_LINES: usize = 20;

/// How many hosts are named before the rest is counted.
const NAMED_HOSTS: usize = 5;

/// Failures that differ only in their host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// The first of them.
    pub failure: &'a Failure,
    /// The hosts, in the order they failed; empty where it is no host's failure.
    pub hosts: Vec<&'a str>,
    /// How many there are.
    pub count: usize,
}

/// Puts equal failures together, in the order of their first.
///
/// Failures are equal if everything but the stderr of their command is, once each one's own host
/// name is taken out of its text.
pub fn group<'a>(failures: impl IntoIterator<Item = &'a Failure>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for failure in failures {
        let place = *places.entry(likeness(failure)).or_insert_with(|| {
            groups.push(Group {
                failure,
                hosts: Vec::new(),
                count: 0,
            });
            groups.len() - 1
        });
        let group = &mut groups[place];
        group.count += 1;
        if let Some(host) = failure.host.as_deref()
            && !group.hosts.contains(&host)
        {
            group.hosts.push(host);
        }
    }
    groups
}

/// Returns the lines of a group of failures; the first one is its headline.
pub fn block(group: &Group<'_>, titles: &Titles) -> Vec<String> {
    let failure = group.failure;
    let mut lines = Vec::new();
    let mut message = printable_lines(&failure.message).into_iter();
    let headline = message.next().unwrap_or_default();
    lines.push(match group.hosts.as_slice() {
        [] if group.count > 1 => format!("{headline} ({} times)", group.count),
        [] => headline,
        [host] => format!("{}: {headline}", printable(host)),
        hosts => format!("{} hosts: {headline}", hosts.len()),
    });
    lines.extend(message.map(|line| format!("  {line}")));
    if group.hosts.len() > 1 {
        lines.push(format!("  hosts: {}", name_hosts(&group.hosts)));
    }
    if let Some(phase) = &failure.phase {
        lines.push(format!("  phase: {}", printable(titles.of(phase))));
    }
    for cause in &failure.causes {
        let mut first = true;
        for line in printable_lines(cause) {
            let lead = if first { "cause:" } else { "      " };
            lines.push(format!("  {lead} {line}"));
            first = false;
        }
    }
    if let Some(command) = &failure.command {
        lines.push(format!("  command: {}", printable(&command.command)));
        lines.push(format!("  ended with: {}", printable(&command.status)));
        lines.extend(stderr(group, &command.stderr_tail));
    }
    if let Some(hint) = &failure.hint {
        lines.push(format!("  hint: {}", printable(hint)));
    }
    lines
}

/// Returns failures as text, equal ones of many hosts as one, without colours.
pub fn text<'a>(failures: impl IntoIterator<Item = &'a Failure>, titles: &Titles) -> String {
    let mut text = String::new();
    for group in group(failures) {
        text.push_str("error: ");
        for line in block(&group, titles) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// Returns a failure as one line: host, message, causes.
pub fn one_line(failure: &Failure) -> String {
    printable(&failure.to_string()).into_owned()
}

/// Names hosts: the first five, "and 32 more".
pub fn name_hosts(hosts: &[&str]) -> String {
    let named: Vec<_> = hosts
        .iter()
        .take(NAMED_HOSTS)
        .map(|host| printable(host))
        .collect();
    let named = named.join(", ");
    match hosts.len().saturating_sub(NAMED_HOSTS) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn stderr(group: &Group<'_>, tail: &[String]) -> Vec<String> {
    let Some(skipped) = tail.len().checked_sub(1) else {
        return Vec::new();
    };
    let skipped = (skipped + 1).saturating_sub(STDERR_LINES);
    let whose = match group.hosts.as_slice() {
        [first, _, ..] => format!(" of {}", printable(first)),
        _ => String::new(),
    };
    let mut lines = vec![format!("  stderr{whose}:")];
    let shown = tail.iter().skip(skipped);
    lines.extend(shown.map(|line| format!("    | {}", printable(line)).trim_end().to_owned()));
    lines
}

/// Returns all that makes failures of two hosts the same, as one text.
fn likeness(failure: &Failure) -> String {
    let host = failure.host.as_deref();
    let command = failure.command.as_ref();
    let parts = [
        Some(&failure.message),
        failure.phase.as_ref(),
        failure.hint.as_ref(),
        command.map(|command| &command.command),
        command.map(|command| &command.status),
    ];
    let mut likeness = String::new();
    for part in parts.into_iter().chain(failure.causes.iter().map(Some)) {
        likeness.push_str(
            &part
                .map(|text| without_host(text, host))
                .unwrap_or_default(),
        );
        likeness.push('\0');
    }
    if host.is_some() {
        likeness.push_str("on a host");
    }
    likeness
}

/// Replaces a host's own name, and its name without the port, where they stand as a word.
fn without_host(text: &str, host: Option<&str>) -> String {
    let Some(host) = host.filter(|host| !host.is_empty()) else {
        return text.to_owned();
    };
    let text = replace_word(text, host, "<host>");
    match host.rsplit_once(':') {
        Some((address, port)) if !address.is_empty() && port.parse::<u16>().is_ok() => {
            replace_word(&text, address, "<host>")
        }
        _ => text,
    }
}

fn replace_word(text: &str, word: &str, with: &str) -> String {
    let inside =
        |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '-');
    let mut replaced = String::with_capacity(text.len());
    let mut from = 0;
    for (start, found) in text.match_indices(word) {
        let end = start + found.len();
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        if inside(before) || inside(after) {
            continue;
        }
        replaced.push_str(&text[from..start]);
        replaced.push_str(with);
        from = end;
    }
    replaced.push_str(&text[from..]);
    replaced
}

#[cfg(test)]
mod tests {
    use phase::event::PhaseName;
    use phase::failure::FailedCommand;

    use super::*;

    fn titles() -> Titles {
        Titles::new(&[PhaseName {
            id: "install-mcr".to_owned(),
            title: "Install MCR".to_owned(),
        }])
    }

    fn failure(host: &str, stderr: Vec<String>) -> Failure {
        let mut failure = Failure::new("cannot install `docker-ee`")
            .on_host(host)
            .in_phase("install-mcr")
            .hint("check that `repos.mirantis.com` is reachable")
            .command(FailedCommand {
                command: "apt-get install docker-ee".to_owned(),
                status: "exit status 100".to_owned(),
                stderr_tail: stderr,
            });
        failure.causes = vec![format!("no answer for {host}")];
        failure
    }

    #[test]
    fn equal_errors_of_many_hosts_are_one() {
        let failures: Vec<Failure> = (1..=37)
            .map(|i| {
                failure(
                    &format!("w{i}"),
                    vec![format!("E: w{i}: \u{1b}[31mno\u{1b}[m")],
                )
            })
            .collect();

        let expected = "\
error: 37 hosts: cannot install `docker-ee`
  hosts: w1, w2, w3, w4, w5 and 32 more
  phase: Install MCR
  cause: no answer for w1
  command: apt-get install docker-ee
  ended with: exit status 100
  stderr of w1:
    | E: w1: no
  hint: check that `repos.mirantis.com` is reachable
";
        assert_eq!(text(&failures, &titles()), expected);
    }

    #[test]
    fn different_errors_stay_apart() {
        let mut other = failure("w2", Vec::new());
        other.causes = vec!["disk full".to_owned()];
        let failures = [failure("w1", Vec::new()), other, failure("w3", Vec::new())];

        let groups = group(&failures);

        let hosts: Vec<_> = groups.iter().map(|group| group.hosts.clone()).collect();
        assert_eq!(hosts, [vec!["w1", "w3"], vec!["w2"]]);
    }

    #[test]
    fn an_address_is_a_name_without_its_port() {
        let refused = |host: &str, text: &str| {
            let mut failure = Failure::new("cannot connect").on_host(host);
            failure.causes = vec![text.to_owned()];
            failure
        };
        let failures = [
            refused("10.0.0.1:22", "10.0.0.1:22 refused 10.0.0.1"),
            refused("10.0.0.10:22", "10.0.0.10:22 refused 10.0.0.10"),
            refused("10.0.0.2:22", "10.0.0.20:22 refused 10.0.0.2"),
        ];

        assert_eq!(group(&failures).len(), 2);
    }

    #[test]
    fn the_last_twenty_lines_of_stderr_are_shown() {
        let stderr = (1..=25).map(|i| format!("line {i}")).collect();
        let failures = [failure("w1", stderr)];

        let text = text(&failures, &titles());

        assert!(!text.contains("| line 5\n"), "{text}");
        assert!(text.contains("  stderr:\n    | line 6\n"), "{text}");
        assert!(text.contains("| line 25\n"), "{text}");
    }
}
