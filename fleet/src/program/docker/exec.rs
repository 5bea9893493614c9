//! `exec`, `cp`: as far as they fail.

use super::flags::{Flag, Flags};
use super::{Docker, Outcome, said, unknown, usage};
use crate::engine::{lifecycle, refusal};

impl Docker<'_> {
    /// `docker exec`: only what fails is simulated. An image of MKE has one program.
    pub(super) async fn exec(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("detach").short('d'),
            Flag::switch("interactive").short('i'),
            Flag::switch("tty").short('t'),
            Flag::value("env").short('e'),
            Flag::value("user").short('u'),
            Flag::value("workdir").short('w'),
        ];
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let flags = Flags::parse_until_word(&known, &words)?;
        let [name, program, ..] = flags.rest.as_slice() else {
            return Err(usage("exec", "requires at least 2 arguments"));
        };
        let found = self
            .engine(|world, host, _| {
                let container = lifecycle::find(world, host, name)?;
                let (id, is_alive) = (container.id.clone(), container.state.status.is_alive());
                if !is_alive {
                    return Err(refusal(409, format!("Container {id} is not running")));
                }
                let words = lifecycle::argv(world, host, container);
                Ok(words.first().cloned().unwrap_or_default())
            })
            .await;
        let own = found.map_err(|failure| self.of_client(failure))?;
        if own != "/ucp" || program == "/ucp" {
            return Err(unknown("the command exec"));
        }
        self.invocation.print(&format!(
            "OCI runtime exec failed: exec failed: unable to start container process: exec: \
             \"{program}\": executable file not found in $PATH: unknown\n"
        ));
        Ok(126)
    }

    /// `docker cp`: only what fails is simulated.
    pub(super) async fn copy(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[], words)?;
        let [from, _] = flags.rest.as_slice() else {
            return Err(usage("cp", "requires exactly 2 arguments"));
        };
        let name = from.split_once(':').map_or("", |(name, _)| name).to_owned();
        let is_there = self
            .engine(|world, host, _| Ok(lifecycle::find(world, host, &name).is_ok()))
            .await?;
        match is_there || name.is_empty() {
            true => Err(unknown("the command cp")),
            false => Err(said(format!("Error: No such container:path: {from}"))),
        }
    }
}
