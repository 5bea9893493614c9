//! `launchpad client-config`: a client bundle of MKE, and its access merged into a kubeconfig.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use config::Code;
use phase::event::PhaseName;
use phase::{Emitter, Ending, Event, Failure, Mode};
use product::mke::client_config::{ClientBundle, KUBE_YML, fetch};
use product::mke::connect::Connecting;
use product::mke::kubeconfig::{self, Access, CurrentContext};
use product::mke::login::Credentials;
use product::mke::shared::{Clock, Shared, Wishes};
use report::directory::bundle_directory;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::VERSION;
use crate::arguments::{ClientConfigArguments, OutputFormat};
use crate::confirm::Confirmer;
use crate::error::{self, CliError};
use crate::private::{self, Staging};
use crate::session::{self, Loaded, Request, on};
use crate::world::World;

/// The one phase of this command.
const PHASE: &str = "client-config";
/// How often a kubeconfig is merged into that somebody else is writing.
const TRIES: usize = 5;
/// The largest kubeconfig that is merged into, in bytes.
const LARGEST_KUBECONFIG: usize = 16 << 20;

pub(crate) async fn run(
    world: &mut World,
    arguments: &ClientConfigArguments,
) -> Result<u8, CliError> {
    warn_of_ignored(world, arguments);
    let mut loaded = session::load(world, &arguments.cluster).await?;
    let user = credentials(&loaded)?;
    let Some(home) = world.home.clone() else {
        return Err(CliError::Usage(
            "there is no home directory to keep the bundle in: set `HOME`".to_owned(),
        ));
    };
    // What is wrong on this machine is told before anything is asked for.
    let kubeconfig = match &arguments.merge {
        Some(given) => Some(kubeconfig_path(world, &home, given.as_deref())?),
        None => None,
    };
    if let Some(path) = &kubeconfig {
        kubeconfig::check(&existing(path)?.text).map_err(|error| wrong(path, &error))?;
    }
    let id = (world.run_id)();
    let target = bundle_directory(&home, &loaded.config.name, &user);
    let staging = Staging::create(&target, &id, SystemTime::from((world.now)()))?;
    loaded
        .config
        .hosts
        .retain(|host| host.role == config::Role::Manager);

    let bundle = match download(world, arguments, loaded, &id).await? {
        Ok(bundle) => bundle,
        Err(status) => return Ok(status),
    };
    for file in &bundle.files {
        staging.add(&file.path, file.content.expose_secret())?;
    }
    staging.swap()?;
    let merged = match &kubeconfig {
        None => None,
        Some(path) => Some(merge_into(path, &bundle, &id).inspect_err(|_| {
            world.say(&format!("the bundle itself is in `{}`", target.display()));
        })?),
    };
    let result = Outcome {
        bundle: &bundle,
        directory: &target,
        user: &user,
        merged: merged.as_ref(),
    };
    world.print(&match arguments.output {
        OutputFormat::Table => result.text(),
        OutputFormat::Json => session::pretty(&result.json()),
    })?;
    Ok(error::DONE)
}

fn warn_of_ignored(world: &mut World, arguments: &ClientConfigArguments) {
    if arguments.username.is_some() {
        world.say(
            "warning: `--username` is not looked at: the user is `spec.mke.adminUsername` of the \
             configuration",
        );
    }
    if arguments.password.is_some() {
        world.say(
            "warning: `--password` is not looked at: the password is `spec.mke.adminPassword` of \
             the configuration, which may name a variable (`${MKE_PASSWORD}`); on a command line \
             everybody on this machine can read it",
        );
    }
}

/// Makes sure that there is somebody to log in as, before anything is connected to.
fn credentials(loaded: &Loaded) -> Result<String, CliError> {
    match Credentials::of(&loaded.config.mke) {
        Ok(credentials) => Ok(credentials.username.to_owned()),
        Err(error) => {
            let message = format!("{error}: a client bundle is that of a user who can log in");
            let config = &loaded.config;
            let diagnostic = config.problem_at(Code::NoCredentials, "spec.mke", message);
            Err(CliError::Config(vec![diagnostic].into()))
        }
    }
}

