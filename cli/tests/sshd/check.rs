//! `check ssh`: what real servers do wrong, told by class, with what they said and a next move.

use std::io::Read as _;
use std::net::TcpListener;

use serde_json::Value;

use crate::server::{Ran, Server, keygen};

fn check(server: &Server) -> (Ran, Value) {
    let ran = server.launchpad(&["check", "ssh", "--output", "json"]);
    let found = serde_json::from_str(&ran.stdout);
    let Ok(found) = found else {
        panic!("{}{}", ran.stdout, ran.stderr);
    };
    (ran, found)
}

/// Makes sure that both hosts have one finding of a class, with words of the other side and a next
/// move.
fn assert_found(server: &Server, class: &str, words: &str, comes_through: bool) {
    let (ran, found) = check(server);

    assert_eq!(ran.status, Some(i32::from(!comes_through)), "{found:#}");
    let hosts = found["hosts"].as_array().unwrap();
    assert_eq!(hosts.len(), 2, "{found:#}");
    for host in hosts {
        let findings = host["findings"].as_array().unwrap();
        let of_class = findings.iter().find(|one| one["class"] == class);
        let Some(finding) = of_class else {
            panic!("no `{class}`: {host:#}");
        };
        let told = finding.to_string();
        assert!(told.contains(words), "no `{words}`: {finding:#}");
        assert!(
            !finding["hint"].as_str().unwrap_or_default().is_empty(),
            "{finding:#}"
        );
    }
    let table = server.launchpad(&["check", "ssh"]);
    assert_eq!(table.status, ran.status);
    assert!(table.stdout.contains("127.0.0.1"), "{}", table.stdout);
}

#[test]
fn a_good_server() {
    let server = Server::start("");

    let (ran, found) = check(&server);

    assert_eq!(
        (ran.status, ran.stderr.as_str()),
        (Some(0), ""),
        "{found:#}"
    );
    for host in found["hosts"].as_array().unwrap() {
        assert_eq!(host["findings"], serde_json::json!([]), "{host:#}");
        assert_eq!(host["sessions"], 8, "{host:#}");
    }
}

#[test]
fn a_server_that_is_not_there() {
    let mut server = Server::start("");
    server.stop();

    assert_found(&server, "refused", "refused", false);
}

#[test]
fn a_key_that_nobody_has_authorised() {
    let server = Server::start("");
    let stranger = server.home.path().join("stranger");
    keygen(&stranger);
    server.write("authorized", &server.read("stranger.pub"));

    assert_found(&server, "login", "publickey", false);
}

#[test]
fn a_host_key_that_has_changed() {
    let server = Server::start("");
    keygen(&server.home.path().join("other"));
    let other = server.read("other.pub");
    let record = format!("[127.0.0.1]:{} {other}", server.port);
    server.write(".ssh/known_hosts", &record);
    server.write("known", &record);

    assert_found(&server, "host-key-changed", "known", false);
}

#[test]
fn a_login_shell_that_greets() {
    let server = Server::start("ForceCommand echo Welcome; eval \"$SSH_ORIGINAL_COMMAND\"");

    assert_found(&server, "greeting", "Welcome", true);
}

#[test]
fn a_login_shell_that_ends() {
    let server = Server::start("ForceCommand echo 'This account is not available.'; exit 1");

    assert_found(&server, "no-shell", "not available", false);
}

#[test]
fn few_sessions() {
    let server = Server::start("MaxSessions 1");

    assert_found(&server, "max-sessions", "1", true);
}

#[test]
fn no_algorithm_in_common() {
    let server = Server::start("KexAlgorithms diffie-hellman-group14-sha256");
    server.write(".ssh/config", "Host *\n  KexAlgorithms curve25519-sha256\n");
    let text = server.read("launchpad.yaml");
    let (manager_only, rest) = text.split_once("  - role: worker").unwrap();
    let (_, products) = rest.split_once("  mcr:").unwrap();
    server.write("launchpad.yaml", &format!("{manager_only}  mcr:{products}"));

    let (ran, found) = check(&server);

    assert_eq!(ran.status, Some(1), "{found:#}");
    let finding = &found["hosts"][0]["findings"][0];
    assert_eq!(finding["class"], "no-common-algorithm", "{finding:#}");
    let told = finding.to_string();
    assert!(told.contains("curve25519-sha256"), "{told}");
    assert!(told.contains("diffie-hellman-group14-sha256"), "{told}");
}

#[test]
fn a_server_that_hangs_up_before_a_word() {
    let mut server = Server::start("");
    server.stop();
    let listener = TcpListener::bind(("127.0.0.1", server.port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // What the client sends is left unread: it gets a reset.
            drop(stream.unwrap());
        }
    });

    assert_found(&server, "reset", "", false);
}

#[test]
fn a_server_of_something_else() {
    let mut server = Server::start("");
    server.stop();
    let listener = TcpListener::bind(("127.0.0.1", server.port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
        }
    });

    let (ran, found) = check(&server);

    assert_eq!(ran.status, Some(1), "{found:#}");
    for host in found["hosts"].as_array().unwrap() {
        let findings = host["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 1, "{host:#}");
        assert!(findings[0]["hint"].is_string(), "{host:#}");
    }
}
