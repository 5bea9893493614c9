//! First configurations load, and what is still to be done in them is told.

use config::{Role, Starter, parse_hosts, parse_inventory};
use jsonschema::Validator;

use crate::fake::{Machine, document, told};

#[expect(clippy::unwrap_used, reason = "a test ends here, with the whole story")]
fn starter(hosts: &str) -> Starter {
    Starter {
        hosts: parse_hosts(hosts).unwrap(),
        ..Starter::default()
    }
}

/// Loads a first configuration, and returns its messages.
#[expect(clippy::unwrap_used, reason = "a test ends here, with the whole story")]
fn warnings(starter: &Starter) -> Vec<String> {
    let text = starter.to_yaml().unwrap();
    let machine = Machine::default().var("MKE_ADMIN_PASSWORD", "x");
    let loaded = machine.load(&text).unwrap();
    assert_eq!(loaded.config.managers().count() % 2, 1, "{text}");
    loaded.warnings.into_iter().map(|one| one.message).collect()
}

const ADMIN: &str =
    "to do: set the administrator: remove the `#` of both lines, and export the variable";
const BALANCER: &str =
    "to do: add the name of the load balancer in front of the managers, if there is one";

#[test]
fn what_is_known_is_written_and_nothing_is_left() {
    let starter = Starter {
        name: Some("prod: east".to_owned()),
        ..starter("10.0.0.1")
    };
    let text = starter.to_yaml().unwrap();
    assert!(
        Machine::default().load(&text).is_err(),
        "a colon names no directory\n{text}"
    );

    let whole = Starter {
        name: Some("prod-east".to_owned()),
        user: Some("ops".to_owned()),
        key: Some("~/.ssh/id_ed25519".to_owned()),
        has_password: true,
        ..starter
    };

    assert_eq!(warnings(&whole), [""; 0]);
    let text = whole.to_yaml().unwrap();
    let config = Machine::default()
        .var("MKE_ADMIN_PASSWORD", "x")
        .config(&text);
    assert_eq!(config.name, "prod-east");
    assert_eq!(config.mcr.channel, "stable-25.0");
    assert_eq!(config.mke.install_flags.values("--san"), ["10.0.0.1"]);
    assert_eq!(config.mke.admin_username.as_deref(), Some("admin"));
}

#[test]
fn what_is_not_known_is_to_be_done() {
    assert_eq!(
        warnings(&Starter::default()),
        [
            "to do: put the addresses of your hosts here, with an odd number of managers",
            ADMIN,
        ]
    );
    assert_eq!(
        warnings(&starter("10.0.0.1-10.0.0.3")),
        [
            "to do: say who logs in with `user`, where that is neither root nor in your ssh_config",
            ADMIN,
            BALANCER,
        ]
    );
    let unknown = Starter {
        mke_version: Some("4.0.1".to_owned()),
        user: Some("ops".to_owned()),
        ..starter("10.0.0.1")
    };
    assert_eq!(
        warnings(&unknown),
        [
            "to do: name the channel that fits MKE 4.0.1, as in `stable-25.0`",
            "the channel `stable` names no version: hosts that come later get another engine",
            ADMIN,
        ]
    );
}

#[test]
fn hosts_of_an_inventory_keep_what_it_says() {
    let text = "[managers]\nm1 ansible_host=10.0.0.1 ansible_user=ops\nm2 ansible_host=10.0.0.2\n\
                [msr]\nr1 ansible_host=10.0.0.9 ansible_port=2222\n";
    let starter = Starter {
        hosts: parse_inventory(text).unwrap(),
        user: Some("root".to_owned()),
        ..Starter::default()
    };

    let config = Machine::default().config(&starter.to_yaml().unwrap());

    let roles: Vec<Role> = config.hosts.iter().map(|host| host.role).collect();
    assert_eq!(roles, [Role::Manager, Role::Worker, Role::Msr]);
    assert_eq!(config.hosts[2].connection.port(), Some(2222));
    assert_eq!(config.kind, "mke+msr");
    assert!(config.msr.is_some());
}

#[test]
fn first_configurations_fit_the_schema_that_they_name() {
    let schema: serde_json::Value = serde_json::from_str(&config::json_schema()).unwrap();
    let validator: Validator = jsonschema::draft202012::new(&schema).unwrap();
    for hosts in ["", "10.0.0.1", "n[1-9]", "fd00::1-fd00::3"] {
        for msr_hosts in [0, 1] {
            if hosts == "10.0.0.1" && msr_hosts == 1 {
                continue;
            }
            let starter = Starter {
                msr_hosts,
                user: Some("on".to_owned()),
                ..starter(hosts)
            };
            let text = starter.to_yaml().unwrap();

            let config = Machine::default().config(&text);

            // The configuration as it is used, which has every value with its type.
            let shown = config.to_yaml(config::Secrets::Shown);
            assert!(text.starts_with(&format!(
                "# yaml-language-server: $schema={}\n",
                config::SCHEMA_URL
            )));
            assert!(shown.contains("user: \"on\""), "{shown}");
            let json = as_json(&text);
            let errors: Vec<String> = validator
                .iter_errors(&json)
                .map(|error| error.to_string())
                .collect();
            assert_eq!(errors, [""; 0], "{text}");
        }
    }
}

/// Reads what `init` writes: two spaces a level, a key or an item on a line.
fn as_json(text: &str) -> serde_json::Value {
    let lines: Vec<(usize, &str)> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .map(|line| (line.len() - line.trim_start().len(), line.trim_start()))
        .collect();
    block(&lines, &mut 0, 0)
}

fn block(lines: &[(usize, &str)], at: &mut usize, indent: usize) -> serde_json::Value {
    let (mut list, mut map) = (Vec::new(), serde_json::Map::new());
    while let Some((depth, line)) = lines
        .get(*at)
        .copied()
        .filter(|(depth, _)| *depth >= indent)
    {
        *at += 1;
        if let Some(item) = line.strip_prefix("- ") {
            if let Some((key, value)) = item.split_once(": ") {
                let mut first = serde_json::Map::new();
                first.insert(key.to_owned(), scalar(value));
                if let serde_json::Value::Object(rest) = block(lines, at, depth + 2) {
                    first.extend(rest);
                }
                list.push(first.into());
            } else {
                list.push(scalar(item));
            }
        } else if let Some((key, value)) = line.split_once(": ") {
            map.insert(key.to_owned(), scalar(value));
        } else {
            let key = line.trim_end_matches(':').to_owned();
            map.insert(key, block(lines, at, depth + 2));
        }
    }
    if list.is_empty() {
        map.into()
    } else {
        list.into()
    }
}

fn scalar(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

#[test]
fn a_comment_that_says_what_is_to_be_done_is_a_warning_with_its_line() {
    let text = document("# TODO: the address\n", "", "", "")
        + "# TODO\n# todo: not this\n# TODOS neither\n# a TODO: nor this\n# TODO: password=hunter2\n";

    let loaded = Machine::default().load(&text).unwrap();

    assert_eq!(
        told(&loaded.warnings.into()),
        [
            "9: to do: the address | - | do it, and remove the comment",
            "14: something is still to be done here | - | do it, and remove the comment",
            "18: something is still to be done here | - | do it, and remove the comment",
        ]
    );
    let block = document("", "", "configData: |\n  # TODO: no comment", "");
    assert!(Machine::default().load(&block).unwrap().warnings.is_empty());
}
