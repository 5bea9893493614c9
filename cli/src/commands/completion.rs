//! `launchpad completion`: a script for a shell.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::{Arguments, CompletionArguments};
use crate::error::{CliError, DONE};
use crate::world::World;

pub(crate) fn run(world: &mut World, arguments: &CompletionArguments) -> Result<u8, CliError> {
    let wanted = arguments
        .shell
        .clone()
        .or_else(|| world.var("SHELL").map(str::to_owned))
        .unwrap_or_else(|| "bash".to_owned());
    let name = Path::new(&wanted)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let shell = match name {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        other => {
            return Err(CliError::Usage(format!(
                "there is no completion script for `{other}`: use bash, zsh or fish"
            )));
        }
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "launchpad", &mut script);
    world.print(&String::from_utf8_lossy(&script))?;
    Ok(DONE)
}
