//! Commands on single hosts, outside of a run: which hosts, how they are reached, what came of it.
//!
//! | module | holds |
//! |---|---|
//! | `selection` | which hosts are meant |
//! | `reach` | their handles, and the question for their operating system |
//! | `crowd` | one after the other, or many at a time; Ctrl-C |
//! | `transfer` | what `upload` and `download` have in common |
//! | `outcome` | what came of each, in words, as JSON, as an exit status |
//! | `writer` | standard output and standard error, which may be slow |

pub(crate) mod crowd;
pub(crate) mod outcome;
pub(crate) mod reach;
pub(crate) mod selection;
pub(crate) mod transfer;
pub(crate) mod writer;
