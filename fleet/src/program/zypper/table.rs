//! Tables and sizes as zypper writes them.

/// Returns a table; a line of its own under the heads.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        widest.max(heads.get(at).map_or(0, |head| head.len()))
    };
    let line = |cells: &[&str]| {
        let last = cells.len().saturating_sub(1);
        let cells = cells.iter().enumerate().map(|(at, cell)| match at == last {
            true => (*cell).to_owned(),
            false => format!("{cell:<0$}", width(at)),
        });
        cells.collect::<Vec<String>>().join(" | ")
    };
    let rules: Vec<String> = (0..heads.len())
        .map(|at| match at == 0 || at == heads.len() - 1 {
            true => "-".repeat(width(at) + 1),
            false => "-".repeat(width(at) + 2),
        })
        .collect();
    let mut text = format!("{}\n{}\n", line(heads), rules.join("+"));
    for row in rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        text.push_str(&format!("{}\n", line(&cells)));
    }
    text
}

/// Returns a number of bytes: `6.3 KiB`, `28.0 B`.
pub(super) fn bytes(count: u64) -> String {
    let (value, unit) = scaled(count);
    match count {
        0 => "0 B".to_owned(),
        _ => format!("{value:.1} {unit}"),
    }
}

/// Returns the same in columns: `  6.3 KiB`, `   28   B`.
pub(super) fn wide(count: u64) -> String {
    let (value, unit) = scaled(count);
    match unit {
        "B" => format!("{count:>5}   B"),
        unit => format!("{value:>5.1} {unit}"),
    }
}

fn scaled(count: u64) -> (f64, &'static str) {
    let mut value = count as f64;
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB"].into_iter();
    let mut unit = units.next().unwrap_or("B");
    for next in units {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    (value, unit)
}

/// Writes names side by side, in lines of 79 characters.
pub(super) fn names(list: &[String]) -> String {
    let mut text = String::new();
    let mut width = 79;
    for name in list {
        if width + name.len() + 1 > 79 {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("  {name}"));
            width = 2 + name.len();
        } else {
            text.push_str(&format!(" {name}"));
            width += name.len() + 1;
        }
    }
    text.push('\n');
    text
}
