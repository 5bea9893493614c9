//! Networks.

use super::flags::{Flag, Flags};
use super::listing::{Listing, labels};
use super::{Docker, Outcome, only, some, unknown};
use crate::engine::network::{Network, PREDEFINED};
use crate::engine::value::map;
use crate::engine::{names, refusal, show};

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "NETWORK ID"),
    ("Name", "NAME"),
    ("Driver", "DRIVER"),
    ("Scope", "SCOPE"),
];

impl Docker<'_> {
    /// Commands of networks.
    pub(super) async fn network(&mut self, words: &[&str]) -> Outcome {
        match words {
            ["create", rest @ ..] => self.create_network(rest).await,
            ["ls" | "list", rest @ ..] => self.list_networks(rest).await,
            ["inspect", rest @ ..] => self.inspect(rest, Some("network")).await,
            ["rm" | "remove", rest @ ..] => self.remove_networks(rest).await,
            [word, ..] => Err(unknown(format!("the command network {word}"))),
            [] => Err(unknown("the help of network")),
        }
    }

    async fn create_network(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::value("driver").short('d'),
            Flag::value("subnet"),
            Flag::value("label"),
            Flag::switch("attachable"),
            Flag::switch("internal"),
        ];
        let flags = Flags::parse(&known, words)?;
        let name = only(&flags, "network create")?.to_owned();
        let driver = flags.value("driver").unwrap_or("bridge").to_owned();
        if !["bridge", "overlay"].contains(&driver.as_str()) {
            return Err(unknown(format!("a network of the driver {driver}")));
        }
        let id = self
            .engine(|world, host, now| {
                let engine = world.engine(host);
                if engine.networks.contains_key(&name) {
                    let message = format!("network with name {name} already exists");
                    return Err(refusal(409, message));
                }
                if driver == "overlay" {
                    crate::engine::swarm::managed(world, host)?;
                }
                let place = world.engine(host).networks.len() + 16;
                let subnet = flags.value("subnet").map(str::to_owned);
                let subnet = subnet.unwrap_or_else(|| format!("172.{}.0.0/16", place % 200));
                let mut network =
                    Network::local(&mut world.rng, &name, &driver, Some(&subnet), now);
                if driver == "overlay" {
                    "swarm".clone_into(&mut network.scope);
                    network.id = names::swarm_id(&mut world.rng);
                }
                network.labels = flags.pairs("label").into_iter().collect();
                network.is_attachable = flags.has("attachable");
                network.is_internal = flags.has("internal");
                let id = network.id.clone();
                world
                    .engine_mut(host)
                    .networks
                    .insert(name.clone(), network);
                Ok(id)
            })
            .await?;
        self.invocation.print(&format!("{id}\n"));
        Ok(0)
    }

    async fn list_networks(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("quiet").short('q'),
            Flag::switch("no-trunc"),
            Flag::value("filter").short('f'),
            Flag::value("format"),
        ];
        let flags = Flags::parse(&known, words)?;
        let filters = flags.filters(&["name", "driver", "scope", "label"])?;
        let rows = self
            .engine(|world, host, _| {
                let fits = |one: &&Network| {
                    filters.iter().all(|(filter, value)| match filter.as_str() {
                        "name" => one.name.contains(value.as_str()),
                        "driver" => one.driver == *value,
                        "scope" => one.scope == *value,
                        _ => one.labels.contains_key(value),
                    })
                };
                let networks = world.engine(host).networks.values().filter(fits);
                let rows = networks.map(|one| {
                    let is_whole = flags.has("no-trunc");
                    map! {
                        "ID": if is_whole { one.id.clone() } else { names::short(&one.id) },
                        "Name": &one.name,
                        "Driver": &one.driver,
                        "Scope": &one.scope,
                        "Labels": labels(&one.labels),
                        "IPv6": "false",
                        "Internal": one.is_internal.to_string(),
                        "CreatedAt": names::date(world.wall(host, one.created)),
                    }
                });
                Ok(rows.collect::<Vec<_>>())
            })
            .await?;
        let listing = Listing {
            columns: COLUMNS,
            rows,
            key: "ID",
        };
        self.list(listing, &flags)
    }

    async fn remove_networks(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::switch("force").short('f')], words)?;
        some(&flags, "network rm")?;
        self.each(&flags.rest, |world, host, _, name| {
            let engine = world.engine(host);
            let mut networks = engine.networks.values();
            let found = networks.find(|one| one.name == name || one.id.starts_with(name));
            let Some(found) = found.map(|one| one.name.clone()) else {
                return Err(refusal(404, format!("network {name} not found")));
            };
            if PREDEFINED.contains(&found.as_str()) {
                let message = format!("{found} is a pre-defined network and cannot be removed");
                return Err(refusal(403, message));
            }
            let mut containers = engine.containers.values();
            if containers.any(|one| show::container::networks(one).contains(&found)) {
                let message =
                    format!("error while removing network: network {found} has active endpoints");
                return Err(refusal(403, message));
            }
            world.engine_mut(host).networks.remove(&found);
            Ok(name.to_owned())
        })
        .await
    }
}
