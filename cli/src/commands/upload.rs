//! `launchpad upload`: copies a file to hosts, whole or not at all.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use phase::{Failure, Stop};
use rig::ExitStatus;
use rig::files::Written;
use rig::transfer::{Fingerprint, UploadTarget, Uploaded};
use serde_json::json;
use tokio::fs::File;

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
    source: &'a Path,
    content: &'a Fingerprint,
    name: &'a str,
    mode: &'a str,
    target: &'a str,
    elevated: bool,
}

pub(crate) async fn run(world: &mut World, arguments: &UploadArguments) -> Result<u8, CliError> {
    let path = world.current_dir.join(&arguments.source);
    let (content, mode) = look(world, &path).await?;
    let mode = arguments.mode.clone().unwrap_or(mode);
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
        source: &path,
        content: &content,
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

/// Reads what is to be copied, once for all hosts.
async fn look(world: &mut World, path: &Path) -> Result<(Fingerprint, String), CliError> {
    let failed = |source| CliError::Local {
        what: format!("cannot read `{}`", path.display()),
        source,
    };
    let read = async {
        let mut file = File::open(path).await?;
        let metadata = file.metadata().await?;
        if !metadata.is_file() {
            return Err(std::io::Error::other(
                "it is not a file; pack a directory with `tar`",
            ));
        }
        let mode = format!("{:04o}", metadata.permissions().mode() & 0o7777);
        Ok((Fingerprint::of(&mut file).await?, mode))
    };
    tokio::select! {
        read = read => read.map_err(failed),
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
            ("bytes", json!(self.content.size)),
            ("sha256", json!(self.content.sha256)),
        ];
        outcome.add(details);
        outcome
    }

    async fn upload(&self, number: usize, chosen: &Chosen) -> Result<Uploaded, Failure> {
        let mut file = File::open(self.source).await.map_err(|error| {
            Failure::new(format!("cannot read `{}`", self.source.display()))
                .caused_by(&error)
                .on_host(&chosen.name)
        })?;
        let host = self.hosts.open(number, chosen).await?;
        let target = UploadTarget {
            path: self.target,
            name: self.name,
            mode: self.mode,
            elevated: self.elevated,
        };
        let uploaded = host.files().upload(&mut file, self.content, &target).await;
        host.close().await;
        uploaded.map_err(|error| transfer::failure(&chosen.name, &error))
    }
}
