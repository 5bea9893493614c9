//! `pull`, `images`, `login`, …

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value as Json, json};

use super::flags::{Flag, Flags};
use super::listing::Listing;
use super::{Docker, Failure, Outcome, only, said, some, unknown, usage};
use crate::engine::disk::{cannot, disk};
use crate::engine::image::{Local, Reference, familiar, is_repository};
use crate::engine::registry::Login;
use crate::engine::value::{Value, map};
use crate::engine::{Refusal, names, pull, refusal, show};
use crate::world::{HostId, World};

const COLUMNS: &[(&str, &str)] = &[
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("ID", "IMAGE ID"),
    ("CreatedSince", "CREATED"),
    ("Size", "SIZE"),
];

/// Returns the name under which the logins for a registry are kept.
pub(super) fn server(domain: &str) -> &str {
    if domain == "docker.io" {
        "https://index.docker.io/v1/"
    } else {
        domain
    }
}

impl Docker<'_> {
    /// Commands of images.
    pub(super) async fn image(&mut self, words: &[&str]) -> Outcome {
        match words {
            ["pull", rest @ ..] => self.pull(rest).await,
            ["ls" | "list", rest @ ..] => self.images(rest).await,
            ["inspect", rest @ ..] => self.inspect(rest, Some("image")).await,
            ["rm" | "remove", rest @ ..] => self.remove_images(rest).await,
            ["tag", rest @ ..] => self.tag(rest).await,
            ["push", rest @ ..] => self.push(rest).await,
            ["prune", rest @ ..] => self.prune_images(rest).await,
            ["history", rest @ ..] => self.history(rest).await,
            ["load", rest @ ..] => self.load(rest).await,
            ["save", rest @ ..] => self.save(rest).await,
            [word, ..] => Err(unknown(format!("the command image {word}"))),
            [] => Err(unknown("the help of image")),
        }
    }

    async fn pull(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::switch("quiet").short('q')], words)?;
        let name = only(&flags, "pull")?;
        let is_old = show::info::major(&self.client_version()) < 23;
        let reference = Reference::parse(name).map_err(|text| match text.split_once(" (") {
            // Which name it is was told only later.
            Some((start, rest)) if is_old => {
                let end = rest.split_once(')').map_or("", |(_, end)| end);
                said(format!("{start}{end}"))
            }
            _ => said(text),
        })?;
        let is_quiet = flags.has("quiet");
        if is_repository(name) && !is_quiet {
            self.invocation.print("Using default tag: latest\n");
        }
        let (text, shown) = self.fetch(&reference).await?;
        if !is_quiet {
            self.invocation.print(&text);
        }
        self.invocation.print(&format!("{shown}\n"));
        Ok(0)
    }

    /// Pulls an image; returns what is printed on the way, and its whole name.
    pub(super) async fn fetch(
        &mut self,
        reference: &Reference,
    ) -> Result<(String, String), Failure> {
        let login = self.login_for(&reference.domain);
        let plan = self
            .engine(|world, host, _| Ok(pull::plan(world, host, reference, login.as_ref())))
            .await?;
        self.invocation.sleep(plan.took()).await;
        let image = plan
            .image
            .map_err(|trouble| Failure::from(refusal(500, trouble.message)))?;
        let is_new = self
            .engine(|world, host, now| {
                let known = world.engine(host).images.find(&reference.to_string());
                let is_new = known.is_none_or(|known| known.image.id != image.id);
                pull::keep(world, host, reference, &image, now)?;
                Ok(is_new)
            })
            .await?;
        let tag = reference.tag.as_deref().or(reference.digest.as_deref());
        let mut text = format!(
            "{}: Pulling from {}\n",
            tag.unwrap_or_default(),
            reference.path
        );
        for layer in &image.layers {
            let is_missing = plan.layers.contains(layer);
            let what = if is_missing {
                "Pull complete"
            } else {
                "Already exists"
            };
            if is_new {
                text.push_str(&format!("{}: {what}\n", names::short(&layer.digest)));
            }
        }
        text.push_str(&format!("Digest: {}\n", image.digest));
        let status = match is_new {
            true => "Downloaded newer image for",
            false => "Image is up to date for",
        };
        text.push_str(&format!("Status: {status} {reference}\n"));
        let whole = reference
            .tagged()
            .unwrap_or_else(|| format!("{}@{}", reference.repository(), image.digest));
        Ok((text, whole))
    }

    /// `docker images`.
    pub(super) async fn images(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("all").short('a'),
            Flag::switch("quiet").short('q'),
            Flag::switch("no-trunc"),
            Flag::switch("digests"),
            Flag::value("filter").short('f'),
            Flag::value("format"),
        ];
        let flags = Flags::parse(&known, words)?;
        let mut wanted = flags.rest.clone();
        let mut only_dangling = false;
        for (name, value) in flags.pairs("filter") {
            match name.as_str() {
                "reference" => wanted.push(value),
                "dangling" => only_dangling = value == "true" || value == "1",
                other => return Err(unknown(format!("the filter {other}"))),
            }
        }
        let is_whole = flags.has("no-trunc");
        let rows = self
            .engine(|world, host, now| {
                let images = world.engine(host).images.iter();
                let wall = world.wall(host, now);
                let rows = images.flat_map(|one| rows(one, wall, is_whole));
                Ok(rows.collect::<Vec<Value>>())
            })
            .await?;
        let fits = |row: &Value| {
            let repository = row.at(&["Repository"]).as_text();
            let name = format!("{repository}:{}", row.at(&["Tag"]).as_text());
            if only_dangling && repository != "<none>" {
                return false;
            }
            wanted.is_empty()
                || wanted
                    .iter()
                    .any(|one| is_like(one, repository) || is_like(one, &name))
        };
        let listing = Listing {
            columns: COLUMNS,
            rows: rows.into_iter().filter(fits).collect(),
            key: "ID",
        };
        self.list(listing, &flags)
    }

    async fn tag(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[], words)?;
        let [old, new] = flags.rest.as_slice() else {
            return Err(usage("tag", "requires exactly 2 arguments"));
        };
        let reference = Reference::parse(new).map_err(|text| {
            said(format!(
                "Error parsing reference: \"{new}\" is not a valid repository/tag: {text}"
            ))
        })?;
        self.engine(|world, host, _| {
            let local = find(world, host, old)?;
            let image = std::sync::Arc::clone(&local.image);
            if let Some(name) = reference.tagged() {
                world.engine_mut(host).images.tag(&image, &name);
            }
            Ok(())
        })
        .await?;
        Ok(0)
    }

    /// `docker rmi`.
    pub(super) async fn remove_images(&mut self, words: &[&str]) -> Outcome {
        let known = [Flag::switch("force").short('f'), Flag::switch("no-prune")];
        let flags = Flags::parse(&known, words)?;
        some(&flags, "rmi")?;
        let is_forced = flags.has("force");
        let mut status = 0;
        for name in &flags.rest {
            let removed = self
                .engine(|world, host, now| remove(world, host, name, is_forced, now))
                .await;
            match removed {
                Ok(lines) => {
                    for line in lines {
                        self.invocation.print(&format!("{line}\n"));
                    }
                }
                Err(Failure::Said(text, _))
                    if text.contains("No such image")
                        && show::info::major(&self.client_version()) < 25 =>
                {
                    status = self.tell(said(format!("Error: No such image: {name}")))?;
                }
                Err(failure) => status = self.tell(failure)?,
            }
        }
        Ok(status)
    }

    async fn prune_images(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("force").short('f'),
            Flag::switch("all").short('a'),
        ];
        let flags = Flags::parse(&known, words)?;
        if !flags.has("force") {
            return Err(unknown("a question to the user"));
        }
        let takes_all = flags.has("all");
        let (lines, freed) = self
            .engine(|world, host, now| {
                let engine = world.engine(host);
                let is_used = |local: &&Local| {
                    let mut containers = engine.containers.values();
                    containers.any(|one| one.image_id == local.image.id)
                };
                let images = engine.images.iter();
                let unused = images.filter(|local| takes_all || local.tags.is_empty());
                let unused: Vec<String> = unused
                    .filter(|local| !is_used(local))
                    .map(|local| local.image.id.clone())
                    .collect();
                let before = engine.images.size();
                let mut lines = Vec::new();
                for id in unused {
                    lines.extend(remove(world, host, &id, true, now)?);
                }
                Ok((lines, before - world.engine(host).images.size()))
            })
            .await?;
        if !lines.is_empty() {
            self.invocation
                .print(&format!("Deleted Images:\n{}\n\n", lines.join("\n")));
        }
        self.invocation
            .print(&format!("Total reclaimed space: {}\n", names::size(freed)));
        Ok(0)
    }

    /// `docker login`.
    pub(super) async fn log_in(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::value("username").short('u'),
            Flag::value("password").short('p'),
            Flag::switch("password-stdin"),
        ];
        let flags = Flags::parse(&known, words)?;
        let domain = flags.rest.first().map_or("docker.io", |name| {
            let name = name.trim_start_matches("https://");
            match name.split('/').next().unwrap_or(name) {
                "index.docker.io" | "registry-1.docker.io" => "docker.io",
                name => name,
            }
        });
        let Some(username) = flags.value("username") else {
            return Err(unknown("a question for the user name"));
        };
        let password = match (flags.value("password"), flags.has("password-stdin")) {
            (Some(_), true) => {
                return Err(said(
                    "--password and --password-stdin are mutually exclusive",
                ));
            }
            (Some(password), false) => {
                self.invocation.complain(
                    "WARNING! Using --password via the CLI is insecure. Use --password-stdin.",
                );
                password.to_owned()
            }
            (None, true) => {
                let bytes = self.invocation.read_input().await;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                text.trim_end_matches(['\n', '\r']).to_owned()
            }
            (None, false) => {
                return Err(said(
                    "Error: Cannot perform an interactive login from a non TTY device",
                ));
            }
        };
        let login = Login {
            username: username.to_owned(),
            password,
        };
        self.reach().await?;
        let host = self.host();
        let checked = self
            .invocation
            .world(|world| pull::log_in(world, host, domain, &login));
        match checked {
            Ok(()) => self.invocation.sleep(Duration::from_millis(200)).await,
            Err(trouble) => {
                self.invocation.sleep(trouble.took).await;
                return Err(Failure::from(refusal(401, trouble.message)));
            }
        }
        self.keep_login(domain, Some(&login))?;
        let path = self.config_path();
        self.invocation.complain(&format!(
            "WARNING! Your password will be stored unencrypted in {path}.\nConfigure a credential \
             helper to remove this warning. See\nhttps://docs.docker.com/engine/reference/\
             commandline/login/#credentials-store\n\n"
        ));
        self.invocation.print("Login Succeeded\n");
        Ok(0)
    }

    /// `docker logout`.
    pub(super) async fn log_out(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[], words)?;
        let domain = flags.rest.first().map_or("docker.io", String::as_str);
        let server = server(domain).to_owned();
        self.keep_login(domain, None)?;
        self.invocation
            .print(&format!("Removing login credentials for {server}\n"));
        Ok(0)
    }

    fn keep_login(&mut self, domain: &str, login: Option<&Login>) -> Result<(), Failure> {
        let path = self.config_path();
        let who = self.invocation.credentials.clone();
        let now = self.invocation.now();
        let server = server(domain);
        let written = self.invocation.host(|host| {
            let text = host.files.text(&path).unwrap_or_default();
            let mut config: Json = serde_json::from_str(&text).unwrap_or_else(|_| json!({}));
            match login {
                Some(login) => {
                    let auth = format!("{}:{}", login.username, login.password);
                    config["auths"][server] = json!({ "auth": BASE64_STANDARD.encode(auth) });
                }
                None => {
                    if let Some(auths) = config["auths"].as_object_mut() {
                        auths.remove(server);
                    }
                }
            }
            let (directory, _) = crate::files::split(&path);
            host.files.make_dirs(directory, 0o700, &who, now)?;
            let text = indented(&config);
            host.files.write(&path, text.into_bytes(), 0o600, &who, now)
        });
        written.map_err(|errno| {
            let what = format!("Error saving credentials: open {path}");
            said(cannot(&what, errno))
        })
    }
}

