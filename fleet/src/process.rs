//! Processes and their signals.
