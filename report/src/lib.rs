//! Sinks of the event stream: terminal, plain log, JSON lines
