//! `launchpad upload`: copies a file to hosts, whole or not at all.

use std::path::Path;

use phase::{Failure, Stop};
use rig::ExitStatus;
use rig::files::Written;
use rig::transfer::{LocalFile, UploadTarget, Uploaded};
use serde_json::json;

use crate::arguments::UploadArguments;
use crate::error::CliError;
use crate::hosts::crowd::Pace;
use crate::hosts::outcome::{Ended, Outcome};
use crate::hosts::reach::Hosts;
use crate::hosts::selection::Chosen;
use crate::hosts::transfer::{self, Progress};
use crate::world::World;

/// What is copied to every host.
struct Job<'a> {
    hosts: &'a Hosts,
    progress: &'a Progress,
    file: &'a LocalFile,
    name: &'a str,
    mode: &'a str,
    target: &'a str,
    elevated: bool,
}

pub(crate) async fn run(world: &mut World, arguments: &UploadArguments) -> Result<u8, CliError> {
    let path = world.current_dir.join(&arguments.source);
    let file = look(world, &path).await?;
    let mode = arguments.mode.clone();
    let mode = mode.unwrap_or_else(|| format!("{:04o}", file.mode()));
    let name = arguments.source.file_name().and_then(|name| name.to_str());
    let Some(name) = name else {
        return Err(CliError::Usage(format!(
            "`{}` is not the name of a file, in UTF-8",
            arguments.source.display()
        )));
    };
    let flags = (&arguments.common, &arguments.cluster);
    let opened = transfer::open(world, flags, &arguments.hosts, arguments.output).await?;
    let Some((hosts, chosen, progress)) = opened else {
        return Ok(crate::error::DONE);
    };
    let job = Job {
        hosts: &hosts,
        progress: &progress,
        file: &file,
        name,
        mode: &mode,
        target: &arguments.target,
        elevated: arguments.hosts.sudo,
    };
    let pace = Pace::of(arguments.hosts.parallel);
    let limit = arguments.hosts.limit();
    let work = |number: usize, stop: Stop| {
        let one = &chosen[number];
        progress.of(one, limit, stop, job.run(number, one))
    };
    transfer::carry_out(world, &progress, &chosen, pace, work).await
}

/// Looks at what is to be copied.
async fn look(world: &mut World, path: &Path) -> Result<LocalFile, CliError> {
    tokio::select! {
        file = LocalFile::look(path) => file.map_err(|source| CliError::Local {
            what: format!("cannot read `{}`", path.display()),
            source,
        }),
        Some(signal) = world.signals.recv() => Err(CliError::Interrupted(signal)),
    }
}

impl Job<'_> {
    async fn run(&self, number: usize, chosen: &Chosen) -> Outcome {
        let uploaded = match self.upload(number, chosen).await {
            Ok(uploaded) => uploaded,
            Err(failure) => return Outcome::of(&chosen.name, Ended::Failed(Box::new(failure))),
        };
        let is_new = uploaded.written == Written::Changed;
        let word = if is_new { "written" } else { "unchanged" };
        self.progress
            .tell(&format!("{}: {} {word}", chosen.name, uploaded.path))
            .await;
        let mut outcome = Outcome::of(&chosen.name, Ended::Status(ExitStatus::Code(0)));
        let details = [
            ("path", json!(uploaded.path)),
            ("changed", json!(is_new)),
            ("bytes", json!(self.file.size())),
            ("sha256", json!(self.file.sha256().await.ok())),
        ];
        outcome.add(details);
        outcome
    }

    async fn upload(&self, number: usize, chosen: &Chosen) -> Result<Uploaded, Failure> {
        let host = self.hosts.open(number, chosen).await?;
        let target = UploadTarget {
            path: self.target,
            name: self.name,
            mode: self.mode,
            elevated: self.elevated,
        };
        let uploaded = host.files().upload(self.file, &target).await;
        host.close().await;
        uploaded.map_err(|error| transfer::failure(&chosen.name, &error))
    }
}