/// Returns JSON as the command writes its files: with tabs.
fn indented(value: &Json) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let lines = text.lines().map(|line| {
        let rest = line.trim_start_matches(' ');
        format!("{}{rest}", "\t".repeat((line.len() - rest.len()) / 2))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns whether a name fits a pattern with stars.
fn is_like(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            rest.is_empty()
                || (0..=name.len())
                    .any(|at| name.is_char_boundary(at) && is_like(rest, &name[at..]))
        }),
    }
}

fn rows(local: &Local, wall: Duration, is_whole: bool) -> Vec<Value> {
    let image = &local.image;
    let age = names::span(wall.saturating_sub(image.created));
    let row = |repository: &str, tag: &str| {
        map! {
            "Repository": repository,
            "Tag": tag,
            "ID": if is_whole { image.id.clone() } else { names::short(&image.id) },
            "Digest": &image.digest,
            "CreatedSince": if image.created.is_zero() {
                "N/A".to_owned()
            } else {
                format!("{age} ago")
            },
            "CreatedAt": names::date(image.created),
            "Size": names::short_size(image.size()),
            "VirtualSize": names::short_size(image.size()),
            "SharedSize": "N/A",
            "UniqueSize": "N/A",
            "Containers": "N/A",
        }
    };
    if local.tags.is_empty() {
        return vec![row("<none>", "<none>")];
    }
    let tags = local.tags.iter().map(|tag| {
        let tag = familiar(tag);
        let (repository, tag) = tag.rsplit_once(':').unwrap_or((tag, "latest"));
        row(repository, tag)
    });
    tags.collect()
}

