//! Variables.

use std::sync::Arc;

use super::expand::Fault;
use super::{Dialect, Shell};
use crate::environment::Environment;

/// A variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Variable {
    /// Its value, where it is set.
    pub(super) value: Option<Arc<str>>,
    /// Whether programs see it.
    pub(super) is_exported: bool,
    /// Whether it may not be changed.
    pub(super) is_read_only: bool,
    /// How many variables there were when it was made.
    pub(super) made: usize,
}

impl Shell {
    /// Returns the value of a variable that is set.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.value.as_deref()
    }

    /// Returns the value of a variable, those that the shell makes up included.
    pub(super) fn value_of_variable(&self, name: &str) -> Option<String> {
        match name {
            "LINENO" => Some(self.line.to_string()),
            "RANDOM" if self.dialect == super::Dialect::Bash => {
                use rand::Rng as _;
                let number = self
                    .fleet
                    .world(|world| world.rng.random_range(0..32768_u32));
                Some(number.to_string())
            }
            "SECONDS" if self.dialect == super::Dialect::Bash => {
                Some(self.fleet.elapsed().as_secs().to_string())
            }
            "UID" | "EUID" if self.dialect == super::Dialect::Bash => {
                Some(self.credentials.uid.to_string())
            }
            name => self.variable(name).map(str::to_owned),
        }
    }

    /// Sets a variable.
    ///
    /// # Errors
    ///
    /// Fails where it is read only.
    pub(super) fn try_set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let exports = self.options.exports_all;
        let variable = self.variable_mut(name);
        if variable.is_read_only {
            return Err(format!("{name}: is read only"));
        }
        variable.value = Some(Arc::from(value));
        variable.is_exported |= exports;
        if name == "OPTIND" {
            self.option_offset = 0;
        }
        Ok(())
    }

    /// Sets a variable.
    ///
    /// # Errors
    ///
    /// Fails where it is read only.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        self.try_set(name, value).map_err(|text| self.fail(&text))
    }

    /// Changes what is known of a variable.
    pub(super) fn change_variable(&mut self, name: &str, change: impl FnOnce(&mut Variable)) {
        change(self.variable_mut(name));
    }

    /// Returns a variable to change, which is made where there is none.
    fn variable_mut(&mut self, name: &str) -> &mut Variable {
        let variables = Arc::make_mut(&mut self.variables);
        let made = variables.len();
        variables
            .entry(Arc::from(name))
            .or_insert_with(|| Variable {
                made,
                ..Variable::default()
            })
    }

    /// Puts a variable back as it was.
    pub(super) fn put_back(&mut self, name: String, variable: Option<Variable>) {
        let variables = Arc::make_mut(&mut self.variables);
        match variable {
            Some(variable) => variables.insert(Arc::from(name), variable),
            None => variables.remove(&*name),
        };
    }

    /// Returns what programs see, with what is assigned for one of them: in the order of the hash
    /// table that the shell has its variables in.
    pub(super) fn environment(&self, assigned: Vec<(String, String)>) -> Environment {
        let mut all = Vec::with_capacity(self.variables.len() + assigned.len());
        let is_assigned = |name: &str| assigned.iter().any(|(one, _)| one == name);
        for (name, variable) in self.variables.iter() {
            let value = variable.value.as_ref().filter(|_| variable.is_exported);
            if let Some(value) = value.filter(|_| !is_assigned(name)) {
                let place = place(self.dialect, name, variable.made);
                all.push((place, (Arc::clone(name), Arc::clone(value))));
            }
        }
        for (index, (name, value)) in assigned.iter().enumerate() {
            let is_last = assigned[index + 1..].iter().all(|(later, _)| later != name);
            if is_last {
                let made = self.variables.get(&**name).map(|variable| variable.made);
                let made = made.unwrap_or(self.variables.len());
                let place = place(self.dialect, name, made);
                all.push((place, (Arc::from(&**name), Arc::from(&**value))));
            }
        }
        all.sort_by_key(|(place, _)| *place);
        Environment::of_distinct(all.into_iter().map(|(_, pair)| pair).collect())
    }
}

/// A place in a hash table: the chain, and where in it.
type Place = (usize, i64);

/// Returns the place of a variable: in dash `hashvar` of `src/var.c`, new ones at the end of their
/// chain; in bash `hash_string` of `hashlib.c`, new ones at its beginning.
fn place(dialect: Dialect, name: &str, made: usize) -> Place {
    let made = i64::try_from(made).unwrap_or(i64::MAX);
    match dialect {
        Dialect::Posix => {
            let first = name.bytes().next().map_or(0, |byte| usize::from(byte) << 4);
            let sum: usize = name.bytes().map(usize::from).sum();
            ((first + sum) % 39, made)
        }
        Dialect::Bash => {
            let hash = name.bytes().fold(2_166_136_261_u32, |hash, byte| {
                hash.wrapping_mul(16_777_619) ^ u32::from(byte)
            });
            ((hash & 1023) as usize, -made)
        }
    }
}

/// Quotes a value as dash does where it lists variables and traps.
pub(super) fn quote(value: &str) -> String {
    let mut out = String::new();
    for (index, part) in value.split('\'').enumerate() {
        if index > 0 {
            out.push_str("\"'\"");
        }
        if !part.is_empty() || value.is_empty() {
            out.push_str(&format!("'{part}'"));
        }
    }
    out
}
