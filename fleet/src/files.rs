//! The file tree of a host. Trees share what they have in common: a clone costs nothing.
