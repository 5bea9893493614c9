//! Words of OpenSSH 7.9 to 9.9, as it wrote them, and the errors they are.

use super::*;

fn settings() -> Settings {
    Settings::parse("hostname 10.0.0.7\nport 2222\nuser ops\nconnecttimeout 5\n")
}

fn behind(jump: &str) -> Settings {
    Settings::parse(&format!(
        "hostname 10.0.0.7\nport 22\nuser ops\nproxyjump {jump}\n"
    ))
}

fn of_log(log: &str) -> ConnectError {
    let words = Words {
        log: log.to_owned(),
        stderr: "Welcome, stranger!\nssh: connect to host nowhere port 22: No route\n".to_owned(),
    };
    failure(&words, &settings())
}

/// What the log says when the way through a proxy broke.
const BROKEN_PROXY: &str = "kex_exchange_identification: Connection closed by remote host\r\n\
                            Connection closed by UNKNOWN port 65535\r\n";

fn of_jump(stderr: &str) -> ConnectError {
    let words = Words {
        log: BROKEN_PROXY.to_owned(),
        stderr: stderr.to_owned(),
    };
    failure(&words, &behind("u@gate:2200"))
}

/// Returns the name of the class of an error.
fn class(error: &ConnectError) -> String {
    let text = format!("{error:?}");
    let end = text.find([' ', '(']).unwrap_or(text.len());
    text[..end].to_owned()
}

#[test]
fn every_failure_has_its_class() {
    let cases = [
        (
            "ssh: Could not resolve hostname nope: Name or service not known",
            "Dns",
        ),
        (
            "ssh: connect to host 10.0.0.7 port 2222: Connection refused",
            "Refused",
        ),
        (
            "ssh: connect to host 10.0.0.7 port 2222: Connection timed out",
            "TimedOut",
        ),
        (
            "ssh: connect to host 10.0.0.7 port 2222: Operation timed out",
            "TimedOut",
        ),
        (
            "Connection timed out during banner exchange\nConnection to 10.0.0.7 port 2222 timed out",
            "NoBanner",
        ),
        (
            "ssh: connect to host fd00::1 port 22: No route to host",
            "Unreachable",
        ),
        (
            "ssh: connect to host fd00::1 port 22: Network is unreachable",
            "Unreachable",
        ),
        (
            "kex_exchange_identification: Connection closed by remote host\n\
             Connection closed by 10.0.0.7 port 2222",
            "ResetBeforeAuth",
        ),
        (
            "kex_exchange_identification: read: Connection reset by peer\n\
             Connection reset by 10.0.0.7 port 2222",
            "ResetBeforeAuth",
        ),
        (
            "ssh_exchange_identification: Connection closed by remote host",
            "ResetBeforeAuth",
        ),
        ("Host key verification failed.", "HostKeyUnknown"),
        (
            "The ED25519 host key for [10.0.0.7]:2222 is marked as revoked.\n\
             Host key verification failed.",
            "HostKeyRevoked",
        ),
        (
            "ops@10.0.0.7: Permission denied (publickey,password).",
            "Auth",
        ),
        (
            "Received disconnect from 10.0.0.7 port 2222:2: Too many authentication failures\n\
             Disconnected from 10.0.0.7 port 2222",
            "Auth",
        ),
        (
            "Unable to negotiate with 10.0.0.7 port 2222: no matching host key type found. \
             Their offer: ssh-rsa,ssh-dss",
            "NoCommonAlgorithm",
        ),
        (
            "debug1: get_agent_identities: ssh_get_authentication_socket: No such file or directory\n\
             ops@10.0.0.7: Permission denied (publickey).",
            "Agent",
        ),
        ("Bad packet length 1349676916.", "Protocol"),
        ("", "Protocol"),
        (
            "Can't open user config file /nowhere: No such file or directory",
            "File",
        ),
        ("Bad owner or permissions on /home/u/.ssh/config", "File"),
        (
            "/home/u/.ssh/config: line 7: Bad configuration option: foo\n\
             /home/u/.ssh/config: terminating, 1 bad configuration options",
            "SshConfig",
        ),
        ("/home/u/.ssh/config line 7: Bad port 'abc'.", "SshConfig"),
        (
            "command-line line 0: unsupported option \"foo\".",
            "OpenSshOptions",
        ),
        (
            "/etc/ssh/ssh_config line 3: Unsupported option \"gssapiauthentication\"\n\
             ssh: connect to host 10.0.0.7 port 2222: Connection refused",
            "Refused",
        ),
        (
            "Authenticated to 10.0.0.7 ([10.0.0.7]:2222) using \"publickey\".\n\
             Connection to 10.0.0.7 closed by remote host.",
            "Protocol",
        ),
    ];
    for (log, expected) in cases {
        let error = of_log(log);

        assert_eq!(class(&error), expected, "{log}: {error}");
    }
}

