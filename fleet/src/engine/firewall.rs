//! The rules of the firewall of a host, as `iptables-save` writes them, without its comments: what
//! engines of version 20.10 add to them (recorded on the lab).

use crate::host::Host;

/// The name service of the engine that a host is a container of.
const OUTSIDE: &str = "-A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT
-A POSTROUTING -d 127.0.0.11/32 -j DOCKER_POSTROUTING
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p tcp -m tcp --dport 53 -j DNAT --to-destination \
127.0.0.11:43607
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination \
127.0.0.11:48920
-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p tcp -m tcp --sport 43607 -j SNAT --to-source :53
-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p udp -m udp --sport 48920 -j SNAT --to-source :53
";

/// Returns the rules of a host without an engine.
pub(crate) fn of_host(host: &Host) -> String {
    if !host.is_container {
        return String::new();
    }
    format!(
        "{}:DOCKER_OUTPUT - [0:0]\n:DOCKER_POSTROUTING - [0:0]\n{OUTSIDE}COMMIT\n",
        chains("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
    )
}

/// Returns the rules of a host whose engine has these bridges: names and their networks.
pub(crate) fn of_engine(host: &Host, bridges: &[(&str, &str)]) -> String {
    let mut filter = chains("filter", &["INPUT", "FORWARD", "OUTPUT"]);
    for chain in [
        "DOCKER",
        "DOCKER-ISOLATION-STAGE-1",
        "DOCKER-ISOLATION-STAGE-2",
        "DOCKER-USER",
    ] {
        filter.push_str(&format!(":{chain} - [0:0]\n"));
    }
    filter.push_str("-A FORWARD -j DOCKER-USER\n-A FORWARD -j DOCKER-ISOLATION-STAGE-1\n");
    let (mut first, mut second) = (String::new(), String::new());
    let mut nat = chains("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]);
    nat.push_str(":DOCKER - [0:0]\n");
    if host.is_container {
        nat.push_str(":DOCKER_OUTPUT - [0:0]\n:DOCKER_POSTROUTING - [0:0]\n");
    }
    nat.push_str(
        "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n-A OUTPUT ! -d 127.0.0.0/8 -m \
         addrtype --dst-type LOCAL -j DOCKER\n",
    );
    for (name, subnet) in bridges {
        filter.push_str(&format!(
            "-A FORWARD -o {name} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
             -A FORWARD -o {name} -j DOCKER\n-A FORWARD -i {name} ! -o {name} -j ACCEPT\n\
             -A FORWARD -i {name} -o {name} -j ACCEPT\n"
        ));
        first.push_str(&format!(
            "-A DOCKER-ISOLATION-STAGE-1 -i {name} ! -o {name} -j DOCKER-ISOLATION-STAGE-2\n"
        ));
        second.push_str(&format!("-A DOCKER-ISOLATION-STAGE-2 -o {name} -j DROP\n"));
        nat.push_str(&format!(
            "-A POSTROUTING -s {subnet} ! -o {name} -j MASQUERADE\n-A DOCKER -i {name} -j RETURN\n"
        ));
    }
    if host.is_container {
        nat.push_str(OUTSIDE);
    }
    format!(
        "{filter}{first}-A DOCKER-ISOLATION-STAGE-1 -j RETURN\n{second}-A \
         DOCKER-ISOLATION-STAGE-2 -j RETURN\n-A DOCKER-USER -j RETURN\nCOMMIT\n{nat}COMMIT\n"
    )
}

fn chains(table: &str, names: &[&str]) -> String {
    let lines = names.iter().map(|name| format!(":{name} ACCEPT [0:0]\n"));
    format!("*{table}\n{}", lines.collect::<String>())
}
