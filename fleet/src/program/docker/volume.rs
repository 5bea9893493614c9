//! Volumes.

use super::flags::{Flag, Flags};
use super::listing::{Listing, has_label, labels};
use super::{Docker, Failure, Outcome, some, unknown};
use crate::engine::value::map;
use crate::engine::volume::{self, Volume};
use crate::engine::{names, refusal, show};

const COLUMNS: &[(&str, &str)] = &[("Driver", "DRIVER"), ("Name", "VOLUME NAME")];

impl Docker<'_> {
    /// Commands of volumes.
    pub(super) async fn volume(&mut self, words: &[&str]) -> Outcome {
        match words {
            ["create", rest @ ..] => self.create_volume(rest).await,
            ["ls" | "list", rest @ ..] => self.list_volumes(rest).await,
            ["inspect", rest @ ..] => self.inspect(rest, Some("volume")).await,
            ["rm" | "remove", rest @ ..] => self.remove_volumes(rest).await,
            ["prune", rest @ ..] => self.prune_volumes(rest).await,
            [word, ..] => Err(unknown(format!("the command volume {word}"))),
            [] => Err(unknown("the help of volume")),
        }
    }

    async fn create_volume(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::value("label"),
            Flag::value("driver").short('d'),
            Flag::value("name"),
        ];
        let flags = Flags::parse(&known, words)?;
        if flags
            .value("driver")
            .is_some_and(|driver| driver != "local")
        {
            return Err(unknown("a volume of another driver than local"));
        }
        let name = flags
            .rest
            .first()
            .map(String::as_str)
            .or(flags.value("name"));
        let name = match name {
            Some(name) => name.to_owned(),
            None => self
                .invocation
                .world(|world| names::hex(&mut world.rng, 32)),
        };
        let labels = flags.pairs("label").into_iter().collect();
        self.engine(|world, host, now| {
            let volume = Volume {
                name: name.clone(),
                labels,
                created: now,
                is_anonymous: false,
            };
            volume::create(world, host, volume, now)
        })
        .await?;
        self.invocation.print(&format!("{name}\n"));
        Ok(0)
    }

    async fn list_volumes(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("quiet").short('q'),
            Flag::value("filter").short('f'),
            Flag::value("format"),
        ];
        let flags = Flags::parse(&known, words)?;
        let filters = flags.filters(&["name", "label", "dangling", "driver"])?;
        let rows = self
            .engine(|world, host, _| {
                let fits = |one: &&Volume| {
                    filters.iter().all(|(filter, value)| match filter.as_str() {
                        "name" => one.name.contains(value.as_str()),
                        "label" => has_label(&one.labels, value),
                        "dangling" => {
                            let is_free = volume::users(world, host, &one.name).is_empty();
                            is_free == (value != "false")
                        }
                        _ => value == "local",
                    })
                };
                let volumes = world.engine(host).volumes.values().filter(fits);
                let rows = volumes.map(|one| {
                    map! {
                        "Driver": "local",
                        "Name": &one.name,
                        "Labels": labels(&one.labels),
                        "Mountpoint": volume::mount_point(world, host, &one.name),
                        "Scope": "local",
                        "Size": "N/A",
                        "Links": "N/A",
                        "Availability": "N/A",
                        "Group": "N/A",
                        "Status": "N/A",
                    }
                });
                Ok(rows.collect::<Vec<_>>())
            })
            .await?;
        let listing = Listing {
            columns: COLUMNS,
            rows,
            key: "Name",
        };
        self.list(listing, &flags)
    }

    async fn remove_volumes(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::switch("force").short('f')], words)?;
        some(&flags, "volume rm")?;
        let is_forced = flags.has("force");
        self.each(&flags.rest, |world, host, now, name| {
            volume::remove(world, host, name, is_forced, now).map(|()| name.to_owned())
        })
        .await
    }

    async fn prune_volumes(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("force").short('f'),
            Flag::switch("all").short('a'),
        ];
        let flags = Flags::parse(&known, words)?;
        if !flags.has("force") {
            return Err(unknown("a question to the user"));
        }
        // Before version 23, those with a name went without being asked for.
        let takes_all = flags.has("all") || show::info::major(&self.client_version()) < 23;
        let removed: Result<(Vec<String>, u64), Failure> = self
            .engine(|world, host, now| {
                let mut freed = 0;
                let volumes = world.engine(host).volumes.values();
                let unused = volumes.filter(|one| takes_all || one.is_anonymous);
                let unused: Vec<String> = unused
                    .filter(|one| volume::users(world, host, &one.name).is_empty())
                    .map(|one| one.name.clone())
                    .collect();
                for name in &unused {
                    freed += volume::size(world, host, name);
                    volume::remove(world, host, name, true, now)
                        .map_err(|error| refusal(500, error.message))?;
                }
                Ok((unused, freed))
            })
            .await;
        let (removed, freed) = removed?;
        if !removed.is_empty() {
            self.invocation
                .print(&format!("Deleted Volumes:\n{}\n\n", removed.join("\n")));
        }
        self.invocation
            .print(&format!("Total reclaimed space: {}\n", names::size(freed)));
        Ok(0)
    }
}
