//! Tables as dnf lays them out in 80 columns.

use std::collections::BTreeMap;

/// How wide dnf takes an output to be that is no terminal.
pub(super) const WIDTH: usize = 80;

/// Shares the room among columns. Each column is given as its least width and the widths of what
/// stands in it; columns that help most lines grow first, and `rest` gets what is left over.
pub(super) fn widths(
    least: &[usize],
    cells: &[Vec<usize>],
    rest: usize,
    indent: usize,
) -> Vec<usize> {
    let count = least.len();
    let mut columns = least.to_vec();
    let mut open: Vec<BTreeMap<usize, usize>> = cells
        .iter()
        .map(|cells| {
            let mut lengths = BTreeMap::new();
            for length in cells {
                *lengths.entry(*length).or_insert(0) += 1;
            }
            lengths
        })
        .collect();
    // Where nothing fits, every column is as wide as its widest cell.
    let full: Vec<usize> = open
        .iter()
        .zip(least)
        .enumerate()
        .map(|(at, (lengths, least))| {
            let own = lengths.keys().next_back().copied().unwrap_or(least + 1);
            own + if at == 0 { indent } else { 0 }
        })
        .collect();
    if full.iter().sum::<usize>() > WIDTH {
        return full;
    }
    let used: usize = columns.iter().sum::<usize>() + count - 1 + indent;
    let is_open_ended = columns.last() == Some(&0);
    let mut left = WIDTH.saturating_sub(used) + usize::from(is_open_ended);
    while left > 0 {
        let Some(best) = most_helped(&columns, &open, left) else {
            break;
        };
        let Some((length, _)) = open[best].pop_first() else {
            break;
        };
        let more = length.saturating_sub(columns[best]);
        if columns[best] == 0 && best == count - 1 {
            left -= 1;
        }
        columns[best] += more;
        left = left.saturating_sub(more);
    }
    let overflowing: Vec<usize> = (0..count).filter(|at| !open[*at].is_empty()).collect();
    if let Some(share) = left.checked_div(overflowing.len()) {
        for at in overflowing {
            columns[at] += share;
            left -= share;
        }
    }
    let share = left / (count - 1);
    for column in columns.iter_mut().take(count - 1) {
        *column += share;
    }
    columns[rest] += left - share * (count - 1);
    columns
}

/// Returns the column that would let most lines fit if it grew by what is left.
fn most_helped(columns: &[usize], open: &[BTreeMap<usize, usize>], left: usize) -> Option<usize> {
    let mut best: Option<(usize, usize)> = None;
    for (at, (column, lengths)) in columns.iter().zip(open).enumerate() {
        let helped: usize = lengths
            .iter()
            .take_while(|(length, _)| length.saturating_sub(*column) <= left)
            .map(|(_, lines)| *lines)
            .sum();
        let most = best.map_or(0, |(_, most)| most);
        let is_last = at == columns.len() - 1;
        // The last column rather overflows, and of two the later one grows.
        if helped == 0 || helped < most || (most > 0 && is_last && helped < 2 * most) {
            continue;
        }
        best = Some((at, helped));
    }
    best.map(|(at, _)| at)
}

/// Writes cells side by side; a cell that is too long takes a line of its own.
pub(super) fn line(cells: &[(&str, usize)], indent: &str) -> String {
    let mut text = indent.to_owned();
    let mut at = indent.len();
    for (index, (cell, width)) in cells.iter().enumerate() {
        let length = cell.chars().count();
        if index == cells.len() - 1 {
            text.push_str(&format!("{cell:<width$}"));
        } else if length <= *width {
            text.push_str(&format!("{cell:<width$} "));
        } else {
            text.push_str(&format!("{cell}\n{:1$}", "", at + width + 1));
        }
        at += width + 1;
    }
    text
}

/// Lays names out in as many columns as fit.
pub(super) fn columns(names: &[String]) -> String {
    let shared = (2..=8).rev().find_map(|count| shares(names, count));
    let widths = shared.unwrap_or_else(|| vec![WIDTH - 2]);
    let mut text = String::new();
    for row in names.chunks(widths.len()) {
        let cells: Vec<(&str, usize)> = row
            .iter()
            .zip(&widths)
            .map(|(name, width)| (name.as_str(), *width))
            .collect();
        text.push_str(&line(&cells, "  "));
        text.push('\n');
    }
    text
}

fn shares(names: &[String], count: usize) -> Option<Vec<usize>> {
    if names.len() < count {
        return None;
    }
    let mut left = WIDTH - (count - 1 + 2);
    let mut widths = vec![0; count];
    for (index, name) in names.iter().enumerate() {
        let width = &mut widths[index % count];
        if name.len() > *width {
            let more = name.len() - *width;
            if left <= more {
                return None;
            }
            left -= more;
            *width = name.len();
        }
    }
    let share = left / count;
    Some(widths.into_iter().map(|width| width + share).collect())
}

/// Writes a number of bytes as dnf does: `6.2 k`, `28  `.
pub(super) fn number(count: u64) -> String {
    let mut value = count as f64;
    let signs = [' ', 'k', 'M', 'G', 'T', 'P'];
    let mut depth = 0;
    while value > 999.0 && depth + 1 < signs.len() {
        value /= 1024.0;
        depth += 1;
    }
    let sign = signs[depth];
    if depth == 0 {
        return format!("{count} {sign}");
    }
    match value < 9.95 {
        true => format!("{value:.1} {sign}"),
        false => format!("{value:.0} {sign}"),
    }
}

/// Writes what was fetched, how fast, and how long it took.
pub(super) fn transfer(name: &str, bytes: u64, time: std::time::Duration) -> String {
    let seconds = time.as_secs_f64().max(0.001);
    let speed = number((bytes as f64 / seconds) as u64);
    let minutes = time.as_secs() / 60;
    let clock = format!("{minutes:02}:{:02}", time.as_secs() % 60);
    let right = format!(" {speed:>5}B/s | {:>5}B {clock:>9}    ", number(bytes));
    let width = WIDTH - right.len();
    format!("{name:<width$.width$}{right}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let rows = [
            (0, "0  "),
            (28, "28  "),
            (6349, "6.2 k"),
            (12_600, "12 k"),
            (31_400_000, "30 M"),
        ];

        for (count, said) in rows {
            assert_eq!(number(count), said);
        }
    }

    #[test]
    fn names_stand_in_columns_where_they_fit() {
        let names = ["jq-1.6-16.el9.x86_64", "oniguruma-6.9.6-1.el9.x86_64"];
        let names = names.map(str::to_owned);

        assert_eq!(
            columns(&names),
            "  jq-1.6-16.el9.x86_64               oniguruma-6.9.6-1.el9.x86_64              \n"
        );
        assert_eq!(columns(&names[..1]).len(), WIDTH + 1);
    }
}
