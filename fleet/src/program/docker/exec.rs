//! `exec`.

use super::flags::{Flag, Flags};
use super::{Docker, Failure, Outcome, unknown, usage};
use crate::engine::container::Status;
use crate::engine::process::{self, Asked, Attached, Program};
use crate::engine::{lifecycle, refusal};
use crate::pipe::{Reader, Writer};
use crate::process::Pid;

impl Docker<'_> {
    /// `docker exec`.
    pub(super) async fn exec(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("detach").short('d'),
            Flag::switch("interactive").short('i'),
            Flag::switch("tty").short('t'),
            Flag::switch("privileged"),
            Flag::value("env").short('e'),
            Flag::value("user").short('u'),
            Flag::value("workdir").short('w'),
        ];
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let flags = Flags::parse_until_word(&known, &words)?;
        if flags.has("tty") {
            self.needs_terminal(&flags)?;
            return Err(unknown("a terminal (-t)"));
        }
        let [name, program @ ..] = flags.rest.as_slice() else {
            return Err(usage("exec", "requires at least 2 arguments"));
        };
        if program.is_empty() {
            return Err(usage("exec", "requires at least 2 arguments"));
        }
        let asked = Asked {
            words: program.to_vec(),
            environment: flags.all("env"),
            user: flags.value("user").unwrap_or_default().to_owned(),
            directory: flags.value("workdir").unwrap_or_default().to_owned(),
        };
        let found = self.find_program(name, asked).await;
        let program = match found.map_err(|failure| self.of_client(failure))? {
            Ok(program) => program,
            Err(problem) => {
                self.invocation.print(&format!(
                    "OCI runtime exec failed: exec failed: unable to start container process: \
                     {problem}: unknown\n"
                ));
                return Ok(126);
            }
        };
        self.run_program(program, &flags).await
    }

    /// Finds a program in a container that runs.
    async fn find_program(
        &mut self,
        name: &str,
        asked: Asked,
    ) -> Result<Result<Program, String>, Failure> {
        self.engine(|world, host, now| {
            let container = lifecycle::find(world, host, name)?;
            let id = container.id.clone();
            let why = match container.state.status {
                Status::Running => return process::program(world, host, &id, asked, now),
                Status::Paused => {
                    format!("Container {name} is paused, unpause the container before exec")
                }
                Status::Restarting => {
                    format!("Container {id} is restarting, wait until the container is running")
                }
                Status::Created | Status::Exited => format!("Container {id} is not running"),
            };
            Err(refusal(409, why))
        })
        .await
    }

    async fn run_program(&mut self, program: Program, flags: &Flags) -> Outcome {
        self.invocation.flush().await;
        let is_detached = flags.has("detach");
        let streams = Attached {
            stdin: match flags.has("interactive") && !is_detached {
                true => self.invocation.stdin.clone(),
                false => Reader::null(),
            },
            stdout: match is_detached {
                true => Writer::null(),
                false => self.invocation.stdout.clone(),
            },
            stderr: match is_detached {
                true => Writer::null(),
                false => self.invocation.stderr.clone(),
            },
        };
        let launch = program.launch(&self.invocation.fleet, Pid(0), streams);
        if is_detached {
            launch.start();
            return Ok(0);
        }
        Ok(self.invocation.run_launch(launch).await)
    }
}
