//! Documents that were damaged: each is read or told, and every place lies in the file.

use proptest::prelude::*;

use crate::damage::{damaged, runner};
use crate::fake::{Machine, document};
use crate::property::holds;

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

#[test]
fn damaged_documents_are_read_or_told() {
    let machine = Machine::default().var("A", "hunter2");

    let result = runner(2000).run(&damaged(corpus()), |text| {
        let told = machine.findings(&text).to_string();
        prop_assert!(!told.contains("hunter2"), "{}", told);
        holds(&text, &machine).map_err(TestCaseError::fail)
    });

    assert!(result.is_ok(), "{}", result.unwrap_err());
}
