//! `launchpad download`: copies a file from hosts, whole or not at all.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use phase::{Failure, Stop};
use rig::ExitStatus;
use rig::transfer::Downloaded;
use serde_json::json;
use tokio::fs::File;

use crate::arguments::DownloadArguments;
use crate::error::CliError;
use crate::hosts::crowd::Pace;
use crate::hosts::outcome::{Ended, Outcome};
use crate::hosts::reach::Hosts;
use crate::hosts::selection::Chosen;
use crate::hosts::transfer::{self, Progress};
use crate::world::World;

/// What is copied from every host.
struct Job<'a> {
    hosts: &'a Hosts,
    progress: &'a Progress,
    source: &'a str,
    elevated: bool,
}

pub(crate) async fn run(world: &mut World, arguments: &DownloadArguments) -> Result<u8, CliError> {
    let Some(name) = file_name(&arguments.source) else {
        return Err(CliError::Usage(format!(
            "`{}` is not the name of a file",
            arguments.source
        )));
    };
    let flags = (&arguments.common, &arguments.cluster);
    let opened = transfer::open(world, flags, &arguments.hosts, arguments.output).await?;
    let Some((hosts, chosen, progress)) = opened else {
        return Ok(crate::error::DONE);
    };
    let full = world.current_dir.join(&arguments.target);
    let is_directory = full.is_dir()
        || arguments
            .target
            .as_os_str()
            .as_encoded_bytes()
            .ends_with(b"/");
    if chosen.len() > 1 && full.exists() && !full.is_dir() {
        return Err(CliError::Usage(format!(
            "`{}` is a file, and these are {} hosts: name a directory, which gets one for each",
            arguments.target.display(),
            chosen.len()
        )));
    }
    let place_of = |one: &Chosen| {
        if chosen.len() > 1 {
            full.join(directory_name(&one.name)).join(name)
        } else if is_directory {
            full.join(name)
        } else {
            full.clone()
        }
    };
    let job = Job {
        hosts: &hosts,
        progress: &progress,
        source: &arguments.source,
        elevated: arguments.hosts.sudo,
    };
    let pace = Pace::of(arguments.hosts.parallel);
    let limit = arguments.hosts.limit();
    let work = |number: usize, stop: Stop| {
        let one = &chosen[number];
        progress.of(one, limit, stop, job.run(number, one, place_of(one)))
    };
    transfer::carry_out(world, &progress, &chosen, pace, work).await
}

/// Returns the last part of a path on a host.
fn file_name(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next().unwrap_or_default();
    (!matches!(name, "" | "." | ".." | "~")).then_some(name)
}

/// Returns the name of the directory for a host: nothing that leads elsewhere.
fn directory_name(name: &str) -> String {
    let name = name.replace(['/', ' '], "_");
    if name.starts_with('.') {
        format!("_{name}")
    } else {
        name
    }
}

impl Job<'_> {
    async fn run(&self, number: usize, chosen: &Chosen, place: PathBuf) -> Outcome {
        let downloaded = match self.download(number, chosen, &place).await {
            Ok(downloaded) => downloaded,
            Err(failure) => return Outcome::of(&chosen.name, Ended::Failed(Box::new(failure))),
        };
        let Downloaded { fingerprint, mode } = downloaded;
        let shown = place.display();
        let size = fingerprint.size;
        self.progress
            .tell(&format!("{}: {shown} ({size} bytes)", chosen.name))
            .await;
        let mut outcome = Outcome::of(&chosen.name, Ended::Status(ExitStatus::Code(0)));
        let details = [
            ("path", json!(place.to_string_lossy())),
            ("bytes", json!(size)),
            ("sha256", json!(fingerprint.sha256)),
            ("mode", json!(format!("{mode:04o}"))),
        ];
        outcome.add(details);
        outcome
    }

    async fn download(
        &self,
        number: usize,
        chosen: &Chosen,
        place: &Path,
    ) -> Result<Downloaded, Failure> {
        let local = |what: &str, error: &std::io::Error| {
            Failure::new(format!("cannot {what} `{}`", place.display()))
                .caused_by(error)
                .on_host(&chosen.name)
        };
        let host = self.hosts.open(number, chosen).await?;
        let directory = place.parent().unwrap_or_else(|| Path::new("/"));
        std::fs::create_dir_all(directory)
            .map_err(|error| local("make the directory of", &error))?;
        // Beside its place, so that it can be put there at once; it is gone on every way out.
        let temporary = tempfile::Builder::new()
            .prefix(".launchpad-")
            .tempfile_in(directory)
            .map_err(|error| local("write", &error))?;
        let reopened = temporary.reopen().map_err(|error| local("write", &error))?;
        let mut file = File::from_std(reopened);
        let downloaded = host
            .files()
            .download(self.source, &mut file, self.elevated)
            .await;
        host.close().await;
        let downloaded = downloaded.map_err(|error| transfer::failure(&chosen.name, &error))?;
        file.sync_all()
            .await
            .map_err(|error| local("write", &error))?;
        let mode = Permissions::from_mode(downloaded.mode & 0o777);
        file.set_permissions(mode)
            .await
            .map_err(|error| local("set the mode of", &error))?;
        temporary
            .persist(place)
            .map_err(|error| local("write", &error.error))?;
        Ok(downloaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_and_hosts_lead_nowhere_else() {
        assert_eq!(file_name("/var/log/syslog"), Some("syslog"));
        assert_eq!(file_name("notes"), Some("notes"));
        for path in ["/var/log/", "/", "", "..", "/a/..", "~"] {
            assert_eq!(file_name(path), None, "{path}");
        }
        assert_eq!(directory_name("10.0.0.1"), "10.0.0.1");
        assert_eq!(directory_name("../up"), "_.._up");
        assert_eq!(directory_name("a:22 via b:22"), "a:22_via_b:22");
    }
}
