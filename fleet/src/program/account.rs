//! Programs that change users and groups: `useradd`, `usermod`, `userdel`, `groupadd`, `groupdel`,
//! `gpasswd`, `chpasswd`, `su`.

use super::launch::Launch;
use super::options::{self, Value};
use super::{Invocation, Program};
use crate::accounts;
use crate::files::{Credentials, Follow};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "useradd",
        run: |invocation| Box::pin(async { useradd(invocation) }),
    },
    Program {
        name: "usermod",
        run: |invocation| Box::pin(async { usermod(invocation) }),
    },
    Program {
        name: "userdel",
        run: |invocation| Box::pin(async { userdel(invocation) }),
    },
    Program {
        name: "groupadd",
        run: |invocation| Box::pin(async { groupadd(invocation) }),
    },
    Program {
        name: "groupdel",
        run: |invocation| Box::pin(async { groupdel(invocation) }),
    },
    Program {
        name: "gpasswd",
        run: |invocation| Box::pin(async { gpasswd(invocation) }),
    },
    Program {
        name: "chpasswd",
        run: |invocation| Box::pin(chpasswd(invocation)),
    },
    Program {
        name: "su",
        run: |invocation| Box::pin(su(invocation)),
    },
];

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

fn text(invocation: &Invocation, path: &str) -> String {
    invocation
        .host(|host| host.files.text(path))
        .unwrap_or_default()
}

/// Writes a file of accounts; complains as these programs do where that may not be.
fn write(invocation: &mut Invocation, path: &str, text: String) -> Result<(), u8> {
    let written = invocation.files(|files, who, now| files.write(path, text, 0o644, who, now));
    written.map_err(|errno| {
        invocation.error(&format!("{errno}."));
        invocation.error(&format!("cannot lock {path}; try again later."));
        1
    })
}

/// Returns the next free id.
fn free_id(used: impl Iterator<Item = u32>, is_system: bool) -> u32 {
    let used: std::collections::BTreeSet<u32> = used.collect();
    let mut range = if is_system {
        (100..=999).rev().collect::<Vec<_>>()
    } else {
        (1000..60_000).collect()
    };
    range.retain(|id| !used.contains(id));
    range.first().copied().unwrap_or(60_000)
}

fn add_group(
    invocation: &mut Invocation,
    name: &str,
    wanted: Option<u32>,
    is_system: bool,
) -> Result<u32, u8> {
    let groups = invocation.host(|host| accounts::groups(&host.files));
    let gid = wanted.unwrap_or_else(|| free_id(groups.iter().map(|group| group.gid), is_system));
    let all = format!("{}{name}:x:{gid}:\n", text(invocation, GROUP));
    write(invocation, GROUP, all).map(|()| gid)
}

fn groupadd(invocation: &mut Invocation) -> u8 {
    let long = [
        ("system", 'r', Value::None),
        ("force", 'f', Value::None),
        ("gid", 'g', Value::Needed),
    ];
    let options = match options::read(invocation, "rfg:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(name) = options.operands.first() else {
        return invocation.not_simulated("a call without a name");
    };
    if invocation
        .host(|host| accounts::group(&host.files, name))
        .is_some()
    {
        if options.has('f') {
            return 0;
        }
        invocation.error(&format!("group '{name}' already exists"));
        return 9;
    }
    let gid = options.value('g').and_then(|text| text.parse().ok());
    add_group(invocation, name, gid, options.has('r'))
        .err()
        .unwrap_or(0)
}

fn groupdel(invocation: &mut Invocation) -> u8 {
    let Some(name) = invocation.arguments.first().cloned() else {
        return invocation.not_simulated("a call without a name");
    };
    if invocation
        .host(|host| accounts::group(&host.files, &name))
        .is_none()
    {
        invocation.error(&format!("group '{name}' does not exist"));
        return 6;
    }
    let kept = without(&text(invocation, GROUP), &name);
    write(invocation, GROUP, kept).err().unwrap_or(0)
}

