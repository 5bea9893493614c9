//! What came of a row, as a recording.

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The exit status; 255 where a signal has ended the shell.
    pub status: u32,
    /// What came on standard output.
    pub stdout: String,
    /// What came on standard error.
    pub stderr: String,
}

impl Answer {
    /// Returns it in the form of a recording.
    pub fn text(&self) -> String {
        format!(
            "status: {}\n--- stdout\n{}--- stderr\n{}",
            self.status,
            whole_lines(&self.stdout),
            whole_lines(&self.stderr)
        )
    }
}

/// Ends the last line, and says so.
fn whole_lines(output: &str) -> String {
    if output.is_empty() || output.ends_with('\n') {
        output.to_owned()
    } else {
        format!("{output}\n\\ No newline at end\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_an_end_is_marked() {
        let answer = Answer {
            status: 3,
            stdout: "one\r\ntwo".to_owned(),
            stderr: "three\n".to_owned(),
        };

        let expected =
            "status: 3\n--- stdout\none\r\ntwo\n\\ No newline at end\n--- stderr\nthree\n";
        assert_eq!(answer.text(), expected);
    }

    #[test]
    fn nothing_is_recorded_as_nothing() {
        let answer = Answer {
            status: 0,
            stdout: String::new(),
            stderr: String::new(),
        };

        assert_eq!(answer.text(), "status: 0\n--- stdout\n--- stderr\n");
    }
}