#[test]
fn algorithms_that_do_not_meet_are_told_with_what_the_host_offers() {
    for (kind, what, keyword) in [
        ("key exchange method", "key exchange", "KexAlgorithms"),
        ("host key type", "host key", "HostKeyAlgorithms"),
        ("cipher", "cipher", "Ciphers"),
        ("MAC", "MAC", "MACs"),
    ] {
        let error = of_log(&format!(
            "Unable to negotiate with 10.0.0.7 port 2222: no matching {kind} found. Their offer: a,b"
        ));

        assert_eq!(
            error.to_string(),
            format!("no {what} algorithm in common with `10.0.0.7:2222`: the host offers a, b")
        );
        assert!(error.hint().unwrap().contains(keyword), "{kind}");
    }
}

#[test]
fn how_a_login_went_is_read_from_the_log() {
    let log = "debug1: Server host key: ssh-ed25519 SHA256:abc\n\
               debug1: Found key in /home/u/.ssh/known_hosts:3\n\
               debug1: Server accepts key: /home/u/.ssh/id_ed25519 ED25519 SHA256:def explicit\n\
               Authenticated to 10.0.0.7 ([10.0.0.7]:2222) using \"publickey\".\n\
               debug1: something else\n";

    let passage = passage(&words_of_passage(log), &settings());

    assert_eq!(
        passage.known_by.as_deref(),
        Some("/home/u/.ssh/known_hosts:3")
    );
    assert_eq!(passage.host_key.as_deref(), Some("ssh-ed25519 SHA256:abc"));
    assert!(
        passage
            .credential
            .unwrap()
            .starts_with("/home/u/.ssh/id_ed25519 ")
    );
}

#[test]
fn a_changed_key_names_the_new_one_and_the_place_of_the_old() {
    let error = of_log(
        "debug1: Server host key: ssh-ed25519 SHA256:new\r\n\
         @    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n\
         Offending ED25519 key in /home/u/.ssh/known_hosts:3\r\n\
         Host key verification failed.\r\n",
    );

    assert_eq!(
        error.to_string(),
        "the host key of `[10.0.0.7]:2222` is not the one that is known: it shows ssh-ed25519 \
         SHA256:new; known is the ED25519 key in /home/u/.ssh/known_hosts:3"
    );
    assert!(
        error
            .hint()
            .unwrap()
            .contains("ssh-keygen -R '[10.0.0.7]:2222'")
    );
}

#[test]
fn a_refused_login_names_the_keys_that_were_tried() {
    let error = of_log(
        "debug1: Offering public key: /k/a ED25519 SHA256:aa explicit\n\
         debug1: Authentications that can continue: publickey,password\n\
         debug1: Offering public key: of agent RSA SHA256:bb agent\n\
         ops@10.0.0.7: Permission denied (publickey,password).\n",
    );

    assert_eq!(
        error.to_string(),
        "`ops@10.0.0.7:2222` accepts none of the keys: tried /k/a ED25519 SHA256:aa explicit, of \
         agent RSA SHA256:bb agent; the server accepts publickey, password"
    );
}