/// Returns a text without the line of a name.
fn without(text: &str, name: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| line.split(':').next() != Some(name));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Changes the members of groups.
fn change_members(
    invocation: &mut Invocation,
    change: impl Fn(&str, &mut Vec<String>),
) -> Result<(), u8> {
    let lines = text(invocation, GROUP);
    let changed: String = lines
        .lines()
        .map(|line| {
            let mut fields: Vec<&str> = line.split(':').collect();
            let members = fields.get(3).copied().unwrap_or_default();
            let mut members: Vec<String> = members
                .split(',')
                .filter(|one| !one.is_empty())
                .map(str::to_owned)
                .collect();
            change(fields.first().copied().unwrap_or_default(), &mut members);
            let joined = members.join(",");
            if let Some(last) = fields.get_mut(3) {
                *last = &joined;
            }
            format!("{}\n", fields.join(":"))
        })
        .collect();
    write(invocation, GROUP, changed)
}

fn check_groups(invocation: &mut Invocation, names: &str) -> Result<Vec<String>, u8> {
    let mut all = Vec::new();
    for name in names.split(',') {
        let found = invocation.host(|host| accounts::group(&host.files, name));
        if found.is_none() {
            invocation.error(&format!("group '{name}' does not exist"));
            return Err(6);
        }
        all.push(name.to_owned());
    }
    Ok(all)
}

