//! The engine's configuration file, `/etc/docker/daemon.json`.
//!
//! What the configuration says wins; keys that an administrator has added stay; keys that were
//! ours and are wanted no more go. Files are compared as JSON, so that other spacing is no change.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::owned::hash;

/// Where the file is.
pub const PATH: &str = "/etc/docker/daemon.json";

/// What a change of the file leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The new text; `None` where nothing is left to say.
    pub text: Option<String>,
    /// Keys that are set.
    pub set: Vec<String>,
    /// Keys that were ours and are wanted no more.
    pub unset: Vec<String>,
}

/// Why the file cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum DaemonJsonError {
    /// It is not JSON.
    #[error("/etc/docker/daemon.json is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is something else than an object.
    #[error("/etc/docker/daemon.json is not a JSON object")]
    NotAnObject,
}

/// Returns what the file lacks of `wanted`; `None` where it is as it should be. `owned` becomes
/// what is ours afterwards.
///
/// # Errors
///
/// Fails where the file cannot be read as JSON: it is not ours to throw away.
pub fn plan(
    text: Option<&str>,
    wanted: &Map<String, Value>,
    owned: &mut BTreeMap<String, String>,
) -> Result<Option<Edit>, DaemonJsonError> {
    let mut file = match text.filter(|text| !text.trim().is_empty()) {
        None => Map::new(),
        Some(text) => match serde_json::from_str(text).map_err(DaemonJsonError::NotJson)? {
            Value::Object(map) => map,
            _ => return Err(DaemonJsonError::NotAnObject),
        },
    };
    let (mut set, mut unset) = (Vec::new(), Vec::new());
    for (key, hashed) in std::mem::take(owned) {
        if wanted.contains_key(&key) {
            owned.insert(key, hashed);
        } else if file.get(&key).is_some_and(|value| hash_of(value) == hashed) {
            file.remove(&key);
            unset.push(key);
        }
    }
    for (key, value) in wanted {
        if file.get(key) != Some(value) {
            file.insert(key.clone(), value.clone());
            owned.insert(key.clone(), hash_of(value));
            set.push(key.clone());
        }
    }
    if set.is_empty() && unset.is_empty() {
        return Ok(None);
    }
    let text = (!file.is_empty()).then(|| {
        // A map of JSON values always has a JSON form.
        let mut text = serde_json::to_string_pretty(&Value::Object(file)).unwrap_or_default();
        text.push('\n');
        text
    });
    Ok(Some(Edit { text, set, unset }))
}

/// Hashes a value, whatever the order of its keys: `serde_json` keeps them sorted.
fn hash_of(value: &Value) -> String {
    hash(&value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    #[test]
    fn keys_of_the_administrator_stay_and_ours_win() {
        let mut owned = BTreeMap::new();
        let wanted = object(json!({"debug": true, "log-opts": {"max-size": "10m"}}));
        let edit = plan(Some("{\"debug\":false,\"mtu\":1400}"), &wanted, &mut owned)
            .unwrap()
            .unwrap();

        let text: Value = serde_json::from_str(&edit.text.unwrap()).unwrap();
        assert_eq!(
            text,
            json!({"debug": true, "log-opts": {"max-size": "10m"}, "mtu": 1400})
        );
        assert_eq!(edit.set, ["debug", "log-opts"]);
    }

    #[test]
    fn other_spacing_and_order_are_no_change() {
        let wanted = object(json!({"a": 1, "b": {"c": [1, 2], "d": null}}));
        let text = "{ \"b\": {\"d\":null, \"c\": [1,2]},\n \"a\": 1 }";

        assert_eq!(
            plan(Some(text), &wanted, &mut BTreeMap::new()).unwrap(),
            None
        );
    }

    #[test]
    fn a_key_that_was_ours_goes_and_the_last_one_takes_the_file_along() {
        let mut owned = BTreeMap::new();
        let edit = plan(None, &object(json!({"debug": true})), &mut owned)
            .unwrap()
            .unwrap();
        let edit = plan(edit.text.as_deref(), &Map::new(), &mut owned)
            .unwrap()
            .unwrap();

        assert_eq!((edit.text, edit.unset), (None, vec!["debug".to_owned()]));
        assert!(owned.is_empty());
    }

    #[test]
    fn a_key_that_somebody_has_changed_since_stays() {
        let mut owned = BTreeMap::from([("debug".to_owned(), hash("true"))]);

        assert_eq!(
            plan(Some("{\"debug\":false}"), &Map::new(), &mut owned).unwrap(),
            None
        );
    }

    #[test]
    fn a_file_that_is_not_json_is_not_thrown_away() {
        assert!(plan(Some("{,}"), &Map::new(), &mut BTreeMap::new()).is_err());
        assert!(plan(Some("[]"), &Map::new(), &mut BTreeMap::new()).is_err());
    }
}
