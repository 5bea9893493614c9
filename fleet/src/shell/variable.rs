//! Variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Shell;
use super::expand::Fault;

/// A variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Variable {
    /// Its value, where it is set.
    pub(super) value: Option<String>,
    /// Whether programs see it.
    pub(super) is_exported: bool,
    /// Whether it may not be changed.
    pub(super) is_read_only: bool,
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
        let variable = Arc::make_mut(&mut self.variables)
            .entry(name.to_owned())
            .or_default();
        if variable.is_read_only {
            return Err(format!("{name}: is read only"));
        }
        variable.value = Some(value.to_owned());
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
        let variables = Arc::make_mut(&mut self.variables);
        change(variables.entry(name.to_owned()).or_default());
    }

    /// Puts a variable back as it was.
    pub(super) fn put_back(&mut self, name: String, variable: Option<Variable>) {
        let variables = Arc::make_mut(&mut self.variables);
        match variable {
            Some(variable) => variables.insert(name, variable),
            None => variables.remove(&name),
        };
    }

    /// Returns what programs see.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let exported = self.variables.iter().filter_map(|(name, variable)| {
            let value = variable.value.as_ref().filter(|_| variable.is_exported)?;
            Some((name.clone(), value.clone()))
        });
        exported.collect()
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
