//! What benchmarks report: figures with budgets, as a table, and as a section of
//! `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// A figure and what it may be at most.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) budget: f64,
    pub(crate) about: &'static str,
}

/// Prints the figures, and writes them down as a section where `--write` is given; returns whether
/// all are within their budgets.
pub(crate) fn conclude(section: &str, figures: &[Figure]) -> ExitCode {
    let table = table(figures);
    println!("{table}");
    if std::env::args().any(|argument| argument == "--write") {
        write(section, &table);
    }
    match figures.iter().filter(|one| one.value > one.budget).count() {
        0 => ExitCode::SUCCESS,
        count => {
            println!("{count} over the budget");
            ExitCode::FAILURE
        }
    }
}

/// Returns the figures as a table.
fn table(figures: &[Figure]) -> String {
    let mut text = String::from("| | measured | budget | ratio | |\n|---|---|---|---|---|\n");
    for one in figures {
        let ratio = one.value / one.budget;
        writeln!(
            text,
            "| `{}` | {:.2} {unit} | {} {unit} | {ratio:.2} | {} |",
            one.name,
            one.value,
            one.budget,
            one.about,
            unit = one.unit
        )
        .unwrap();
    }
    text
}

pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Writes a section down, with the machine that its figures were measured on; the others stay.
fn write(section: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let mut text = format!(
        "# Benchmarks\n\nWritten by `./dev bench --write` on a machine with {}. A ratio above 1 is \
         over the budget.\n",
        machine()
    );
    let mut is_written = false;
    for old in before.split("\n## ").skip(1) {
        let title = old.lines().next().unwrap_or_default();
        if title == section {
            is_written = true;
            write!(text, "\n## {section}\n\n{table}").unwrap();
        } else {
            write!(text, "\n## {}\n", old.trim_end()).unwrap();
        }
    }
    if !is_written {
        write!(text, "\n## {section}\n\n{table}").unwrap();
    }
    std::fs::write(path, text).unwrap();
}

/// Returns what the kernel says of the memory of a process (`VmHWM:`), in MB; nothing where the
/// process is gone.
pub(crate) fn memory(process: &str, field: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    let count = cpu
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    format!("{count} processors of the kind `{model}`")
}