/// Finds an image.
pub(super) fn find<'a>(world: &'a World, host: HostId, name: &str) -> Result<&'a Local, Refusal> {
    let found = world.engine(host).images.find(name);
    found.ok_or_else(|| {
        let shown = Reference::parse(name);
        let shown = shown.map_or_else(|_| name.to_owned(), |name| name.to_string());
        refusal(404, format!("No such image: {shown}"))
    })
}

fn remove(
    world: &mut World,
    host: HostId,
    name: &str,
    is_forced: bool,
    now: Duration,
) -> Result<Vec<String>, Refusal> {
    let local = find(world, host, name)?.clone();
    let id = local.image.id.clone();
    let by_id = Reference::parse(name).ok().and_then(|one| one.tagged());
    let named = by_id.filter(|name| local.tags.contains(name));
    let goes: Vec<String> = match &named {
        Some(name) => vec![name.clone()],
        None => local.tags.iter().cloned().collect(),
    };
    if named.is_none() && goes.len() > 1 && !is_forced {
        return Err(refusal(
            409,
            format!(
                "conflict: unable to delete {} (must be forced) - image is referenced in multiple \
                 repositories",
                names::short(&id)
            ),
        ));
    }
    let is_last = goes.len() == local.tags.len();
    let containers = world.engine(host).containers.values();
    let user = containers.into_iter().find(|one| one.image_id == id);
    if let Some(user) = user.filter(|user| is_last && (!is_forced || user.state.status.is_alive()))
    {
        // A name can be taken away from under a container that runs; the image itself cannot.
        let how = match (named.is_some(), user.state.status.is_alive()) {
            (false, true) => "cannot be forced",
            _ => "must force",
        };
        return Err(refusal(
            409,
            format!(
                "conflict: unable to remove repository reference \"{name}\" ({how}) - container {} \
                 is using its referenced image {}",
                names::short(&user.id),
                names::short(&id)
            ),
        ));
    }
    let images = &mut world.engine_mut(host).images;
    let mut lines = Vec::new();
    for name in &goes {
        images.untag(&id, name);
        lines.push(format!("Untagged: {}", familiar(name)));
    }
    if is_last {
        for digest in show::local::digests(&local) {
            lines.push(format!("Untagged: {digest}"));
        }
        images.remove(&id);
        let unused: Vec<_> = images.missing_layers(&local.image);
        disk(world, host, now).forget_layers(&unused);
        lines.push(format!("Deleted: {id}"));
    }
    world.touch(host);
    Ok(lines)
}
