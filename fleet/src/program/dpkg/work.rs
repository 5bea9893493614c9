//! Unpacking, setting up, removing: files and the scripts of maintainers.

use std::sync::Arc;

use crate::files::{Content, Credentials, Files, Follow, Kind};
use crate::packages::{Installed, Package, PackageFile, State};
use crate::pipe::Reader;
use crate::program::Invocation;
use crate::program::launch::Launch;

type Moment = std::time::Duration;

/// Whether a run of dpkg has read its database: it says so once, before its first change.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    is_done: bool,
}

impl Reading {
    fn show(&mut self, invocation: &mut Invocation) {
        if self.is_done {
            return;
        }
        self.is_done = true;
        let count = invocation.host(|host| 9100 + host.packages.installed.len());
        let mut text = String::from("(Reading database ... ");
        for percent in (5..=100).step_by(5) {
            text.push_str(&format!("\r(Reading database ... {percent}%"));
        }
        invocation.print(&format!(
            "{text}\r(Reading database ... {count} files and directories currently installed.)\n"
        ));
    }
}

/// Puts the files of a package in place.
pub(crate) async fn unpack(
    invocation: &mut Invocation,
    package: &Arc<Package>,
    is_automatic: bool,
    reading: &mut Reading,
) -> u8 {
    let name = &package.name;
    let version = &package.version;
    let old = invocation.host(|host| host.packages.get(name).cloned());
    let shown = package.shown();
    if old.is_none() {
        invocation.print(&format!(
            "Selecting previously unselected package {shown}.\n"
        ));
    }
    reading.show(invocation);
    let archive = format!(
        "{name}_{}_{}.deb",
        version.replace(':', "%3a"),
        package.architecture
    );
    invocation.print(&format!("Preparing to unpack .../{archive} ...\n"));
    if let Some(old) = &old {
        let status = script(invocation, &old.package, "prerm", &["upgrade", version]).await;
        if status != 0 {
            return status;
        }
    }
    let over = old
        .as_ref()
        .map(|old| format!(" over ({})", old.package.version));
    let over = over.unwrap_or_default();
    invocation.print(&format!("Unpacking {shown} ({version}){over} ...\n"));
    invocation.spend(crate::time::of("dpkg unpack")).await;
    invocation.flush().await;
    let now = invocation.now();
    let was_automatic = old.as_ref().map(|old| old.is_automatic);
    let placed = invocation.host(|host| {
        if let Some(old) = &old {
            for file in old.package.files.iter().rev() {
                let is_kept = package.files.iter().any(|one| one.path() == file.path());
                if !is_kept {
                    take_away(&mut host.files, file, now);
                }
            }
        }
        for file in &package.files {
            place(&mut host.files, file, now)?;
        }
        host.packages.set(Installed {
            package: Arc::clone(package),
            state: State::Unpacked,
            is_automatic: was_automatic.unwrap_or(is_automatic),
            is_held: false,
            origin: String::new(),
            since: Moment::ZERO,
        });
        Ok::<(), (String, crate::files::Errno)>(())
    });
    if let Err((path, errno)) = placed {
        invocation.complain(&format!(
            "dpkg: error processing archive /var/cache/apt/archives/{archive} (--unpack):\n \
             cannot copy extracted data for '.{path}' to '{path}.dpkg-new': failed to write \
             ({errno})\n"
        ));
        return 1;
    }
    0
}

pub(crate) fn place(
    files: &mut Files,
    file: &PackageFile,
    now: Moment,
) -> Result<(), (String, crate::files::Errno)> {
    let root = Credentials::root();
    let path = file.path();
    let failed = |errno| (path.to_owned(), errno);
    let (directory, _) = crate::files::split(path);
    files
        .make_dirs(directory, 0o755, &root, now)
        .map_err(failed)?;
    let replace = |files: &mut Files, kind: Kind, mode: u32| {
        // A link or a directory of another package may be in the way; dpkg replaces files.
        let _ = files.remove_file(path, &root, now);
        files
            .make_node(path, kind, mode, &root, now)
            .map_err(failed)
    };
    match file {
        PackageFile::Directory(_) => files.make_dirs(path, 0o755, &root, now).map_err(failed),
        PackageFile::Program(_) => {
            let name = path.rsplit('/').next().unwrap_or_default();
            replace(files, Kind::File(Content::Program(Arc::from(name))), 0o755)
        }
        PackageFile::Text(_, mode, text) => {
            replace(files, Kind::File(Content::from(text.as_str())), *mode)
        }
        // A configuration file that is there stays as it is (`--force-confold`).
        PackageFile::Configuration(..) if files.exists(path) => Ok(()),
        PackageFile::Configuration(_, mode, text) => {
            replace(files, Kind::File(Content::from(text.as_str())), *mode)
        }
        PackageFile::Link(_, target) => replace(files, Kind::Link(Arc::from(&**target)), 0o777),
    }
}

pub(crate) fn take_away(files: &mut Files, file: &PackageFile, now: Moment) {
    let root = Credentials::root();
    let path = file.path();
    // Directories with other files in them stay, and what is not there is gone already.
    let _ = match file {
        PackageFile::Directory(_) => files.remove_dir(path, &root, now),
        _ => files.remove_file(path, &root, now),
    };
}

