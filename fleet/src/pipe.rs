//! Byte streams between processes.
