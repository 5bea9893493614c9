//! The administrator of MKE, who may be given as keys or as flags.

use secrecy::{ExposeSecret as _, SecretString};

use crate::code::Code;
use crate::decode::Value;
use crate::flags::Flags;

/// Moves a credential out of a list of flags: it becomes the value of the field, and its flag goes,
/// so that no password is left for a command line. What is given twice has to be the same.
pub(crate) fn take(
    field: &mut Option<SecretString>,
    list: Option<&Value<'_>>,
    flags: &mut Flags,
    (flag, name): (&str, &str),
) {
    let Some(list) = list.filter(|_| flags.has(flag)) else {
        return;
    };
    // The item is underlined, which is masked where it is a secret.
    let items = list.list();
    let item = items.iter().find(|item| {
        let text = item.json();
        text.as_str().is_some_and(|text| text.contains(flag))
    });
    let place = item.unwrap_or(list);
    for written in flags.written(flag) {
        if evaluates(written) {
            let message = format!("the value of `{flag}` is a command of the shell");
            let problem = place.wrong(Code::AdminIsCommand, message);
            place.add(problem.hint(format!("set `spec.mke.{name}` to the value itself")));
        }
    }
    let values: Vec<String> = flags.values(flag).iter().map(ToString::to_string).collect();
    if values.iter().all(String::is_empty) {
        let problem = place.wrong(Code::AdminWithoutValue, format!("`{flag}` has no value"));
        place.add(problem.hint(format!("set `spec.mke.{name}`")));
    }
    for value in values.into_iter().filter(|value| !value.is_empty()) {
        match field {
            None => *field = Some(SecretString::from(value)),
            Some(given) if given.expose_secret() == value => {}
            Some(_) => {
                let message = format!("`{name}` and `{flag}` of `{}` differ", list.path());
                let hint = format!("keep `spec.mke.{name}` and remove the flag");
                place.add(place.wrong(Code::AdminDiffers, message).hint(hint));
            }
        }
    }
    flags.remove(flag);
}

/// Whether a shell would evaluate a part of a flag, outside of single quotes.
fn evaluates(written: &str) -> bool {
    let outside: String = written.split('\'').step_by(2).collect();
    outside.contains("$(") || outside.contains('`')
}
