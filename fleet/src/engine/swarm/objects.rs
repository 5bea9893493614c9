//! Configs, secrets, tokens.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng;

use crate::engine::{Refusal, names, refusal};
use crate::world::World;

/// A config or a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its content.
    pub(crate) data: Vec<u8>,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// When it was made.
    pub(crate) created: Duration,
    /// The number of the change that made it.
    pub(crate) version: u64,
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Object({})", self.name)
    }
}

/// Which kind of object is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A config.
    Config,
    /// A secret.
    Secret,
}

impl Kind {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Secret => "secret",
        }
    }

    /// Returns all objects of the kind.
    pub(crate) fn all(self, swarm: &super::Swarm) -> &BTreeMap<String, Object> {
        match self {
            Self::Config => &swarm.configs,
            Self::Secret => &swarm.secrets,
        }
    }

    fn all_mut(self, swarm: &mut super::Swarm) -> &mut BTreeMap<String, Object> {
        match self {
            Self::Config => &mut swarm.configs,
            Self::Secret => &mut swarm.secrets,
        }
    }

    /// Finds an object by id, name or the beginning of an id.
    pub(crate) fn find(self, swarm: &super::Swarm, text: &str) -> Result<Object, Refusal> {
        let all = self.all(swarm);
        let found = all
            .get(text)
            .or_else(|| all.values().find(|one| one.name == text))
            .or_else(|| {
                all.values()
                    .find(|one| !text.is_empty() && one.id.starts_with(text))
            });
        let missing = || refusal(404, format!("{} {text} not found", self.name()));
        found.cloned().ok_or_else(missing)
    }
}

/// What lets nodes join.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// The digest of the authority.
    authority: String,
    /// What is secret in the token of managers.
    manager: String,
    /// What is secret in the token of workers.
    worker: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// To become a manager.
    Manager,
    /// To become a worker.
    Worker,
    /// Nothing here: its authority is another.
    OtherAuthority,
    /// Nothing: its secret is not right.
    WrongSecret,
}

impl Tokens {
    /// Makes tokens.
    pub(crate) fn new(rng: &mut impl Rng) -> Self {
        Self {
            authority: names::base36(rng, 50),
            manager: names::base36(rng, 25),
            worker: names::base36(rng, 25),
        }
    }

    /// Returns the token of managers or of workers.
    pub(crate) fn token(&self, is_manager: bool) -> String {
        let secret = if is_manager {
            &self.manager
        } else {
            &self.worker
        };
        format!("SWMTKN-1-{}-{secret}", self.authority)
    }

    /// Replaces the token of managers or of workers.
    pub(crate) fn rotate(&mut self, rng: &mut impl Rng, is_manager: bool) {
        let secret = names::base36(rng, 25);
        if is_manager {
            self.manager = secret;
        } else {
            self.worker = secret;
        }
    }

    /// Judges a token.
    pub(crate) fn judge(&self, token: &str) -> Admission {
        let (authority, secret) = parts_of(token).unwrap_or_default();
        match () {
            () if authority != self.authority => Admission::OtherAuthority,
            () if secret == self.manager => Admission::Manager,
            () if secret == self.worker => Admission::Worker,
            () => Admission::WrongSecret,
        }
    }
}

fn parts_of(token: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = token.split('-').collect();
    match parts.as_slice() {
        ["SWMTKN", "1", authority, secret] if authority.len() == 50 && secret.len() == 25 => {
            Some((authority, secret))
        }
        _ => None,
    }
}

/// Returns the digest of the authority that a token is for, in hexadecimal: it is written in digits
/// of base 36. `None` where it is no token.
pub(crate) fn authority_of(token: &str) -> Option<String> {
    let (authority, _) = parts_of(token)?;
    let mut bytes = [0_u8; 32];
    for digit in authority.chars() {
        let mut carry = digit.to_digit(36)?;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 36;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
    }
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Makes a config or a secret; returns its id.
pub(crate) fn create(
    world: &mut World,
    swarm: usize,
    kind: Kind,
    name: &str,
    data: Vec<u8>,
    labels: BTreeMap<String, String>,
    now: Duration,
) -> Result<String, Refusal> {
    let is_good = |one: char| one.is_ascii_alphanumeric() || "_.-".contains(one);
    let invalid = |what: String| {
        refusal(
            400,
            format!("rpc error: code = InvalidArgument desc = {what}"),
        )
    };
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_good) {
        return Err(invalid(
            "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end \
             character must be [a-zA-Z0-9]"
                .to_owned(),
        ));
    }
    if data.is_empty() || data.len() > 1_000 << 10 {
        return Err(invalid(format!(
            "{} data must be larger than 0 and less than 1024000 bytes",
            kind.name()
        )));
    }
    if kind
        .all(world.swarm(swarm))
        .values()
        .any(|one| one.name == name)
    {
        return Err(refusal(
            409,
            format!(
                "rpc error: code = AlreadyExists desc = {} {name} already exists",
                kind.name()
            ),
        ));
    }
    let id = names::swarm_id(&mut world.rng);
    let state = world.swarm_mut(swarm);
    let version = state.bump(now);
    let object = Object {
        id: id.clone(),
        name: name.to_owned(),
        data,
        labels,
        created: now,
        version,
    };
    kind.all_mut(state).insert(id.clone(), object);
    if kind == Kind::Config {
        world.touch_swarm(swarm);
    }
    Ok(id)
}

/// Removes a config or a secret.
pub(crate) fn remove(
    world: &mut World,
    swarm: usize,
    kind: Kind,
    text: &str,
    now: Duration,
) -> Result<(), Refusal> {
    let found = kind.find(world.swarm(swarm), text)?;
    let state = world.swarm_mut(swarm);
    state.bump(now);
    kind.all_mut(state).remove(&found.id);
    if kind == Kind::Config {
        world.touch_swarm(swarm);
    }
    Ok(())
}
