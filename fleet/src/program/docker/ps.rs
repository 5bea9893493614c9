//! `ps`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use regex::bytes::Regex;

use super::flags::{Flag, Flags};
use super::listing::{Listing, has_label, labels};
use super::{Docker, Failure, Outcome, said, unknown};
use crate::engine::container::Container;
use crate::engine::image::without_digest;
use crate::engine::value::{Value, map};
use crate::engine::{msr, names, show};
use crate::program::posix;
use crate::world::{HostId, World};

const PS: &[Flag] = &[
    Flag::switch("all").short('a'),
    Flag::switch("quiet").short('q'),
    Flag::switch("no-trunc"),
    Flag::switch("latest").short('l'),
    Flag::value("last").short('n'),
    Flag::value("filter").short('f'),
    Flag::value("format"),
];

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("RunningFor", "CREATED"),
    ("Status", "STATUS"),
    ("Ports", "PORTS"),
    ("Names", "NAMES"),
];

impl Docker<'_> {
    /// `docker ps`.
    pub(super) async fn list_containers(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(PS, words)?;
        let filters = Filters::parse(&flags)?;
        let shows_all = flags.has("all") || filters.wants_stopped();
        let is_whole = flags.has("no-trunc");
        let rows = self
            .engine(|world, host, now| {
                let mut containers: Vec<&Container> = world
                    .engine(host)
                    .containers
                    .values()
                    .filter(|one| shows_all || one.state.status.is_alive())
                    .filter(|one| filters.fit(world, host, one, now))
                    .collect();
                containers.sort_by_key(|one| std::cmp::Reverse(one.created));
                let rows = containers.into_iter();
                let rows = rows.map(|one| row(world, host, one, now, is_whole));
                Ok(rows.collect::<Vec<_>>())
            })
            .await?;
        let last = match (flags.has("latest"), flags.value("last")) {
            (true, _) => 1,
            (false, Some(last)) => last.parse().unwrap_or(usize::MAX),
            (false, None) => usize::MAX,
        };
        let listing = Listing {
            columns: COLUMNS,
            rows: rows.into_iter().take(last).collect(),
            key: "ID",
        };
        self.list(listing, &flags)
    }
}

/// Returns a container as listings show it.
fn row(world: &World, host: HostId, one: &Container, now: Duration, is_whole: bool) -> Value {
    let command = show::container::command(world, host, one);
    let command = if is_whole || command.chars().count() <= 20 {
        command
    } else {
        command.chars().take(19).chain(['…']).collect()
    };
    let mounts = one
        .spec
        .mounts
        .iter()
        .map(|mount| match mount.source.chars().count() {
            count if count > 15 && !is_whole => {
                mount.source.chars().take(14).chain(['…']).collect()
            }
            _ => mount.source.clone(),
        });
    let volumes = one
        .spec
        .mounts
        .iter()
        .filter(|mount| mount.kind.name() == "volume");
    let ports = one.spec.ports.iter().map(|(outer, inner)| {
        let inner = inner.trim_end_matches("/tcp");
        format!("0.0.0.0:{outer}->{inner}/tcp")
    });
    let image = show::container::image_name(world, host, one);
    let image = if is_whole {
        &image
    } else {
        without_digest(&image)
    };
    map! {
        "ID": if is_whole { one.id.clone() } else { names::short(&one.id) },
        "Image": image,
        "Command": format!("\"{command}\""),
        "CreatedAt": names::date(world.wall(host, one.created)),
        "RunningFor": format!("{} ago", names::span(now.saturating_sub(one.created))),
        "Status": one.status(now),
        "State": one.state.status.name(),
        "Ports": ports.collect::<Vec<_>>().join(", "),
        "Names": &one.name,
        "Size": "0B",
        "Labels": labels(&one.spec.labels),
        "Mounts": mounts.collect::<Vec<_>>().join(","),
        "Networks": show::container::networks(one).join(","),
        "LocalVolumes": volumes.count().to_string(),
    }
}

/// The filters of `ps`.
struct Filters {
    all: BTreeMap<String, Vec<String>>,
    names: Vec<Arc<Regex>>,
}

impl Filters {
    fn parse(flags: &Flags) -> Result<Self, Failure> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in flags.pairs("filter") {
            if ![
                "name", "id", "status", "label", "ancestor", "volume", "network", "exited",
                "health",
            ]
            .contains(&name.as_str())
            {
                let others = ["before", "since", "publish", "expose", "is-task"];
                return Err(if others.contains(&name.as_str()) {
                    unknown(format!("the filter {name}"))
                } else {
                    said(format!(
                        "Error response from daemon: Invalid filter '{name}'"
                    ))
                });
            }
            all.entry(name).or_default().push(value);
        }
        let names = all.get("name").into_iter().flatten();
        let names = names.map(|name| {
            // The engine has the syntax of Go, which is that of the crate, too.
            posix::build(name, false).map_err(|_wrong| {
                said(format!(
                    "Error response from daemon: invalid filter 'name={name}'"
                ))
            })
        });
        let names = names.collect::<Result<_, _>>()?;
        Ok(Self { all, names })
    }

    fn wants_stopped(&self) -> bool {
        self.all.contains_key("status") || self.all.contains_key("exited")
    }

    fn fit(&self, world: &World, host: HostId, one: &Container, now: Duration) -> bool {
        let named = |name: &Arc<Regex>| {
            let with_slash = format!("/{}", one.name);
            name.is_match(one.name.as_bytes()) || name.is_match(with_slash.as_bytes())
        };
        let any = |filter: &str, fits: &dyn Fn(&str) -> bool| {
            let values = self.all.get(filter);
            values.is_none_or(|values| values.iter().any(|value| fits(value)))
        };
        let wanted = self.all.get("label");
        let has = |label: &String| has_label(&one.spec.labels, label);
        let is_of = |image: &str| {
            let found = world.engine(host).images.find(image);
            found.is_some_and(|local| local.image.id == one.image_id)
        };
        let mounts = |volume: &str| {
            let mut mounts = one.spec.mounts.iter();
            mounts.any(|mount| mount.source == volume || mount.target == volume)
        };
        (self.names.is_empty() || self.names.iter().any(named))
            && any("id", &|id| one.id.starts_with(id))
            && any("status", &|status| one.state.status.name() == status)
            && wanted.is_none_or(|labels| labels.iter().all(has))
            && any("ancestor", &is_of)
            && any("volume", &mounts)
            && any("network", &|name| {
                show::container::networks(one).contains(&name.to_owned())
            })
            && any("health", &|health| msr::health(one, now) == health)
            && any("exited", &|code| one.state.exit_code.to_string() == code)
    }
}