fn useradd(invocation: &mut Invocation) -> u8 {
    let long = [
        ("system", 'r', Value::None),
        ("create-home", 'm', Value::None),
        ("no-create-home", 'M', Value::None),
        ("shell", 's', Value::Needed),
        ("home-dir", 'd', Value::Needed),
        ("gid", 'g', Value::Needed),
        ("groups", 'G', Value::Needed),
        ("uid", 'u', Value::Needed),
        ("comment", 'c', Value::Needed),
        ("user-group", 'U', Value::None),
    ];
    let options = match options::read(invocation, "rmMs:d:g:G:u:c:U", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(name) = options.operands.first().cloned() else {
        return invocation.not_simulated("a call without a name");
    };
    let (account, used) = invocation.host(|host| {
        let used: Vec<u32> = accounts::accounts(&host.files)
            .iter()
            .map(|one| one.uid)
            .collect();
        (accounts::account(&host.files, &name), used)
    });
    if account.is_some() {
        invocation.error(&format!("user '{name}' already exists"));
        return 9;
    }
    let further = match options
        .value('G')
        .map(|names| check_groups(invocation, names))
    {
        Some(Ok(names)) => names,
        Some(Err(status)) => return status,
        None => Vec::new(),
    };
    let is_system = options.has('r');
    let uid: Option<u32> = options.value('u').and_then(|text| text.parse().ok());
    if let Some(uid) = uid.filter(|uid| used.contains(uid)) {
        invocation.error(&format!("UID {uid} is not unique"));
        return 4;
    }
    let uid = uid.unwrap_or_else(|| free_id(used.into_iter(), is_system));
    let gid = match options.value('g') {
        Some(group) => {
            let found = invocation
                .host(|host| accounts::group(&host.files, group))
                .map(|group| group.gid);
            match found.or(group.parse().ok()) {
                Some(gid) => Ok(gid),
                None => {
                    let text = format!("group '{group}' does not exist");
                    invocation.error(&text);
                    Err(6)
                }
            }
        }
        None => add_group(invocation, &name, None, is_system),
    };
    let gid = match gid {
        Ok(gid) => gid,
        Err(status) => return status,
    };
    let home = options
        .value('d')
        .map_or_else(|| format!("/home/{name}"), str::to_owned);
    let shell = options.value('s').unwrap_or("/bin/sh");
    let line = format!(
        "{name}:x:{uid}:{gid}:{}:{home}:{shell}\n",
        options.value('c').unwrap_or_default()
    );
    let all = text(invocation, PASSWD) + &line;
    if let Err(status) = write(invocation, PASSWD, all) {
        return status;
    }
    let added = change_members(invocation, |group, members| {
        if further.iter().any(|one| one == group) {
            members.push(name.clone());
        }
    });
    if let Err(status) = added {
        return status;
    }
    if options.has('m') {
        let made = invocation.files(|files, who, now| {
            files.make_dirs(&home, 0o755, who, now)?;
            for name in files.list("/etc/skel", who).unwrap_or_default() {
                let content = files.read(&format!("/etc/skel/{name}"), who)?;
                let path = format!("{home}/{name}");
                files.write(&path, content, 0o644, who, now)?;
                files.set_owner(&path, Some(uid), Some(gid), Follow::Yes, who)?;
            }
            files.set_owner(&home, Some(uid), Some(gid), Follow::Yes, who)
        });
        if let Err(errno) = made {
            invocation.error(&format!("cannot create directory {home}: {errno}"));
            return 12;
        }
    }
    0
}

fn usermod(invocation: &mut Invocation) -> u8 {
    let long = [
        ("append", 'a', Value::None),
        ("groups", 'G', Value::Needed),
        ("shell", 's', Value::Needed),
    ];
    let options = match options::read(invocation, "aG:s:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(name) = options.operands.first().cloned() else {
        return invocation.not_simulated("a call without a name");
    };
    if invocation
        .host(|host| accounts::account(&host.files, &name))
        .is_none()
    {
        invocation.error(&format!("user '{name}' does not exist"));
        return 6;
    }
    if let Some(shell) = options.value('s') {
        let lines = text(invocation, PASSWD);
        let change = |line: &str| match line.rsplit_once(':') {
            Some((rest, _)) if line.split(':').next() == Some(&name) => format!("{rest}:{shell}\n"),
            _ => format!("{line}\n"),
        };
        let changed: String = lines.lines().map(change).collect();
        if let Err(status) = write(invocation, PASSWD, changed) {
            return status;
        }
    }
    let Some(names) = options.value('G') else {
        return 0;
    };
    let names = match check_groups(invocation, names) {
        Ok(names) => names,
        Err(status) => return status,
    };
    let appends = options.has('a');
    let changed = change_members(invocation, |group, members| {
        let is_wanted = names.iter().any(|one| one == group);
        let is_in = members.contains(&name);
        if is_wanted && !is_in {
            members.push(name.clone());
        } else if !is_wanted && is_in && !appends {
            members.retain(|one| *one != name);
        }
    });
    changed.err().unwrap_or(0)
}

fn userdel(invocation: &mut Invocation) -> u8 {
    let long = [("remove", 'r', Value::None), ("force", 'f', Value::None)];
    let options = match options::read(invocation, "rf", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(name) = options.operands.first().cloned() else {
        return invocation.not_simulated("a call without a name");
    };
    let Some(account) = invocation.host(|host| accounts::account(&host.files, &name)) else {
        invocation.error(&format!("user '{name}' does not exist"));
        return 6;
    };
    let kept = without(&text(invocation, PASSWD), &name);
    if let Err(status) = write(invocation, PASSWD, kept) {
        return status;
    }
    let changed = change_members(invocation, |_, members| members.retain(|one| *one != name));
    if let Err(status) = changed {
        return status;
    }
    let groups = without(&text(invocation, GROUP), &name);
    if let Err(status) = write(invocation, GROUP, groups) {
        return status;
    }
    let spool = format!("/var/mail/{name}");
    if options.has('r') && !invocation.host(|host| host.files.exists(&spool)) {
        invocation.error(&format!("{name} mail spool ({spool}) not found"));
    }
    if options.has('r') {
        let removed =
            invocation.files(|files, who, now| files.remove_tree(&account.home, who, now));
        if removed.is_err() {
            invocation.error(&format!(
                "{name} home directory ({}) not found",
                account.home
            ));
            return 12;
        }
    }
    0
}

fn gpasswd(invocation: &mut Invocation) -> u8 {
    let long = [("add", 'a', Value::Needed), ("delete", 'd', Value::Needed)];
    let options = match options::read(invocation, "a:d:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(group) = options.operands.first().cloned() else {
        return invocation.not_simulated("a call without a group");
    };
    if invocation
        .host(|host| accounts::group(&host.files, &group))
        .is_none()
    {
        invocation.error(&format!("group '{group}' does not exist in {GROUP}"));
        return 3;
    }
    let (user, adds) = match (options.value('a'), options.value('d')) {
        (Some(user), None) => (user.to_owned(), true),
        (None, Some(user)) => (user.to_owned(), false),
        _ => return invocation.not_simulated("such a call"),
    };
    let changed = change_members(invocation, |name, members| {
        if name != group {
            return;
        }
        members.retain(|one| *one != user);
        if adds {
            members.push(user.clone());
        }
    });
    if changed.is_ok() {
        let (verb, word) = if adds {
            ("Adding", "to")
        } else {
            ("Removing", "from")
        };
        invocation.print(&format!("{verb} user {user} {word} group {group}\n"));
    }
    changed.err().unwrap_or(0)
}

async fn chpasswd(invocation: &mut Invocation) -> u8 {
    let input = invocation.read_input().await;
    for line in String::from_utf8_lossy(&input).lines() {
        let name = line.split(':').next().unwrap_or_default().to_owned();
        // What is kept is that there is a password, not which.
        keep_password(invocation, &name);
        if invocation
            .host(|host| accounts::account(&host.files, &name))
            .is_none()
        {
            invocation.error(&format!("(user {name}) pam_chauthtok() failed, error:"));
            invocation.complain("Authentication token manipulation error");
            return 1;
        }
    }
    0
}

fn keep_password(invocation: &mut Invocation, name: &str) {
    const SHADOW: &str = "/etc/shadow";
    let old = text(invocation, SHADOW);
    let kept = without(&old, name);
    let new = format!("{kept}{name}:$y$j9T$simulated:20000:0:99999:7:::\n");
    let written = invocation.files(|files, who, now| files.write(SHADOW, new, 0o640, who, now));
    if let Err(errno) = written {
        invocation.error(&format!("cannot open {SHADOW}: {errno}"));
    }
}

async fn su(invocation: &mut Invocation) -> u8 {
    let long = [
        ("command", 'c', Value::Needed),
        ("login", 'l', Value::None),
        ("shell", 's', Value::Needed),
    ];
    let mut words = invocation.arguments.clone();
    let is_login = words.iter().any(|word| word == "-");
    words.retain(|word| word != "-");
    invocation.arguments = words;
    let options = match options::read(invocation, "c:ls:mp", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let name = options
        .operands
        .first()
        .cloned()
        .unwrap_or_else(|| "root".to_owned());
    let found = invocation.host(|host| {
        let account = accounts::account(&host.files, &name)?;
        Some((account, accounts::credentials(&host.files, &name)?))
    });
    let Some((account, credentials)) = found else {
        invocation.error(&format!(
            "user {name} does not exist or the user entry does not contain all the required fields"
        ));
        return 1;
    };
    if invocation.credentials.uid != 0 {
        invocation.complain("Password: ");
        invocation.error("Authentication failure");
        return 1;
    }
    let is_login = is_login || options.has('l');
    let shell = options
        .value('s')
        .map_or(account.shell.clone(), str::to_owned);
    let base = shell.rsplit('/').next().unwrap_or("sh").to_owned();
    let mut words = vec![if is_login { format!("-{base}") } else { base }];
    if let Some(command) = options.value('c') {
        words.extend(["-c".to_owned(), command.to_owned()]);
    }
    words.extend(options.operands.iter().skip(1).cloned());
    let launch = invocation.launch(vec![shell.clone()]);
    let Ok(launch) = launch else {
        invocation.error(&format!(
            "failed to execute {shell}: No such file or directory"
        ));
        return 127;
    };
    let launch = Launch {
        arguments: words,
        ..launch
    };
    let launch = as_user(launch, &account, credentials, is_login);
    invocation.become_program(launch).await
}

/// Makes a program that of another user.
fn as_user(
    mut launch: Launch,
    account: &accounts::Account,
    credentials: Credentials,
    is_login: bool,
) -> Launch {
    if is_login {
        launch.environment.clear();
        launch
            .environment
            .insert("PATH".to_owned(), super::launch::DEFAULT_PATH.to_owned());
        launch.directory.clone_from(&account.home);
    }
    for (name, value) in [
        ("HOME", &account.home),
        ("SHELL", &account.shell),
        ("USER", &account.name),
        ("LOGNAME", &account.name),
    ] {
        launch.environment.insert(name, value.as_str());
    }
    launch.credentials = credentials;
    launch
}
