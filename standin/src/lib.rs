//! MKE as a state machine without I/O, for tests and the lab
