//! The `launchpad` binary: hands the real world to the command line.

mod real;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(status) = real::answer_ssh() {
        return status;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return real::give_up("cannot start", &error),
    };
    let terminal = real::Terminal::default();
    let status = runtime.block_on(async {
        match real::world(&terminal) {
            Ok(world) => {
                // On a thread of the runtime: what it waits for is woken there without a change of
                // threads, which a thousand hosts notice.
                let arguments: Vec<OsString> = std::env::args_os().collect();
                let running = tokio::spawn(cli::run(world, arguments));
                match running.await {
                    Ok(status) => status,
                    Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
                }
            }
            Err(error) => {
                real::give_up("cannot handle signals", &error);
                1
            }
        }
    });
    terminal.restore();
    // Readers of standard input and of the terminal may be stuck in the kernel: leave them.
    runtime.shutdown_background();
    ExitCode::from(status)
}
