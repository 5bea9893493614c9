//! `history`.

use std::time::Duration;

use super::flags::{Flag, Flags};
use super::image::find;
use super::listing::Listing;
use super::{Docker, Outcome, only};
use crate::engine::image::Image;
use crate::engine::names;
use crate::engine::value::{Value, map};

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "IMAGE"),
    ("CreatedSince", "CREATED"),
    ("CreatedBy", "CREATED BY"),
    ("Size", "SIZE"),
    ("Comment", "COMMENT"),
];

/// How many letters of a command are shown.
const SHOWN: usize = 45;

impl Docker<'_> {
    /// `docker history`: as of images that were built from files, a step for each layer. Those that
    /// have no date were not built by an engine, and have none.
    pub(super) async fn history(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::value("format"),
            Flag::switch("no-trunc"),
            Flag::switch("human").short('H'),
            Flag::switch("quiet").short('q'),
        ];
        let flags = Flags::parse(&known, words)?;
        let name = only(&flags, "history")?.to_owned();
        let is_whole = flags.has("no-trunc");
        let is_for_humans = flags.value("human") != Some("false");
        let rows = self
            .engine(|world, host, now| {
                let wall = world.wall(host, now);
                let image = &find(world, host, &name)?.image;
                Ok(steps(image, wall, is_whole, is_for_humans))
            })
            .await?;
        let listing = Listing {
            columns: COLUMNS,
            rows,
            key: "ID",
        };
        self.list(listing, &flags)
    }
}

/// Returns the steps of an image, the last one first.
fn steps(image: &Image, wall: Duration, is_whole: bool, is_for_humans: bool) -> Vec<Value> {
    if image.created.is_zero() {
        return Vec::new();
    }
    let words = |words: &[String]| serde_json::json!(words).to_string();
    let mut steps = Vec::new();
    for (what, values) in [("CMD", &image.command), ("ENTRYPOINT", &image.entrypoint)] {
        if !values.is_empty() {
            steps.push((format!("/bin/sh -c #(nop)  {what} {}", words(values)), 0));
        }
    }
    for layer in image.layers.iter().rev() {
        let digits = layer.digest.trim_start_matches("sha256:");
        steps.push((
            format!("/bin/sh -c #(nop) ADD file:{digits} in /"),
            layer.size,
        ));
    }
    let rows = steps.into_iter().enumerate();
    let rows = rows.map(|(number, (command, size))| {
        let id = match (number, is_whole) {
            (0, true) => image.id.clone(),
            (0, false) => names::short(&image.id),
            _ => "<missing>".to_owned(),
        };
        let command = match is_whole || command.chars().count() <= SHOWN {
            true => command,
            false => command.chars().take(SHOWN - 1).chain(['…']).collect(),
        };
        map! {
            "ID": id,
            "CreatedAt": standin::log::timestamp(image.created.as_secs()),
            "CreatedSince": format!("{} ago", names::span(wall.saturating_sub(image.created))),
            "CreatedBy": command,
            "Size": if is_for_humans { names::short_size(size) } else { size.to_string() },
            "Comment": "",
        }
    });
    rows.collect()
}
