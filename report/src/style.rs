//! Colours, where they are wanted.

use anstyle::{AnsiColor, Effects};

/// Whether text carries colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// No escape sequence.
    #[default]
    Plain,
    /// Colours of the terminal.
    Coloured,
}

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A title.
    Title,
    /// Something went well.
    Good,
    /// Something to look at.
    Warn,
    /// Something failed.
    Bad,
    /// Less important than the rest.
    Faint,
    /// As everything else.
    Normal,
}

impl Style {
    /// Returns the style that an environment asks for.
    ///
    /// `no_color` and `term` are the values of `NO_COLOR` and `TERM`. An empty `NO_COLOR` counts
    /// as not set (<https://no-color.org>).
    pub fn wanted(is_terminal: bool, no_color: Option<&str>, term: Option<&str>) -> Self {
        let refused = no_color.is_some_and(|value| !value.is_empty());
        if is_terminal && !refused && term != Some("dumb") {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    /// Returns `text` in the colour of `tone`.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let style = match (self, tone) {
            (Self::Plain, _) | (_, Tone::Normal) => return text.to_owned(),
            (Self::Coloured, Tone::Title) => anstyle::Style::new().effects(Effects::BOLD),
            (Self::Coloured, Tone::Good) => AnsiColor::Green.on_default(),
            (Self::Coloured, Tone::Warn) => AnsiColor::Yellow.on_default(),
            (Self::Coloured, Tone::Bad) => AnsiColor::Red.on_default().effects(Effects::BOLD),
            (Self::Coloured, Tone::Faint) => anstyle::Style::new().effects(Effects::DIMMED),
        };
        if text.is_empty() {
            return String::new();
        }
        format!("{style}{text}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_need_a_terminal_that_can_and_a_user_who_wants_them() {
        assert_eq!(Style::wanted(true, None, Some("xterm")), Style::Coloured);
        assert_eq!(Style::wanted(true, Some(""), None), Style::Coloured);
        assert_eq!(Style::wanted(true, Some("1"), None), Style::Plain);
        assert_eq!(Style::wanted(true, None, Some("dumb")), Style::Plain);
        assert_eq!(Style::wanted(false, None, Some("xterm")), Style::Plain);
    }

    #[test]
    fn plain_text_has_no_escape() {
        for tone in [Tone::Title, Tone::Good, Tone::Warn, Tone::Bad, Tone::Faint] {
            assert_eq!(Style::Plain.paint(tone, "text"), "text");
            assert!(Style::Coloured.paint(tone, "text").starts_with('\u{1b}'));
        }
    }
}