#[test]
fn a_key_file_that_cannot_be_used_is_named() {
    let denied = "ops@10.0.0.7: Permission denied (publickey).";
    let open = of_log(&format!(
        "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\n\
         Permissions 0644 for '/k/a b' are too open.\n\
         Load key \"/k/a b\": bad permissions\n{denied}\n"
    ));
    let broken = of_log(&format!("Load key \"/k/a b\": invalid format\n{denied}\n"));
    let locked = of_log(&format!(
        "Load key \"/k/a b\": incorrect passphrase supplied to decrypt private key\n{denied}\n"
    ));

    let accepted = "debug1: Server accepts key: /k/a b ED25519 SHA256:aa explicit";
    let unasked = of_log(&format!("{accepted}\n{denied}\n"));
    let refusing = "sign_and_send_pubkey: signing failed for ED25519 \"/k/a b\" from agent: agent \
                    refused operation";
    let refusing = of_log(&format!("{accepted}\n{refusing}\n{denied}\n"));

    assert!(unasked.hint().unwrap().contains("ssh-add '/k/a b'"));
    assert!(refusing.to_string().contains("the agent refuses"));
    for error in [&open, &broken, &locked, &unasked, &refusing] {
        assert_eq!(class(error), "KeyFile", "{error}");
        assert!(error.to_string().contains("`/k/a b`"), "{error}");
    }
    assert!(open.hint().unwrap().contains("chmod 600"));
    assert!(locked.hint().unwrap().contains("ssh-add"));
}

#[test]
fn what_a_jump_host_says_is_told_as_its_own() {
    let cases = [
        (
            "ssh: connect to host gate port 2200: Connection refused",
            "cannot go through the bastion host",
            "`gate:2200` refused the connection",
        ),
        (
            "ssh: Could not resolve hostname gate: Name or service not known",
            "cannot go through the bastion host",
            "cannot resolve `gate`",
        ),
        (
            "root@gate: Permission denied (publickey).",
            "cannot go through the bastion host",
            "`root@gate:2200` accepts none",
        ),
        (
            "Host key verification failed.",
            "cannot go through the bastion host",
            "the host key of `[gate]:2200` is not known",
        ),
        (
            "channel 0: open failed: administratively prohibited: open failed\n\
             stdio forwarding failed",
            "the bastion host `gate:2200` refuses to forward to `10.0.0.7:22`",
            "",
        ),
        (
            "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed",
            "the bastion host `gate:2200` does not reach `10.0.0.7:22`: Connection refused",
            "",
        ),
        (
            "channel 0: open failed: connect failed: No route to host\nstdio forwarding failed",
            "the bastion host `gate:2200` does not reach `10.0.0.7:22`: No route to host",
            "",
        ),
    ];
    for (stderr, first, second) in cases {
        let error = of_jump(stderr);

        assert!(error.to_string().starts_with(first), "{stderr}: {error}");
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let cause = cause.unwrap_or_default();
        assert!(cause.contains(second), "{stderr}: {cause}");
    }
}

#[test]
fn a_greeting_on_standard_error_is_no_error_of_a_jump_host() {
    let words = Words {
        log: "ops@10.0.0.7: Permission denied (publickey).".to_owned(),
        stderr: "ssh: connect to host gate port 22: Connection refused\n".to_owned(),
    };

    let error = failure(&words, &behind("gate"));

    assert_eq!(class(&error), "Auth", "{error}");
}

#[test]
fn a_refused_stream_has_the_reason_that_is_known() {
    let one = "channel 2: open failed: connect failed: Connection refused\n";
    let other = "channel 3: open failed: administratively prohibited: open failed\n";

    assert_eq!(
        dial_reason(one).as_deref(),
        Some("connect failed: Connection refused")
    );
    assert_eq!(dial_reason(&format!("{one}{one}")), dial_reason(one));
    assert_eq!(dial_reason(&format!("{one}{other}")), None);
    assert_eq!(dial_reason("debug1: nothing\n"), None);
}
