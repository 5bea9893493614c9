//! `config`, `secret`.

use super::flags::{Flag, Flags};
use super::listing::{Listing, labels};
use super::{Docker, Failure, Outcome, said, some, unknown, usage};
use crate::engine::disk::cannot;
use crate::engine::names;
use crate::engine::swarm::managed;
use crate::engine::swarm::objects::{self, Kind, Object};
use crate::engine::value::map;

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "ID"),
    ("Name", "NAME"),
    ("CreatedAt", "CREATED"),
    ("UpdatedAt", "UPDATED"),
];

/// Secrets have a driver, too.
const COLUMNS_OF_SECRETS: &[(&str, &str)] = &[
    ("ID", "ID"),
    ("Name", "NAME"),
    ("Driver", "DRIVER"),
    ("CreatedAt", "CREATED"),
    ("UpdatedAt", "UPDATED"),
];

impl Docker<'_> {
    /// Commands of configs and secrets.
    pub(super) async fn object(&mut self, kind: Kind, words: &[&str]) -> Outcome {
        match words {
            ["create", rest @ ..] => self.create_object(kind, rest).await,
            ["ls" | "list", rest @ ..] => self.list_objects(kind, rest).await,
            ["inspect", rest @ ..] => self.inspect(rest, Some(kind.name())).await,
            ["rm" | "remove", rest @ ..] => {
                let flags = Flags::parse(&[], rest)?;
                some(&flags, &format!("{} rm", kind.name()))?;
                self.each(&flags.rest, |world, host, now, name| {
                    let swarm = managed(world, host)?;
                    objects::remove(world, swarm, kind, name, now).map(|()| name.to_owned())
                })
                .await
            }
            [word, ..] => Err(unknown(format!("the command {} {word}", kind.name()))),
            [] => Err(unknown(format!("the help of {}", kind.name()))),
        }
    }

    async fn create_object(&mut self, kind: Kind, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::value("label").short('l')], words)?;
        let [name, file] = flags.rest.as_slice() else {
            let command = format!("{} create", kind.name());
            return Err(usage(&command, "requires exactly 2 arguments"));
        };
        let data = self.content(file).await?;
        let labels = flags.pairs("label").into_iter().collect();
        let id = self
            .engine(|world, host, now| {
                let swarm = managed(world, host)?;
                objects::create(world, swarm, kind, name, data, labels, now)
            })
            .await?;
        self.invocation.print(&format!("{id}\n"));
        Ok(0)
    }

    /// Returns the content of a file; `-` is the standard input.
    async fn content(&mut self, file: &str) -> Result<Vec<u8>, Failure> {
        if file == "-" || file == "/dev/stdin" {
            return Ok(self.invocation.read_input().await);
        }
        let path = self.invocation.path(file);
        let who = self.invocation.credentials.clone();
        let read = self.invocation.host(|host| host.files.read(&path, &who));
        let content = read.map_err(|errno| said(cannot(&format!("open {file}"), errno)))?;
        Ok(content.whole().to_vec())
    }

    async fn list_objects(&mut self, kind: Kind, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("quiet").short('q'),
            Flag::value("filter").short('f'),
            Flag::value("format"),
        ];
        let flags = Flags::parse(&known, words)?;
        let filters = flags.filters(&["name", "label"])?;
        let rows = self
            .engine(|world, host, now| {
                let swarm = world.swarm(managed(world, host)?);
                let fits = |one: &&Object| {
                    filters.iter().all(|(filter, value)| match filter.as_str() {
                        "name" => one.name.starts_with(value.as_str()),
                        _ => one.labels.contains_key(value),
                    })
                };
                let mut found: Vec<&Object> = kind.all(swarm).values().filter(fits).collect();
                found.sort_by(|one, other| one.name.cmp(&other.name));
                let rows = found.into_iter().map(|one| {
                    let age = names::span(now.saturating_sub(one.created));
                    map! {
                        "ID": &one.id,
                        "Name": &one.name,
                        "Driver": "",
                        "CreatedAt": format!("{age} ago"),
                        "UpdatedAt": format!("{age} ago"),
                        "Labels": labels(&one.labels),
                    }
                });
                Ok(rows.collect::<Vec<_>>())
            })
            .await?;
        let listing = Listing {
            columns: match kind {
                Kind::Config => COLUMNS,
                Kind::Secret => COLUMNS_OF_SECRETS,
            },
            rows,
            key: "ID",
        };
        self.list(listing, &flags)
    }
}
