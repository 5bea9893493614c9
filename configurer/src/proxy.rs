//! The engine's proxy settings: a drop-in of its systemd unit.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where the drop-in is.
pub const PATH: &str = "/etc/systemd/system/docker.service.d/http-proxy.conf";

/// Returns the drop-in for those of the variables that are proxy settings; `None` without any.
pub fn drop_in(environment: &BTreeMap<String, String>) -> Option<String> {
    let is_proxy = |name: &str| name.ends_with("_PROXY") || name.ends_with("_proxy");
    let mut text = String::from("[Service]\n");
    let mut any = false;
    for (name, value) in environment.iter().filter(|(name, _)| is_proxy(name)) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "Environment=\"{name}={}\"", quote(value));
        any = true;
    }
    any.then_some(text)
}

/// Quotes a value for the inside of double quotes (`systemd.syntax(7)`, `systemd.unit(5)`): C
/// escapes, and `%` doubled, as it begins a specifier. `$` has no meaning in `Environment=`.
fn quote(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '%' => quoted.push_str("%%"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proxy_settings_are_taken_and_quoted_as_systemd_reads() {
        let environment = BTreeMap::from([
            (
                "HTTP_PROXY".to_owned(),
                "http://u:p%40\"w\\@proxy:3128".to_owned(),
            ),
            ("OTHER".to_owned(), "1".to_owned()),
            ("no_proxy".to_owned(), "10.0.0.0/8, $HOME".to_owned()),
        ]);

        assert_eq!(
            drop_in(&environment).as_deref(),
            Some(
                "[Service]\n\
                 Environment=\"HTTP_PROXY=http://u:p%%40\\\"w\\\\@proxy:3128\"\n\
                 Environment=\"no_proxy=10.0.0.0/8, $HOME\"\n"
            )
        );
    }

    #[test]
    fn without_proxies_there_is_no_drop_in() {
        assert_eq!(
            drop_in(&BTreeMap::from([("A".to_owned(), "1".to_owned())])),
            None
        );
    }
}
