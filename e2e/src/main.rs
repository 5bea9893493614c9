//! The lab of real hosts and the story that runs on it.

fn main() {}
