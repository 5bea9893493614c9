//! `reset` on simulated hosts: what it leaves.

use super::*;

/// Returns the keys that rpm of each host trusts.
async fn keys(hosts: &Fleet) -> Vec<String> {
    let line = "exec --all --parallel=2 rpm -qa gpg-pubkey*";
    let ran = run(hosts, CONFIG, line).await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let mut found: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
    found.sort();
    found
}

#[tokio::test(start_paused = true)]
async fn keys_of_rpm_go_where_they_were_not_there_before() {
    for profile in ["rocky-9", "sles-15.5"] {
        let hosts = bare_of(profile);
        let before = keys(&hosts).await;

        let applied = run(&hosts, CONFIG, "apply").await;
        let between = keys(&hosts).await;
        let reset = run(&hosts, CONFIG, "reset --force").await;

        assert_eq!((applied.status, reset.status), (0, 0), "{}", reset.stderr);
        assert_eq!(between.len(), before.len() + 2, "{profile}: {between:?}");
        assert_eq!(keys(&hosts).await, before, "{profile}");

        // Now somebody trusts it himself.
        let directory = profile.split('-').next().unwrap();
        let import = format!(
            "curl -fsSo /tmp/key https://repos.mirantis.com/{directory}/gpg && rpm --import /tmp/key"
        );
        let words = [
            "exec",
            "--all",
            "--parallel=2",
            "--sudo",
            "sh",
            "-c",
            &import,
        ];
        let imported = run_words(&hosts, CONFIG, &words, Given::default()).await;
        assert_eq!(imported.status, 0, "{}", imported.stderr);
        let before = keys(&hosts).await;
        assert_eq!(before.len(), between.len());
        run(&hosts, CONFIG, "apply").await;
        run(&hosts, CONFIG, "reset --force").await;

        assert_eq!(keys(&hosts).await, before, "{profile}");
    }
}
