//! Users and groups: `/etc/passwd` and `/etc/group` of the file tree are the truth.

use crate::files::{Credentials, Files};

/// A line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub name: String,
    /// The id of the user.
    pub uid: u32,
    /// The id of the first group.
    pub gid: u32,
    /// The full name and what else is there.
    pub comment: String,
    /// The home directory.
    pub home: String,
    /// The login shell.
    pub shell: String,
}

/// A line of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: String,
    /// The id.
    pub gid: u32,
    /// The names of its members, but for those whose first group it is.
    pub members: Vec<String>,
}

/// Returns all accounts, in the order of the file.
pub fn accounts(files: &Files) -> Vec<Account> {
    let text = files.text("/etc/passwd").unwrap_or_default();
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, comment, home, shell] = fields[..] else {
            return None;
        };
        Some(Account {
            name: name.to_owned(),
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            comment: comment.to_owned(),
            home: home.to_owned(),
            shell: shell.to_owned(),
        })
    };
    text.lines().filter_map(parse).collect()
}

/// Returns all groups, in the order of the file.
pub fn groups(files: &Files) -> Vec<Group> {
    let text = files.text("/etc/group").unwrap_or_default();
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, gid, members] = fields[..] else {
            return None;
        };
        let members = members.split(',').filter(|name| !name.is_empty());
        Some(Group {
            name: name.to_owned(),
            gid: gid.parse().ok()?,
            members: members.map(str::to_owned).collect(),
        })
    };
    text.lines().filter_map(parse).collect()
}

/// Returns the account with a name.
pub fn account(files: &Files, name: &str) -> Option<Account> {
    accounts(files).into_iter().find(|one| one.name == name)
}

/// Returns the group with a name.
pub fn group(files: &Files, name: &str) -> Option<Group> {
    groups(files).into_iter().find(|one| one.name == name)
}

/// Returns what the processes of a user run with.
pub fn credentials(files: &Files, name: &str) -> Option<Credentials> {
    let account = account(files, name)?;
    let further = groups(files)
        .into_iter()
        .filter(|group| group.members.iter().any(|member| member == name))
        .map(|group| group.gid)
        .filter(|gid| *gid != account.gid);
    Some(Credentials {
        user: account.name,
        uid: account.uid,
        gid: account.gid,
        groups: std::iter::once(account.gid).chain(further).collect(),
    })
}

/// Returns the variables that `/etc/environment` gives to every login, as `pam_env(8)` reads it.
pub(crate) fn environment(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.filter_map(|line| {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=')?;
        let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
        let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
        Some((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}
