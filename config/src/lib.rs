//! The launchpad.yaml document: types, decoding with source ranges, validation
