//! Flags of old documents, as they were written: one in each item of a list.

use crate::flags::Flags;

/// Returns the value of an item that is the flag `name`, unquoted; nothing where it is another
/// flag, has no value, or holds more than one.
pub(super) fn value(item: &str, name: &str) -> Option<String> {
    let item = item.trim();
    let rest = item.strip_prefix(name)?;
    if !rest.starts_with(|c: char| c == '=' || c.is_whitespace()) {
        return None;
    }
    let value = rest.trim_start();
    let value = value.strip_prefix('=').unwrap_or(value).trim();
    let mut flags = Flags::default();
    // What a shell would not take apart is the value as it is.
    let parsed = flags.push(&format!("{name}={value}")).ok();
    let value = match parsed.and_then(|()| flags.value(name)) {
        Some(parsed) => parsed.to_owned(),
        None => value.to_owned(),
    };
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_apart_exactly() {
        let user = |item: &str| value(item, "--admin-username");
        for item in [
            "--admin-username=bob",
            "--admin-username bob",
            "--admin-username  =bob",
            "--admin-username \"bob\"",
            "--admin-username='bob'",
            " --admin-username=bob ",
        ] {
            assert_eq!(user(item).as_deref(), Some("bob"), "{item}");
        }
        for item in [
            "--admin-username",
            "--admin-username=",
            "--admin-usernameX=bob",
            "--san=--admin-username=bob",
        ] {
            assert_eq!(user(item), None, "{item}");
        }
        assert_eq!(user("--admin-username=b=c").as_deref(), Some("b=c"));
        assert_eq!(
            user("--admin-username \"pa$wd x\"").as_deref(),
            Some("pa$wd x")
        );
        assert_eq!(user("--admin-username=it's").as_deref(), Some("it's"));
    }
}
