//! A server behind a server.

use crate::server::Server;

#[test]
fn a_server_behind_another_need_not_wait_for_an_acknowledgement() {
    let server = Server::start("LogLevel DEBUG1");
    let text = server.read("launchpad.yaml");
    let (manager, rest) = text.split_once("  - role: worker").unwrap();
    let (_, products) = rest.split_once("  mcr:").unwrap();
    let manager = manager
        .replace("address: 127.0.0.1", "address: beyond")
        .replace(&format!(", port: {}", server.port), "");
    server.write("launchpad.yaml", &format!("{manager}  mcr:{products}"));
    let key = server.home.path().join("key");
    server.write(
        ".ssh/config",
        &format!(
            "Host beyond\n  ProxyJump door\nHost *\n  HostName 127.0.0.1\n  Port {}\n  \
             IdentityFile {}\n  StrictHostKeyChecking accept-new\n",
            server.port,
            key.display()
        ),
    );

    let ran = server.launchpad(&["exec", "-t", "beyond", "echo", "hello"]);

    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (Some(0), "hello\n"),
        "{}",
        ran.stderr
    );
    let logins = server.read("sshd.log");
    assert_eq!(logins.matches("rtype keepalive@openssh.com").count(), 1);
}
