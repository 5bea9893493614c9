//! `busybox`: many programs under one name. An applet is our program of its name, whose complaints
//! are those of Debian's.

use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "busybox",
    run: |invocation| Box::pin(run(invocation)),
}];

async fn run(invocation: &mut Invocation) -> u8 {
    let called = invocation.name.rsplit('/').next().unwrap_or_default();
    if called == "busybox" {
        if invocation.arguments.is_empty() {
            return invocation.not_simulated("a call without an applet");
        }
        invocation.name = invocation.arguments.remove(0);
    }
    let applet = match invocation.name.rsplit('/').next().unwrap_or_default() {
        "ash" => "sh",
        "[[" => "[",
        other => other,
    };
    match super::find(applet) {
        Some(program) if program.name != "busybox" => (program.run)(invocation).await,
        _ => invocation.not_simulated("the applet"),
    }
}
