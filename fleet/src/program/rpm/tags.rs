//! What rpm knows of a package by the names of its tags, and the language of `--queryformat`.

use crate::packages::rpm::{capabilities, nevra, nvra, show, without_epoch};
use crate::packages::{Installed, Package};
use crate::program::clock;

/// When packages of the fleet were built: 2023-11-14.
pub(super) const BUILT: u64 = 1_700_000_000;

/// The values of a tag; none where there is no such tag.
pub(super) fn values(installed: &Installed, tag: &str) -> Option<Vec<String>> {
    let package = &*installed.package;
    let plain = without_epoch(&package.version);
    let (version, release) = plain.rsplit_once('-').unwrap_or((plain, ""));
    let epoch = package.version.split_once(':').map(|(epoch, _)| epoch);
    let one = |text: &str| Some(vec![text.to_owned()]);
    let or_none = |text: &str| match text {
        "" => vec!["(none)".to_owned()],
        text => vec![text.to_owned()],
    };
    let name = tag.to_ascii_uppercase();
    match name.strip_prefix("RPMTAG_").unwrap_or(&name) {
        "NAME" | "N" => one(&package.name),
        "VERSION" | "V" => one(version),
        "RELEASE" | "R" => one(release),
        "EPOCH" | "E" => Some(or_none(epoch.unwrap_or_default())),
        "EPOCHNUM" => one(epoch.unwrap_or("0")),
        "ARCH" => one(&package.architecture),
        "EVR" => one(&package.version),
        "NVR" => one(&format!("{}-{plain}", package.name)),
        "NVRA" => one(&nvra(package)),
        "NEVR" => one(&format!("{}-{}", package.name, package.version)),
        "NEVRA" => one(&nevra(package)),
        "SUMMARY" => one(&package.summary),
        "DESCRIPTION" => one(&format!("{}.", package.summary)),
        "LICENSE" => Some(or_none(&package.license)),
        "VENDOR" => Some(or_none(&package.vendor)),
        "PACKAGER" | "DISTRIBUTION" => Some(or_none(&package.vendor)),
        "URL" => Some(or_none(&package.url)),
        "GROUP" => one("Unspecified"),
        "OS" => one("linux"),
        "SIZE" | "LONGSIZE" => one(&package.installed_size.to_string()),
        "INSTALLTIME" => one(&installed.since.as_secs().to_string()),
        "BUILDTIME" => one(&BUILT.to_string()),
        "BUILDHOST" => one("build.lab"),
        "SOURCERPM" => one(&format!("{}-{plain}.src.rpm", package.name)),
        "PROVIDENAME" | "PROVIDES" => {
            let all = capabilities(package);
            Some(all.into_iter().map(|one| one.name).collect())
        }
        "REQUIRENAME" | "REQUIRES" => Some(names_of_needs(package)),
        "FILENAMES" => Some(paths(package)),
        _ => None,
    }
}

fn names_of_needs(package: &Package) -> Vec<String> {
    let needs = package.depends.iter().flatten();
    needs.map(|need| need.name.clone()).collect()
}

/// Returns the paths of a package, in their order.
pub(super) fn paths(package: &Package) -> Vec<String> {
    let own = package.files.iter().map(|file| file.path().to_owned());
    let mut all: Vec<String> = own
        .chain(package.paths.known().map(str::to_owned))
        .collect();
    all.sort();
    all
}

/// Returns what a package needs, as `--requires` shows it.
pub(super) fn requirements(package: &Package) -> Vec<String> {
    let mut all: Vec<String> = package.depends.iter().flatten().map(show).collect();
    if all.iter().all(|one| !one.starts_with("rpmlib(")) {
        all.push("rpmlib(CompressedFileNames) <= 3.0.4-1".to_owned());
        all.push("rpmlib(FileDigests) <= 4.6.0-1".to_owned());
        all.push("rpmlib(PayloadFilesHavePrefix) <= 4.0-1".to_owned());
    }
    all.sort();
    all
}

/// Why a format cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadFormat {
    /// There is no such tag.
    Tag(String),
    /// Something is not closed.
    Syntax(&'static str),
    /// It is rpm's, and not known here.
    NotSimulated(String),
}

