//! Documents that are made to be too much.

use config::LARGEST_DOCUMENT;

use crate::fake::{Machine, document};

fn message(text: &str) -> String {
    let problems = Machine::default().problems(text);
    problems.items[0].message.clone()
}

#[test]
fn refuses_documents_that_are_too_large() {
    let text = format!("# {}\n", "x".repeat(LARGEST_DOCUMENT));

    assert_eq!(message(&text), "the configuration is larger than 1 MiB");
    let fits = document("", "", "", "") + "#" + &"x".repeat(1_000_000);
    assert_eq!(Machine::default().config(&fits).name, "test");
}

#[test]
fn refuses_what_is_nested_too_deep() {
    let flow = format!("a: {}x{}", "[".repeat(100_000), "]".repeat(100_000));
    let block: String = (0..100).map(|depth| " ".repeat(depth) + "a:\n").collect();
    let mixed = document(
        "",
        "",
        "",
        &format!("x: {}{}", "[".repeat(70), "]".repeat(70)),
    );

    let compact = "- ".repeat(100_000) + "x";
    let keys = format!("{}x", "{a: ".repeat(100_000));
    let complex = "? ".repeat(100_000) + "x";

    for text in [flow, block, mixed, compact, keys, complex] {
        assert_eq!(
            message(&text),
            "the configuration is nested deeper than 64 levels"
        );
    }
    let fine = document(
        &format!("mcrConfig: {{a: {}{}}}", "[".repeat(50), "]".repeat(50)),
        "",
        "",
        "",
    );
    assert_eq!(Machine::default().config(&fine).name, "test");
}

#[test]
fn refuses_aliases_that_grow() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let large = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 19),
        vec!["*a"; 100].join(", ")
    );
    let deep: String = (1..70).fold("a0: &a0 []\n".to_owned(), |text, level| {
        text + &format!("a{level}: &a{level} [*a{}]\n", level - 1)
    });

    assert_eq!(
        message(&text),
        "the configuration has more than 60000 values, aliases expanded"
    );
    assert_eq!(
        message(&large),
        "the aliases of the configuration expand to over 16 MiB"
    );
    assert_eq!(
        message(&deep),
        "the configuration is nested deeper than 64 levels"
    );
    assert_eq!(
        message("a: &a [*a]\n"),
        "the alias stands inside of what it stands for"
    );
}

#[test]
fn a_large_cluster_is_no_problem() {
    let hosts: String = (0..5000)
        .map(|index| {
            format!("  - {{role: worker, ssh: {{address: h{index}, user: ops, port: 2222}}}}\n")
        })
        .collect();
    let text = document("", "", "", "").replace("  mcr:", &format!("{hosts}  mcr:"));

    assert_eq!(Machine::default().config(&text).hosts.len(), 5001);
}

#[test]
fn keys_that_are_all_set_twice_are_told_each() {
    let keys: String = (0..14_000).map(|index| format!("k{index}: v\n")).collect();
    let text = format!("apiVersion: launchpad.mirantis.com/mke/v1.5\n{keys}{keys}");

    let problems = Machine::default().problems(&text);

    // Each key is set twice and unknown, and much is missing: errors come first.
    assert_eq!(problems.items.len() + problems.more, 28_006);
    assert!(problems.has_errors(), "{problems}");
}

#[test]
fn many_problems_in_one_line_are_few_lines() {
    let keys: Vec<String> = (0..25_000).map(|index| format!("k{index}: v")).collect();
    let text = format!("{{{}}}", keys.join(", "));

    let problems = Machine::default().problems(&text);

    assert!(problems.to_string().len() < 10_000);
    // What is printed, what is kept for programs, and what is counted.
    assert_eq!(problems.to_string().matches("error[").count(), 20);
    assert_eq!(problems.items.len() + problems.more, 25_003);
    assert_eq!(problems.items.len(), 1000);
}
