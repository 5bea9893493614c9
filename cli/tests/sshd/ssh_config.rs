//! ssh_config of whoever runs launchpad, with a real `ssh` beside it.

use crate::server::Server;

#[test]
fn match_exec_counts_only_where_it_is_allowed() {
    let server = Server::start("");
    // The port is right only where the program was run: it leaves a file, too.
    let text = server.read("launchpad.yaml");
    let (manager, rest) = text.split_once("  - role: worker").unwrap();
    let (_, products) = rest.split_once("  mcr:").unwrap();
    let manager = manager.replace(&format!(", port: {}", server.port), "");
    server.write("launchpad.yaml", &format!("{manager}  mcr:{products}"));
    let ran = server.home.path().join("ran");
    server.write(
        ".ssh/config",
        &format!(
            "Match exec \"touch {}\"\n  Port {}\nHost *\n  Port 1\n",
            ran.display(),
            server.port
        ),
    );

    let held = server.launchpad(&["exec", "-t", "127.0.0.1", "echo", "hello"]);

    assert_ne!(held.status, Some(0), "{}", held.stdout);
    assert!(!ran.exists(), "nobody has allowed it");
    assert!(
        held.stderr.contains("--allow-match-exec"),
        "{}",
        held.stderr
    );

    let allowed = server.launchpad(&[
        "exec",
        "--allow-match-exec",
        "-t",
        "127.0.0.1",
        "echo",
        "hello",
    ]);

    assert_eq!(
        (allowed.status, allowed.stdout.as_str()),
        (Some(0), "hello\n"),
        "{}",
        allowed.stderr
    );
    assert!(ran.exists());
}