/// Sets a package up that was unpacked.
pub(crate) async fn configure(invocation: &mut Invocation, name: &str) -> u8 {
    let Some(installed) = invocation.host(|host| host.packages.get(name).cloned()) else {
        invocation.complain(&format!(
            "dpkg: error processing package {name} (--configure):\n package {name} is not ready \
             for configuration\n"
        ));
        return 1;
    };
    if installed.state == State::Installed {
        return 0;
    }
    let package = installed.package;
    let shown = package.shown();
    invocation.print(&format!("Setting up {shown} ({}) ...\n", package.version));
    invocation.flush().await;
    invocation.host(|host| host.packages.set_state(name, State::HalfConfigured));
    invocation.spend(crate::time::of("dpkg configure")).await;
    let status = script(invocation, &package, "postinst", &["configure", ""]).await;
    if status != 0 {
        invocation.complain(&format!(
            "dpkg: error processing package {name} (--configure):\n installed {name} package \
             post-installation script subprocess returned error exit status {status}\n"
        ));
        return 1;
    }
    invocation.host(|host| host.packages.set_state(name, State::Installed));
    0
}

/// Removes a package; its configuration files stay.
pub(crate) async fn remove(invocation: &mut Invocation, name: &str, reading: &mut Reading) -> u8 {
    let found = invocation.host(|host| host.packages.installed.get(name).cloned());
    let Some(installed) = found else {
        invocation.complain(&format!(
            "dpkg: warning: ignoring request to remove {name} which isn't installed\n"
        ));
        return 0;
    };
    if installed.state == State::ConfigFiles {
        return 0;
    }
    let package = installed.package;
    reading.show(invocation);
    let shown = package.shown();
    invocation.print(&format!("Removing {shown} ({}) ...\n", package.version));
    let status = script(invocation, &package, "prerm", &["remove"]).await;
    if status != 0 {
        return status;
    }
    invocation.spend(crate::time::of("dpkg unpack")).await;
    invocation.flush().await;
    let now = invocation.now();
    invocation.host(|host| {
        for file in package.files.iter().rev() {
            if !matches!(file, PackageFile::Configuration(..)) {
                take_away(&mut host.files, file, now);
            }
        }
        host.packages.set_state(name, State::ConfigFiles);
    });
    let status = script(invocation, &package, "postrm", &["remove"]).await;
    if status != 0 {
        return status;
    }
    if !has_rest(&package) {
        invocation.host(|host| host.packages.forget(name));
    }
    0
}

fn is_configuration(file: &&PackageFile) -> bool {
    matches!(file, PackageFile::Configuration(..))
}

/// Whether something of a package is left when it is removed.
fn has_rest(package: &Package) -> bool {
    package.files.iter().any(|file| is_configuration(&file))
        || package.scripts.contains_key("postrm")
}

/// Removes what is left of a package that was removed.
pub(crate) async fn purge(invocation: &mut Invocation, name: &str, reading: &mut Reading) -> u8 {
    let found = invocation.host(|host| host.packages.installed.get(name).cloned());
    let Some(installed) = found else {
        return 0;
    };
    let package = installed.package;
    let now = invocation.now();
    reading.show(invocation);
    invocation.print(&format!(
        "Purging configuration files for {} ({}) ...\n",
        package.shown(),
        package.version
    ));
    invocation.host(|host| {
        for file in package.files.iter().filter(is_configuration) {
            take_away(&mut host.files, file, now);
        }
    });
    let status = script(invocation, &package, "postrm", &["purge"]).await;
    if status == 0 {
        invocation.host(|host| host.packages.forget(name));
    }
    status
}

/// Runs a script of the maintainer, as dpkg does: from a file of the host.
async fn script(
    invocation: &mut Invocation,
    package: &Package,
    which: &str,
    arguments: &[&str],
) -> u8 {
    let Some(text) = package.scripts.get(which) else {
        return 0;
    };
    let path = format!("/var/lib/dpkg/info/{}.{which}", package.name);
    let root = Credentials::root();
    let now = invocation.now();
    let written = invocation.host(|host| {
        let content = Content::from(text.as_str());
        let _ = host.files.remove_file(&path, &root, now);
        host.files
            .make_node(&path, Kind::File(content), 0o755, &root, now)
    });
    if written.is_err() {
        return 1;
    }
    let mut words = vec![path.clone()];
    words.extend(arguments.iter().map(|word| (*word).to_owned()));
    let status = run(invocation, words).await;
    if which == "postrm" {
        // The script of a package that is gone stays until it is purged; its file is no matter.
        let _ = invocation.host(|host| host.files.remove_file(&path, &root, now));
    }
    let is_there = invocation.host(|host| host.files.stat(&path, Follow::No, &root).is_ok());
    if is_there && which == "prerm" {
        let _ = invocation.host(|host| host.files.remove_file(&path, &root, now));
    }
    status
}

/// Runs a program with the outputs of dpkg: where those are a terminal, with one.
async fn run(invocation: &mut Invocation, words: Vec<String>) -> u8 {
    if !invocation.is_on_terminal {
        return invocation.run_program(&words, Reader::null()).await;
    }
    let launch = match invocation.launch(words) {
        Ok(launch) => launch,
        Err(status) => return status,
    };
    let (writer, reader) = crate::pipe::pipe();
    let writer = writer.of_terminal();
    let launch = Launch {
        stdin: Reader::null(),
        stdout: writer.clone(),
        stderr: writer,
        ..launch
    };
    let (status, said) = tokio::join!(invocation.run_launch(launch), reader.read_to_end());
    // A pipe of ours can be read.
    invocation.print_bytes(&said.unwrap_or_default());
    status
}
