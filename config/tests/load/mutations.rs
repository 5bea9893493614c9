//! Documents that were damaged: each is read or told, and every place lies in the file.

use config::{Diagnostics, LARGEST_DOCUMENT};

use crate::damage::{damaged, runner};
use crate::fake::{Machine, document};

/// Documents to damage.
fn corpus() -> Vec<Vec<u8>> {
    let minimal = document("", "", "", "");
    let wide: Vec<u8> = std::iter::once(0xFEFF)
        .chain(minimal.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let flow = "{apiVersion: launchpad.mirantis.com/mke/v1.6, kind: mke, spec: {hosts: [{role: manager, \
                ssh: &a {address: é, port: 22}}, {role: worker, ssh: {<<: *a, address: b}}], mcr: \
                {channel: stable-25.0}, mke: {version: \"3.8.10\"}}}";
    vec![
        include_bytes!("complete.yaml").to_vec(),
        minimal.into_bytes(),
        wide,
        flow.as_bytes().to_vec(),
    ]
}

/// Makes sure that what is told can be found in the file.
fn assert_inside(found: &Diagnostics, text: &[u8]) {
    let longest = text.len() + 1;
    for one in &found.items {
        let Some(at) = one.position else {
            assert!(text.len() > LARGEST_DOCUMENT, "{one}");
            continue;
        };
        assert!((1..=longest).contains(&at.line), "{one}");
        assert!((1..=longest).contains(&at.column), "{one}");
        if let Some(snippet) = &one.snippet {
            let width = snippet.line.chars().count();
            assert!(snippet.width >= 1, "{one}");
            assert!(snippet.start + snippet.width <= width + 1, "{one:?}");
        }
    }
    assert!(!format!("{found}").contains("hunter2"), "{found}");
}

#[test]
fn damaged_documents_are_read_or_told() {
    let machine = Machine::default().var("A", "hunter2");

    let result = runner(2000).run(&damaged(corpus()), |text| {
        assert_inside(&machine.findings(&text), &text);
        Ok(())
    });

    assert!(result.is_ok(), "{}", result.unwrap_err());
}