/// Fetches the bundle; an exit status where that was told of already.
async fn download(
    world: &mut World,
    arguments: &ClientConfigArguments,
    loaded: Loaded,
    id: &str,
) -> Result<Result<ClientBundle, u8>, CliError> {
    let request = Request {
        command: PHASE,
        common: &arguments.common,
        cluster: &arguments.cluster,
        run: None,
        mode: Mode::Observe,
        clean_up: false,
        must_be_supported: false,
        repeat_with: session::repeat_with(PHASE, &loaded.origin),
    };
    let config = loaded.config;
    let redactor = session::redactor(&arguments.cluster, &config, &[]);
    let connector = session::prepare_all(world, &arguments.cluster, &config).await?;
    let now = (world.now)();
    let sinks = session::open_sinks(world, &request, &config.name, id, now);
    let mut told = sinks.sinks();
    told.extend(world.listeners.iter().cloned());
    let emitter = Emitter::new(told);
    let clock = Arc::clone(&world.now);
    let clock = Clock(Arc::new(move || clock().as_duration().as_secs_f64()));
    let shared = Shared::new(config, id.to_owned(), Wishes::default(), clock);
    let connecting = Connecting {
        connector,
        emitter: emitter.clone(),
        redactor,
        limits: rig::limits::SharedLimits::default(),
        backoff: session::backoff(request.mode),
        dry_run: false,
        confirm: on(arguments.cluster.confirm)
            .then(|| Arc::new(Confirmer::new(Arc::clone(&world.ask))) as Arc<dyn rig::Confirm>),
    };
    begin(&emitter, &shared, now);
    let fetched = tokio::select! {
        fetched = fetch(&shared, &connecting) => Ok(fetched),
        Some(signal) = session::next_signal(&mut world.signals) => Err(signal),
    };
    let (ending, failures) = match &fetched {
        Ok(Ok(_)) => (Ending::Done, Vec::new()),
        Ok(Err(failures)) => (Ending::Failed, failures.clone()),
        Err(_) => (Ending::Interrupted, Vec::new()),
    };
    end(&emitter, ending, failures);
    for host in shared.connected_hosts().values() {
        host.close().await;
    }
    let finished = sinks.finish().await;
    session::tell_log_error(world, &finished);
    match fetched {
        Ok(fetched) => Ok(fetched.map_err(|_told| error::FAILED)),
        Err(signal) => Err(CliError::Interrupted(signal)),
    }
}

fn begin(emitter: &Emitter, shared: &Shared, now: jiff::Timestamp) {
    emitter.emit(Event::RunStarted {
        run_id: shared.run_id.clone(),
        version: VERSION.to_owned(),
        command: PHASE.to_owned(),
        cluster: shared.config.name.clone(),
        started_at: now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        hosts: shared.names().to_vec(),
        phases: vec![PhaseName {
            id: PHASE.to_owned(),
            title: "Download Client Bundle".to_owned(),
        }],
    });
    emitter.emit(Event::PhaseStarted {
        phase: PHASE.to_owned(),
    });
}

fn end(emitter: &Emitter, ending: Ending, failures: Vec<Failure>) {
    let duration_ms = emitter.elapsed_ms();
    for failure in failures {
        let failure = failure.in_phase(PHASE);
        emitter.emit(Event::Failed { failure });
    }
    emitter.emit(Event::PhaseFinished {
        phase: PHASE.to_owned(),
        ok: ending == Ending::Done,
        duration_ms,
    });
    emitter.emit(Event::RunFinished {
        ending,
        steps_done: 0,
        set_aside: Vec::new(),
        duration_ms,
    });
}

/// Returns the kubeconfig that is merged into: the one that was named, else the first of
/// `$KUBECONFIG`, else that of the user.
fn kubeconfig_path(world: &World, home: &Path, given: Option<&Path>) -> Result<PathBuf, CliError> {
    let path = match given {
        Some(path) => match path.strip_prefix("~") {
            // A shell leaves it as it is behind a `=`.
            Ok(rest) => home.join(rest),
            Err(_) => path.to_owned(),
        },
        None => {
            let listed = world.var("KUBECONFIG").unwrap_or_default();
            let mut listed = std::env::split_paths(listed);
            let first = listed.find(|path| !path.as_os_str().is_empty());
            first.unwrap_or_else(|| home.join(".kube").join("config"))
        }
    };
    Ok(private::followed(&world.current_dir.join(path))?)
}

/// A kubeconfig as it is.
struct Existing {
    content: Option<Vec<u8>>,
    text: String,
}

fn existing(path: &Path) -> Result<Existing, CliError> {
    let content = private::read(path)?;
    let refuse = |why: &str| {
        let path = path.display();
        Err(CliError::Usage(format!(
            "cannot merge into `{path}`: {why}"
        )))
    };
    let bytes = content.clone().unwrap_or_default();
    if bytes.len() > LARGEST_KUBECONFIG {
        return refuse("it is too large for a kubeconfig");
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Existing { content, text }),
        Err(_) => refuse("it is not UTF-8, so that it is no kubeconfig"),
    }
}

