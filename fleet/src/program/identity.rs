//! Programs about who and where one is: `id`, `whoami`, `hostname`, `uname`, `getent` and their like.

use super::coreutils::Coreutils;
use super::options::{self, Value};
use super::{Invocation, Program};
use crate::accounts;
use crate::files::{Credentials, Files};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "id",
        run: |invocation| Box::pin(async { id(invocation) }),
    },
    Program {
        name: "whoami",
        run: |invocation| {
            Box::pin(async {
                let name = invocation.credentials.user.clone();
                invocation.print(&format!("{name}\n"));
                0
            })
        },
    },
    Program {
        name: "logname",
        run: |invocation| {
            Box::pin(async {
                invocation.error("no login name");
                invocation.coreutils.pick(1, 0)
            })
        },
    },
    Program {
        name: "who",
        run: |_| Box::pin(async { 0 }),
    },
    Program {
        name: "users",
        run: |_| Box::pin(async { 0 }),
    },
    Program {
        name: "groups",
        run: |invocation| Box::pin(async { groups(invocation) }),
    },
    Program {
        name: "hostname",
        run: |invocation| Box::pin(async { hostname(invocation) }),
    },
    Program {
        name: "uname",
        run: |invocation| Box::pin(async { uname(invocation) }),
    },
    Program {
        name: "arch",
        run: |invocation| {
            Box::pin(async {
                let machine = invocation.host(|host| host.hardware.machine.clone());
                invocation.print(&format!("{machine}\n"));
                0
            })
        },
    },
    Program {
        name: "nproc",
        run: |invocation| {
            Box::pin(async {
                let count = invocation.host(|host| host.hardware.processors);
                invocation.print(&format!("{count}\n"));
                0
            })
        },
    },
    Program {
        name: "getent",
        run: |invocation| Box::pin(async { getent(invocation) }),
    },
];

fn group_name(files: &Files, gid: u32) -> String {
    let found = accounts::groups(files)
        .into_iter()
        .find(|group| group.gid == gid);
    found.map_or_else(|| gid.to_string(), |group| group.name)
}

fn credentials_of(invocation: &mut Invocation, name: Option<&String>) -> Option<Credentials> {
    let Some(name) = name else {
        return Some(invocation.credentials.clone());
    };
    let found = invocation.host(|host| {
        let by_number = accounts::accounts(&host.files)
            .into_iter()
            .find(|one| one.uid.to_string() == *name);
        accounts::credentials(&host.files, &by_number.map_or(name.clone(), |one| one.name))
    });
    if found.is_none() {
        invocation.error(&format!("'{name}': no such user"));
    }
    found
}

