//! `launchpad init`: a first configuration, from flags, an inventory, or a short interview.
//!
//! It is loaded before it is written: what is wrong with an answer is told as it would be for a file.
//! Nothing is written before everything is known.

mod interview;

use std::path::Path;

use config::{Code, ListedHost, Loaded, PASSWORD_VARIABLE, Source, Starter};

use crate::arguments::{ClusterKind, InitArguments};
use crate::error::{CliError, DONE};
use crate::private;
use crate::world::World;

/// The name of the document in messages, where it goes to standard output.
const USUAL_NAME: &str = "launchpad.yaml";

pub(crate) async fn run(world: &mut World, arguments: &InitArguments) -> Result<u8, CliError> {
    let target = arguments.output.as_deref();
    let target = target.map(|path| world.current_dir.join(path));
    if let Some(path) = target.as_deref().filter(|_| !arguments.force) {
        // Nobody is asked anything for a file that will not be written.
        if path.symlink_metadata().is_ok() {
            return Err(is_there(path));
        }
    }
    let mut starter = from_flags(world, arguments)?;
    if starter.hosts.is_empty() {
        starter = interview::hold(world, arguments, starter).await?;
    }
    let text = starter.to_yaml().map_err(usage)?;
    let name = target
        .as_ref()
        .map_or_else(|| USUAL_NAME.to_owned(), |path| path.display().to_string());
    let left = load(world, name, &text)?;
    match &target {
        Some(path) => write(world, path, &text, arguments.force)?,
        None => world.print(&text)?,
    }
    world.say(&told(target.as_deref(), left));
    Ok(DONE)
}

fn usage(error: impl ToString) -> CliError {
    CliError::Usage(error.to_string())
}

fn is_there(path: &Path) -> CliError {
    CliError::Usage(format!(
        "`{}` is there already: `--force` replaces it",
        path.display()
    ))
}

/// Returns what flags say of the configuration.
fn from_flags(world: &World, arguments: &InitArguments) -> Result<Starter, CliError> {
    let hosts = match &arguments.inventory {
        Some(path) => inventory(&world.current_dir.join(path))?,
        None => config::parse_hosts(&arguments.hosts.join(",")).map_err(usage)?,
    };
    if hosts.is_empty() && (arguments.inventory.is_some() || !arguments.hosts.is_empty()) {
        return Err(usage("there is no host in what was given"));
    }
    let msr_hosts = match arguments.kind {
        Some(ClusterKind::MkeAndMsr) => arguments.msr_hosts.unwrap_or(1),
        Some(ClusterKind::Mke) | None => arguments.msr_hosts.unwrap_or(0),
    };
    if arguments.kind == Some(ClusterKind::Mke) && msr_hosts > 0 {
        return Err(usage("hosts for MSR take `--kind mke+msr`"));
    }
    Ok(Starter {
        name: arguments.name.clone(),
        hosts,
        user: arguments.user.clone(),
        key: arguments.key.clone(),
        managers: arguments.managers,
        msr_hosts,
        mke_version: arguments.mke_version.clone(),
        channel: arguments.channel.clone(),
        has_password: world
            .var(PASSWORD_VARIABLE)
            .is_some_and(|it| !it.is_empty()),
    })
}

/// Reads the hosts of a file.
fn inventory(path: &Path) -> Result<Vec<ListedHost>, CliError> {
    let local = |source| CliError::Local {
        what: format!("cannot read the inventory `{}`", path.display()),
        source,
    };
    let text = std::fs::read_to_string(path).map_err(local)?;
    config::parse_inventory(&text)
        .map_err(|error| usage(format!("cannot read `{}`: {error}", path.display())))
}

/// Returns what is wrong with a version that names no release.
fn short_version(loaded: &Loaded) -> Option<&str> {
    let mut warnings = loaded.warnings.iter();
    let short = warnings.find(|one| one.code == Code::ShortVersion)?;
    Some(&short.message)
}

/// Loads a configuration that was made, and returns how many things are left to be done.
fn load(world: &World, name: String, text: &str) -> Result<usize, CliError> {
    let source = Source {
        name,
        text: text.as_bytes().to_vec(),
    };
    let loaded = config::load(source, world).map_err(CliError::Config)?;
    if let Some(short) = short_version(&loaded) {
        return Err(usage(format!("--mke-version: {short}")));
    }
    let warnings = loaded.warnings.iter();
    Ok(warnings
        .filter(|warning| warning.code == Code::Todo)
        .count())
}

fn write(world: &World, path: &Path, text: &str, may_replace: bool) -> Result<(), CliError> {
    let path = private::followed(path)?;
    let was = if may_replace {
        private::read(&path)?
    } else {
        None
    };
    let id = (world.run_id)();
    if private::replace_file(
        &path,
        &id,
        private::PRIVATE,
        was.as_deref(),
        text.as_bytes(),
    )? {
        return Ok(());
    }
    Err(is_there(&path))
}

/// Says where it is, and what to do next.
fn told(target: Option<&Path>, left: usize) -> String {
    let written = target.map_or_else(String::new, |path: &Path| {
        format!("written to {}; ", path.display())
    });
    let next = "`launchpad plan` shows what would be done";
    match left {
        0 => format!("{written}{next}"),
        1 => format!("{written}one line is left to be done: look for `TODO`; then {next}"),
        many => format!("{written}{many} lines are left to be done: look for `TODO`; then {next}"),
    }
}
