//! MKE as a state machine, for tests and the lab.
//!
//! What is here decides and never does: no file, socket, clock, thread or random number. An
//! adapter owns an engine, real or simulated; it starts a [`Machine`] for one command line, gives
//! it what it asked for, and carries out what it wants next. The same crate says what a controller
//! answers to an HTTP request ([`controller`]). Equal inputs give equal outputs.
//!
//! ```text
//! command line, environment ── Command::parse ──> Machine
//!      adapter:  step(now, Input) ──> Step { lines, next }
//!                next = Look | Do | Serve | Idle | Exit
//! ```
//!
//! It is not MKE: there is no Kubernetes, no key-value store, no MSR. It has what an installer can
//! tell MKE by: flags, log lines, exit status, services, containers, configs, volumes, images, and
//! the HTTPS API of its controllers.
//!
//! | module | holds |
//! |---|---|
//! | [`command`] | what can be run, and with which flags |
//! | [`flags`] | the parser of the bootstrapper's command line |
//! | [`machine`] | the machine and what passes between it and its adapter |
//! | [`engine`] | the view of an engine, and what can be asked of one |
//! | `operation` | one file per operation: install, upgrade, uninstall-ucp, … |
//! | [`fault`] | faults that a test can ask for |
//! | [`log`] | the forms of log lines |
//! | [`image`] | names of images |
//! | [`state`] | what a cluster keeps in its swarm |
//! | [`password`] | salted hashes and made-up secrets |
//! | [`http`] | requests and answers |
//! | [`controller`] | what the API of a controller answers |
//! | [`bundle`] | the entries of a client bundle |
//! | [`wire`] | HTTP and TLS, for those who serve a controller |
//!
//! # Faults
//!
//! A fault is a flag of any operation, or a variable in the environment of its container:
//! `--sim-fail=TEXT` is `UCP_SIM_FAIL=TEXT`. All faults happen at one point of the operation, by
//! default `checked`, when everything was looked at and nothing is changed yet.
//!
//! | flag | what happens |
//! |---|---|
//! | `--sim-at=POINT` | moves the faults to `started`, `checked`, `pulled`, `stored`, `deployed` or `finished` |
//! | `--sim-fail=TEXT` | a fatal line with this text, exit status 1 |
//! | `--sim-exit=N` | exit status N behind an error line, without a fatal one |
//! | `--sim-die` | exit status 137 without a word, as if killed |
//! | `--sim-hold` | waits until a volume [`fault::RELEASE`] is on the node |
//! | `--sim-slow=SECONDS` | waits that long at *every* point |
//! | `--sim-long-line` | a line of 100 KiB, more than line readers like to buffer |
//!
//! `docker pause` of the container holds an operation anywhere: limits are judged only after a
//! fresh look at the engine.

pub mod bundle;
pub mod command;
pub mod controller;
pub mod engine;
pub mod fault;
pub mod flags;
pub mod http;
pub mod image;
pub mod log;
pub mod machine;
mod operation;
pub mod password;
pub mod state;
pub mod wire;

pub use command::{Command, Environment, World};
pub use machine::{Input, Machine, Next, Step};
