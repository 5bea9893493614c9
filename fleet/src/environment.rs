//! Environments: variables of processes, in the order in which they stand in memory.

use std::sync::Arc;

/// The variables of a process; cheap to clone, as every process hands them on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Environment(Arc<Vec<Pair>>);

/// A name and a value.
type Pair = (Arc<str>, Arc<str>);

impl Environment {
    /// Makes an environment of variables no two of which have one name.
    pub(crate) fn of_distinct(pairs: Vec<Pair>) -> Self {
        Self(Arc::new(pairs))
    }

    /// Returns the value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| **known == *name);
        found.map(|(_, value)| &**value)
    }

    /// Sets a variable: one that is there stays in its place.
    pub(crate) fn insert(&mut self, name: impl Into<Arc<str>>, value: impl Into<Arc<str>>) {
        let (name, value) = (name.into(), value.into());
        let all = Arc::make_mut(&mut self.0);
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => all.push((name, value)),
        }
    }

    /// Sets a variable, unless it is there.
    pub(crate) fn insert_new(&mut self, name: &str, value: &str) {
        if self.get(name).is_none() {
            Arc::make_mut(&mut self.0).push((name.into(), value.into()));
        }
    }

    /// Removes a variable.
    pub(crate) fn remove(&mut self, name: &str) {
        self.retain(|known| known != name);
    }

    /// Removes all variables.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps the variables whose names are wanted.
    pub(crate) fn retain(&mut self, mut is_wanted: impl FnMut(&str) -> bool) {
        Arc::make_mut(&mut self.0).retain(|(name, _)| is_wanted(name));
    }

    /// Returns the variables and their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl<N: Into<Arc<str>>, V: Into<Arc<str>>> Extend<(N, V)> for Environment {
    fn extend<T: IntoIterator<Item = (N, V)>>(&mut self, pairs: T) {
        for (name, value) in pairs {
            self.insert(name, value);
        }
    }
}

impl<N: Into<Arc<str>>, V: Into<Arc<str>>> FromIterator<(N, V)> for Environment {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Self {
        let mut environment = Self::default();
        environment.extend(pairs);
        environment
    }
}