/// Writes a package by a format.
///
/// # Errors
///
/// Fails where the format makes no sense.
pub(super) fn format(installed: &Installed, format: &str) -> Result<String, BadFormat> {
    let mut out = String::new();
    write(installed, format, None, &mut out)?;
    Ok(out)
}

/// Writes up to the end; `index` is which of the values of a list, and the result is how many there
/// are at most.
fn write(
    installed: &Installed,
    format: &str,
    index: Option<usize>,
    out: &mut String,
) -> Result<usize, BadFormat> {
    let mut rest = format;
    let mut longest = 0;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        match letter {
            '\\' => {
                let escaped = rest.chars().next().unwrap_or('\\');
                rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
                out.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                });
            }
            '%' if rest.starts_with('%') => {
                out.push('%');
                rest = &rest[1..];
            }
            '%' if rest.starts_with('|') => {
                let end = rest[1..].find('|').ok_or(BadFormat::Syntax("| expected"))?;
                let condition = &rest[1..=end];
                rest = &rest[end + 2..];
                choose(installed, condition, index, out)?;
            }
            '%' => {
                let open = rest
                    .find('{')
                    .ok_or(BadFormat::Syntax("missing { after %"))?;
                let close = rest
                    .find('}')
                    .ok_or(BadFormat::Syntax("missing } after %{"))?;
                let (width, tag) = (&rest[..open], &rest[open + 1..close]);
                rest = &rest[close + 1..];
                let all = tagged(installed, tag)?;
                longest = longest.max(all.len());
                let value = all.get(index.unwrap_or(0)).cloned();
                pad(&value.unwrap_or_default(), width, out);
            }
            '[' => {
                let close = rest
                    .find(']')
                    .ok_or(BadFormat::Syntax("array iterator not closed"))?;
                let inner = &rest[..close];
                rest = &rest[close + 1..];
                let count = write(installed, inner, Some(0), &mut String::new())?;
                for index in 0..count {
                    write(installed, inner, Some(index), out)?;
                }
            }
            other => out.push(other),
        }
    }
    Ok(longest)
}

/// Writes `TAG?{there}:{not there}`.
fn choose(
    installed: &Installed,
    condition: &str,
    index: Option<usize>,
    out: &mut String,
) -> Result<(), BadFormat> {
    let (tag, branches) = condition
        .split_once('?')
        .ok_or(BadFormat::Syntax("? expected in expression"))?;
    let inside = |text: &str| {
        let text = text.strip_prefix('{')?.strip_suffix('}')?;
        Some(text.to_owned())
    };
    let (yes, no) = match branches.split_once("}:{") {
        Some((yes, no)) => (inside(&format!("{yes}}}")), inside(&format!("{{{no}"))),
        None => (inside(branches), None),
    };
    let is_there = tagged(installed, tag)?
        .first()
        .is_some_and(|value| value != "(none)");
    let branch = if is_there { yes } else { no };
    write(installed, &branch.unwrap_or_default(), index, out)?;
    Ok(())
}

fn tagged(installed: &Installed, tag: &str) -> Result<Vec<String>, BadFormat> {
    let (tag, style) = tag.split_once(':').unwrap_or((tag, ""));
    let tag = tag.trim_start_matches('=');
    let found = values(installed, tag).ok_or_else(|| BadFormat::Tag(tag.to_owned()))?;
    let styled = |change: &dyn Fn(u64) -> String| {
        let change = |value: &String| value.parse().map_or_else(|_| value.clone(), change);
        Ok(found.iter().map(change).collect())
    };
    match style {
        "" | "string" => Ok(found),
        "date" => styled(&clock::plain),
        "day" => styled(&|seconds| {
            let moment = clock::Moment::of(seconds);
            let (name, month) = (moment.weekday_name(), moment.month_name());
            format!("{name} {month} {:02} {}", moment.day, moment.year)
        }),
        "hex" => styled(&|number| format!("{number:x}")),
        other => Err(BadFormat::NotSimulated(other.to_owned())),
    }
}

fn pad(value: &str, width: &str, out: &mut String) {
    let columns = width.trim_start_matches('-').parse().unwrap_or(0);
    if width.starts_with('-') {
        out.push_str(&format!("{value:<columns$}"));
    } else {
        out.push_str(&format!("{value:>columns$}"));
    }
}
