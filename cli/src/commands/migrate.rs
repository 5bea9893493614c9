//! `launchpad migrate`: a configuration of an older release in its newest form.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use config::{Migrated, Note};
use report::{Style, Tone};
use similar::{ChangeTag, TextDiff};

use crate::arguments::MigrateArguments;
use crate::error::{CliError, DONE};
use crate::private;
use crate::reading;
use crate::world::World;

pub(crate) async fn run(world: &mut World, arguments: &MigrateArguments) -> Result<u8, CliError> {
    let (source, origin) = reading::read(world, arguments.config.as_deref()).await?;
    if arguments.write && origin == "-" {
        let text = "`--write` replaces a file, and standard input is none: leave it out, and the \
                    new text is printed";
        return Err(CliError::Usage(text.to_owned()));
    }
    let bytes = source.text.clone();
    let migrated = config::migrated(source, world).map_err(CliError::Config)?;
    if migrated.from == migrated.to {
        world.say(&format!(
            "`{origin}` is in the newest form already: nothing to do"
        ));
        if !arguments.write && !arguments.diff {
            world.print(&migrated.text)?;
        }
        return Ok(DONE);
    }
    if arguments.diff {
        let style = Style::wanted(
            world.stdout.is_terminal,
            world.var("NO_COLOR"),
            world.var("TERM"),
        );
        world.print(&diff(&migrated, &origin, style))?;
    } else if !arguments.write {
        world.print(&migrated.text)?;
    }
    tell(world, &migrated, &origin);
    if arguments.write {
        write(world, &origin, &bytes, &migrated)?;
    }
    Ok(DONE)
}

/// Says what was done, and what the user has to know of it.
fn tell(world: &mut World, migrated: &Migrated, origin: &str) {
    let from = match migrated.from.as_str() {
        "" => "no `apiVersion`",
        name => name,
    };
    let (meaning, form): (Vec<&Note>, Vec<&Note>) =
        migrated.notes.iter().partition(|note| note.changes_meaning);
    world.say(&format!("{origin}: from {from} to {}", migrated.to));
    for note in form {
        let what = match (&note.old, &note.new) {
            (Some(old), Some(new)) if old != new => format!("`{old}` is `{new}` now"),
            (Some(old), None) => format!("`{old}` goes"),
            (Some(path), Some(_)) => format!("`{path}`"),
            (None, Some(new)) => format!("`{new}` is added"),
            (None, None) => continue,
        };
        world.say(&format!("  line {}: {what}: {}", lines(note), note.why));
    }
    for note in meaning {
        let place = note.old.as_ref().or(note.new.as_ref());
        let place = place.map_or(String::new(), |path| format!("`{path}`: "));
        world.say(&format!(
            "warning: line {}: {place}{}",
            lines(note),
            note.why
        ));
        if let Some(hint) = &note.hint {
            world.say(&format!("  hint: {hint}"));
        }
    }
    if migrated.is_plain {
        world.say(
            "warning: this text cannot be kept: it is written anew, without comments\n  hint: \
             compare with `--diff` before you use it",
        );
    }
}

/// How many lines are named where the same was done.
const MOST_LINES: usize = 8;

fn lines(note: &Note) -> String {
    let mut text = note.line.to_string();
    for line in note.also.iter().take(MOST_LINES) {
        text += &format!(", {line}");
    }
    match note.also.len().saturating_sub(MOST_LINES) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// Returns a unified diff.
fn diff(migrated: &Migrated, origin: &str, style: Style) -> String {
    let diff = TextDiff::from_lines(&migrated.old, &migrated.text);
    let mut out = String::new();
    let title = format!("--- {origin}\n+++ {origin} ({})\n", migrated.to);
    out += &style.paint(Tone::Title, &title);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        out += &style.paint(Tone::Faint, &hunk.header().to_string());
        out.push('\n');
        for change in hunk.iter_changes() {
            let (sign, tone) = match change.tag() {
                ChangeTag::Delete => ('-', Tone::Bad),
                ChangeTag::Insert => ('+', Tone::Good),
                ChangeTag::Equal => (' ', Tone::Normal),
            };
            let line = change.value().trim_end_matches(['\n', '\r']);
            out += &style.paint(tone, &format!("{sign}{line}"));
            out.push('\n');
            if change.missing_newline() {
                out += "\\ No newline at end of file\n";
            }
        }
    }
    out
}

/// Replaces the file; the old one is kept beside it, or nothing is changed.
fn write(
    world: &mut World,
    origin: &str,
    bytes: &[u8],
    migrated: &Migrated,
) -> Result<(), CliError> {
    let path = private::followed(&world.current_dir.join(origin))?;
    let metadata = std::fs::metadata(&path).map_err(|source| CliError::Local {
        what: format!("cannot read `{origin}`"),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o777;
    let copy = private::keep_copy(&path, mode, bytes)?;
    let id = (world.run_id)();
    let replaced = private::replace_file(&path, &id, mode, Some(bytes), migrated.text.as_bytes());
    if !matches!(replaced, Ok(true)) {
        private::remove(&copy);
    }
    if !replaced? {
        return Err(CliError::Local {
            what: format!("`{origin}` was changed by somebody else meanwhile: nothing was written"),
            source: std::io::Error::other("run the command again"),
        });
    }
    let name = copy.file_name().unwrap_or_default();
    let shown = Path::new(origin).with_file_name(name);
    world.say(&format!(
        "written; the old text is in `{}`",
        shown.display()
    ));
    Ok(())
}
