//! Takes known secrets out of texts: a second net under the types that cannot be printed.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// What stands in place of a secret.
pub const REDACTED: &str = "[REDACTED]";

/// Secrets shorter than this are left alone: replacing them would garble every text.
const SHORTEST: usize = 4;

/// Knows the secrets of a run; cheap to clone, all clones know the same.
#[derive(Clone, Default)]
pub struct Redactor {
    forms: Arc<RwLock<Vec<Zeroizing<String>>>>,
    is_off: bool,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(..)")
    }
}

impl Redactor {
    /// Makes a redactor that knows no secret.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a redactor that shows every secret (`--disable-redact`).
    pub fn off() -> Self {
        Self {
            is_off: true,
            ..Self::default()
        }
    }

    /// Takes note of a secret in all the forms in which it may be printed: as it is, quoted for
    /// a shell, escaped for JSON, in base64.
    pub fn add(&self, secret: &SecretString) {
        let text = secret.expose_secret();
        if self.is_off || text.len() < SHORTEST {
            return;
        }
        let mut forms = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        for form in spellings(text) {
            if !forms.iter().any(|known| **known == form) {
                forms.push(Zeroizing::new(form));
            }
        }
        // The longest first: a form may hold a shorter one.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// Returns the text without any known secret.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = Cow::Borrowed(text);
        for form in forms.iter() {
            if text.contains(form.as_str()) {
                text = Cow::Owned(text.replace(form.as_str(), REDACTED));
            }
        }
        text
    }
}

/// The forms in which a secret may be printed.
fn spellings(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    if let Ok(quoted) = crate::shell::quote(text) {
        forms.push(quoted[1..quoted.len() - 1].to_owned());
    }
    if let Ok(json) = serde_json::to_string(text) {
        forms.push(json[1..json.len() - 1].to_owned());
    }
    forms.push(format!("{text:?}").trim_matches('"').to_owned());
    forms.push(base64::engine::general_purpose::STANDARD.encode(text));
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_spelling() {
        let redactor = Redactor::new();
        redactor.add(&SecretString::from("pa'ss\"wo\\rd"));

        for text in [
            "x pa'ss\"wo\\rd y".to_owned(),
            format!("x {} y", crate::shell::quote("pa'ss\"wo\\rd").unwrap()),
            format!("x {} y", serde_json::to_string("pa'ss\"wo\\rd").unwrap()),
            format!(
                "x {} y",
                base64::engine::general_purpose::STANDARD.encode("pa'ss\"wo\\rd")
            ),
        ] {
            let redacted = redactor.apply(&text);

            assert!(redacted.contains(REDACTED), "{text}");
            assert!(!redacted.contains("wo\\rd"), "{redacted}");
        }
    }

    #[test]
    fn shows_everything_where_it_is_off() {
        let redactor = Redactor::off();
        redactor.add(&SecretString::from("hunter2"));

        assert_eq!(redactor.apply("hunter2"), "hunter2");
    }

    #[test]
    fn leaves_short_secrets_alone() {
        let redactor = Redactor::new();
        redactor.add(&SecretString::from("a"));

        assert_eq!(redactor.apply("a banana"), "a banana");
    }
}