fn id(invocation: &mut Invocation) -> u8 {
    let long = [
        ("user", 'u', Value::None),
        ("group", 'g', Value::None),
        ("groups", 'G', Value::None),
        ("name", 'n', Value::None),
        ("real", 'r', Value::None),
    ];
    let options = match options::read(invocation, "ugGnr", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut status = 0;
    let mut wanted: Vec<Option<&String>> = options.operands.iter().map(Some).collect();
    if wanted.is_empty() {
        wanted.push(None);
    }
    for name in wanted {
        match credentials_of(invocation, name) {
            Some(who) => print_id(invocation, &options, &who),
            None => status = 1,
        }
    }
    status
}

fn print_id(invocation: &mut Invocation, options: &options::Options, who: &Credentials) {
    let text = invocation.host(|host| {
        let name = |gid: &u32| group_name(&host.files, *gid);
        let has_name = options.has('n');
        let shown = |gid: &u32| if has_name { name(gid) } else { gid.to_string() };
        if options.has('u') {
            return if has_name {
                who.user.clone()
            } else {
                who.uid.to_string()
            };
        }
        if options.has('g') {
            return shown(&who.gid);
        }
        if options.has('G') {
            return who.groups.iter().map(shown).collect::<Vec<_>>().join(" ");
        }
        let groups: Vec<String> = who
            .groups
            .iter()
            .map(|gid| format!("{gid}({})", name(gid)))
            .collect();
        format!(
            "uid={}({}) gid={}({}) groups={}",
            who.uid,
            who.user,
            who.gid,
            name(&who.gid),
            groups.join(",")
        )
    });
    invocation.print(&format!("{text}\n"));
}

fn groups(invocation: &mut Invocation) -> u8 {
    let name = invocation.arguments.first().cloned();
    let Some(who) = credentials_of(invocation, name.as_ref()) else {
        return 1;
    };
    let names = invocation.host(|host| {
        who.groups
            .iter()
            .map(|gid| group_name(&host.files, *gid))
            .collect::<Vec<_>>()
    });
    let prefix = name.map(|name| format!("{name} : ")).unwrap_or_default();
    invocation.print(&format!("{prefix}{}\n", names.join(" ")));
    0
}

fn hostname(invocation: &mut Invocation) -> u8 {
    let long = [
        ("fqdn", 'f', Value::None),
        ("long", 'f', Value::None),
        ("short", 's', Value::None),
        ("all-ip-addresses", 'I', Value::None),
        ("ip-address", 'i', Value::None),
        ("domain", 'd', Value::None),
    ];
    let options = match options::read(invocation, "fsIid", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let name = invocation.host(|host| host.host_name().to_owned());
    if let Some(new) = options.operands.first() {
        if invocation.credentials.uid != 0 {
            invocation.error("you must be root to change the host name");
            return 1;
        }
        let new = new.clone();
        invocation.host(|host| host.hardware.host_name = new);
        return 0;
    }
    let hosts = invocation
        .host(|host| host.files.text("/etc/hosts"))
        .unwrap_or_default();
    let line = hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .find(|line| line.split_whitespace().skip(1).any(|word| word == name));
    let full = match name.contains('.') {
        true => name.clone(),
        false => line
            .and_then(|line| line.split_whitespace().nth(1))
            .unwrap_or(&name)
            .to_owned(),
    };
    let text = if options.has('I') {
        let all = invocation.host(|host| {
            let addresses = host.interfaces.iter().flat_map(|one| &one.addresses);
            addresses
                .map(|(address, _)| *address)
                .filter(|address| !address.is_loopback())
                .map(|address| format!("{address} "))
                .collect::<String>()
        });
        format!("{all}\n")
    } else if options.has('i') {
        return invocation.not_simulated("the option -i");
    } else if options.has('f') {
        format!("{full}\n")
    } else if options.has('d') {
        format!(
            "{}\n",
            full.split_once('.').map_or("", |(_, domain)| domain)
        )
    } else if options.has('s') {
        format!("{}\n", name.split('.').next().unwrap_or_default())
    } else {
        format!("{name}\n")
    };
    invocation.print(&text);
    0
}

fn uname(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "asnrvmpio", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let asks_more = options.has('p') || options.has('i');
    if asks_more && invocation.coreutils == Coreutils::Gnu {
        return invocation.not_simulated("one of the options -p, -i");
    }
    let (name, hardware) =
        invocation.host(|host| (host.host_name().to_owned(), host.hardware.clone()));
    let all = [
        ('s', "Linux"),
        ('n', name.as_str()),
        ('r', hardware.kernel.release.as_str()),
        ('v', hardware.kernel.build.as_str()),
        ('m', hardware.machine.as_str()),
        ('p', "unknown"),
        ('i', "unknown"),
        ('o', "GNU/Linux"),
    ];
    let wants = |flag: char| {
        let is_of_all = options.has('a') && !matches!(flag, 'p' | 'i');
        options.has(flag) || is_of_all || (options.flags.is_empty() && flag == 's')
    };
    let words: Vec<&str> = all
        .into_iter()
        .filter(|(flag, _)| wants(*flag))
        .map(|(_, word)| word)
        .collect();
    invocation.print(&format!("{}\n", words.join(" ")));
    0
}

fn getent(invocation: &mut Invocation) -> u8 {
    let words = invocation.arguments.clone();
    let Some((database, keys)) = words.split_first() else {
        return invocation.not_simulated("a call without a database");
    };
    let file = match database.as_str() {
        "passwd" | "group" => format!("/etc/{database}"),
        "hosts" | "ahosts" | "ahostsv4" => return hosts(invocation, database, keys),
        other => return invocation.not_simulated(&format!("the database {other}")),
    };
    let text = invocation
        .host(|host| host.files.text(&file))
        .unwrap_or_default();
    if keys.is_empty() {
        invocation.print(&text);
        return 0;
    }
    let mut status = 0;
    for key in keys {
        let found = text.lines().find(|line| {
            let mut fields = line.split(':');
            fields.next() == Some(key) || fields.nth(1) == Some(key)
        });
        match found {
            Some(line) => invocation.print(&format!("{line}\n")),
            None => status = 2,
        }
    }
    status
}

fn hosts(invocation: &mut Invocation, database: &str, keys: &[String]) -> u8 {
    let mut status = 0;
    for key in keys {
        let text = invocation
            .host(|host| host.files.text("/etc/hosts"))
            .unwrap_or_default();
        let lines = text.lines().map(|line| {
            line.split('#')
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        let found: Vec<Vec<String>> = lines
            .filter(|words| words.len() > 1 && words.contains(key))
            .collect();
        let row = match found
            .iter()
            .find(|words| words[0].contains('.'))
            .or(found.first())
        {
            // The names of an address stand on its own line.
            Some(words) if key == "localhost" => {
                let six = found
                    .iter()
                    .find(|words| words[0] == "::1")
                    .unwrap_or(words);
                Some((six[0].clone(), six[1..].to_vec()))
            }
            Some(words) => Some((words[0].clone(), words[1..].to_vec())),
            None => {
                let from = invocation.host;
                let address = invocation.world(|world| world.resolve(from, key));
                address.map(|address| (address.to_string(), vec![key.clone()]))
            }
        };
        match row {
            None => status = 2,
            Some((address, names)) if database == "hosts" => {
                invocation.print(&format!("{address:<15} {}\n", names.join(" ")));
            }
            Some((address, names)) => {
                for (kind, name) in [("STREAM", names[0].as_str()), ("DGRAM", ""), ("RAW", "")] {
                    invocation.print(&format!("{address:<15} {kind:<6} {name}\n"));
                }
            }
        }
    }
    status
}