fn wrong(path: &Path, error: &kubeconfig::KubeconfigError) -> CliError {
    let (path, what) = (path.display(), &error.what);
    let (line, column) = (error.line, error.column);
    CliError::Usage(format!(
        "cannot merge into `{path}:{line}:{column}`: {what}"
    ))
}

fn merge_into(path: &Path, bundle: &ClientBundle, id: &str) -> Result<Merge, CliError> {
    match &bundle.access {
        Some(access) => merge(path, access, id),
        None => Err(CliError::Usage(
            "this cluster has no Kubernetes, so that its bundle has no access to merge: leave \
             `--merge` out"
                .to_owned(),
        )),
    }
}

/// What a merge has done.
struct Merge {
    path: PathBuf,
    current: CurrentContext,
    copy: Option<PathBuf>,
}

/// Merges the access to the cluster into a kubeconfig; again where somebody else has written it in
/// between.
fn merge(path: &Path, access: &Access, id: &str) -> Result<Merge, CliError> {
    for _ in 0..TRIES {
        let Existing { content, text } = existing(path)?;
        let merged = kubeconfig::merge(&text, access).map_err(|error| wrong(path, &error))?;
        let copy = match merged.is_rewritten {
            true => Some(private::keep_copy(path, private::PRIVATE, text.as_bytes())?),
            false => None,
        };
        let fresh = merged.text.expose_secret().as_bytes();
        if private::replace_file(path, id, private::PRIVATE, content.as_deref(), fresh)? {
            return Ok(Merge {
                path: path.to_owned(),
                current: merged.current,
                copy,
            });
        }
    }
    Err(CliError::Usage(format!(
        "cannot merge into `{}`: somebody else is writing it all the time",
        path.display()
    )))
}

/// What has come of it.
struct Outcome<'a> {
    bundle: &'a ClientBundle,
    directory: &'a Path,
    user: &'a str,
    merged: Option<&'a Merge>,
}

impl Outcome<'_> {
    /// The path of the bundle stands on the first line, for scripts.
    fn text(&self) -> String {
        let quote = |path: &Path| rig::shell::show([path.to_string_lossy().as_ref()]);
        let directory = quote(self.directory);
        let mut text = format!("{}\n\n", self.directory.display());
        if let Some(access) = &self.bundle.access {
            text.push_str(&format!("kubectl  ({}):\n", access.server));
            match self.merged {
                Some(merged) => {
                    text.push_str(&format!("  {}\n", about(merged, access)));
                    let context = rig::shell::show([access.name.as_str()]);
                    text.push_str(&format!("  kubectl --context {context} get nodes\n\n"));
                }
                None => {
                    let kube_yml = quote(&self.directory.join(KUBE_YML));
                    text.push_str(&format!("  kubectl --kubeconfig {kube_yml} get nodes\n\n"));
                }
            }
        }
        text.push_str("docker:\n");
        text.push_str(&format!(
            "  cd {directory} && eval \"$(cat env.sh)\" && docker info\n"
        ));
        text
    }

    /// Scripts read this: a key that is here stays.
    fn json(&self) -> Value {
        let access = self.bundle.access.as_ref();
        let files: Vec<String> = self.bundle.files.iter().map(|file| file.name()).collect();
        json!({
            "directory": self.directory.display().to_string(),
            "files": files,
            "manager": self.bundle.manager,
            "username": self.user,
            "kubeconfig": access.map(|_| self.directory.join(KUBE_YML).display().to_string()),
            "context": access.map(|access| &access.name),
            "server": access.map(|access| &access.server),
            "merged": self.merged.map(|merged| json!({
                "path": merged.path.display().to_string(),
                "current_context": match &merged.current {
                    CurrentContext::Set | CurrentContext::Already => access.map(|it| &it.name),
                    CurrentContext::Kept(other) => Some(other),
                },
                "copy": merged.copy.as_ref().map(|copy| copy.display().to_string()),
            })),
        })
    }
}

/// Says what a merge has done.
fn about(merged: &Merge, access: &Access) -> String {
    let path = merged.path.display();
    let current = match &merged.current {
        CurrentContext::Set => "which is the current one now".to_owned(),
        CurrentContext::Already => "which is the current one".to_owned(),
        CurrentContext::Kept(other) => {
            format!("the current one is still `{}`", other.escape_debug())
        }
    };
    let copy = match &merged.copy {
        Some(copy) => format!(
            "; the file had to be written anew without its comments, as it was it is in `{}`",
            copy.display()
        ),
        None => String::new(),
    };
    format!(
        "# merged into {path} as context `{}`, {current}{copy}",
        access.name
    )
}
