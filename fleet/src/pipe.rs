//! Byte streams between processes.

/// The end that is read.
#[derive(Debug)]
pub(crate) struct Reader;
/// The end that is written.
#[derive(Debug)]
pub(crate) struct Writer;
