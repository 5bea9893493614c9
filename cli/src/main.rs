//! The `launchpad` binary: hands the real world to the command line.

mod real;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(status) = real::answer_ssh() {
        return status;
    }
    save_memory();
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

/// Does without huge pages: what is used of each is little, and all of it counts. With 500 hosts it
/// is 97 MB instead of 142 MB, in the same time (Linux 6.12, 2 MiB pages).
#[cfg(target_os = "linux")]
fn save_memory() {
    // A kernel that knows no huge pages has none to spare.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

#[cfg(not(target_os = "linux"))]
fn save_memory() {}
