//! Any bytes as a configuration: read or told, never a panic, and migrated to what means the same.

#![no_main]

#[allow(dead_code, reason = "the tests of loading use the rest")]
#[path = "../tests/load/fake.rs"]
mod fake;
#[path = "../tests/load/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let machine = fake::Machine::default().var("ADDRESS", "10.0.0.1").var("VERSION", "25.0.9");
    if let Err(broken) = property::holds(bytes, &machine) {
        panic!("{broken}");
    }
});
