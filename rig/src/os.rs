//! os-release, after freedesktop.org's `os-release(5)`.

/// What os-release says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsRelease {
    /// `ID`, lower case.
    pub id: String,
    /// `ID_LIKE`, word by word, closest first.
    pub id_like: Vec<String>,
    /// `VERSION_ID`.
    pub version_id: String,
    /// `UBUNTU_CODENAME`, or `VERSION_CODENAME`.
    pub version_codename: Option<String>,
    /// `PRETTY_NAME`, or what can be said instead.
    pub pretty_name: String,
}

impl OsRelease {
    /// Reads the text of os-release; what is not there stays empty.
    pub fn parse(text: &str) -> Self {
        let value = |wanted: &str| {
            text.lines()
                .filter_map(|line| line.trim().split_once('='))
                .filter(|(key, _)| *key == wanted)
                .map(|(_, value)| unquote(value.trim()))
                .next_back()
        };
        let id = value("ID").unwrap_or_default().to_ascii_lowercase();
        let version_id = value("VERSION_ID").unwrap_or_default();
        let pretty_name =
            value("PRETTY_NAME").unwrap_or_else(|| format!("{id} {version_id}").trim().to_owned());
        Self {
            id_like: value("ID_LIKE")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_ascii_lowercase)
                .collect(),
            // A system that is made of Ubuntu has a code name of its own, and Ubuntu's packages.
            version_codename: value("UBUNTU_CODENAME")
                .or_else(|| value("VERSION_CODENAME"))
                .filter(|name| !name.is_empty()),
            id,
            version_id,
            pretty_name,
        }
    }
}

/// Takes shell quotes off a value.
fn unquote(text: &str) -> String {
    match crate::shell::split(text) {
        Some(words) => words.join(" "),
        None => text.trim_matches(['"', '\'']).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quoted_and_bare_values() {
        let release = OsRelease::parse(
            "PRETTY_NAME=\"Oracle Linux Server 9.4\"\nID=\"ol\"\nVERSION_ID='9.4'\n\
             ID_LIKE=\"fedora rhel\"\n# a comment\nBROKEN\n",
        );

        assert_eq!(release.id, "ol");
        assert_eq!(release.version_id, "9.4");
        assert_eq!(release.id_like, ["fedora", "rhel"]);
        assert_eq!(release.pretty_name, "Oracle Linux Server 9.4");
        assert_eq!(release.version_codename, None);
    }

    #[test]
    fn an_empty_text_gives_empty_values() {
        assert_eq!(OsRelease::parse(""), OsRelease::default());
    }
}
