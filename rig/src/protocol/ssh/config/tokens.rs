//! What may stand for something else in a value: `%h`, `${HOME}`, `~`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha1::{Digest as _, Sha1};

use super::world::World;

/// The tokens of HostName.
pub(super) const HOST_NAME: &str = "h";
/// The tokens of ProxyJump and ProxyCommand.
pub(super) const PROXY: &str = "hnpr";
/// The tokens of paths and of `Match exec`.
pub(super) const EVERYWHERE: &str = "CdhijkLlnpru";

/// What the tokens stand for.
pub(super) struct Tokens<'a> {
    pub(super) world: &'a dyn World,
    pub(super) home: &'a Path,
    pub(super) local_user: &'a str,
    pub(super) local_uid: u32,
    pub(super) local_host: &'a str,
    /// The host, as the user named it.
    pub(super) alias: &'a str,
    pub(super) host_key_alias: Option<&'a str>,
    pub(super) host_name: &'a str,
    pub(super) port: u16,
    pub(super) user: &'a str,
    /// The hosts to jump through, as they stand in the file.
    pub(super) jumps: &'a str,
}

impl Tokens<'_> {
    /// Expands the tokens of `text` that are allowed there.
    pub(super) fn expand(&self, text: &str, allowed: &str) -> Result<String, String> {
        percents(text, |name| {
            allowed.contains(name).then(|| self.value(name)).flatten()
        })
    }

    /// Expands everything that may stand in a path.
    pub(super) fn path(&self, text: &str) -> Result<PathBuf, String> {
        let text = tilde(text, self.home, self.world)?;
        // What a variable holds is no token.
        let mut expanded = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, left) = after
                .split_once('}')
                .ok_or_else(|| "a `${` is not closed".to_owned())?;
            expanded.push_str(&self.expand(before, EVERYWHERE)?);
            expanded.push_str(&variable(name, self.world)?);
            rest = left;
        }
        expanded.push_str(&self.expand(rest, EVERYWHERE)?);
        Ok(PathBuf::from(expanded))
    }

    fn value(&self, name: char) -> Option<String> {
        Some(match name {
            'C' => self.connection_hash(),
            'd' => self.home.display().to_string(),
            'h' => self.host_name.to_owned(),
            'i' => self.local_uid.to_string(),
            'j' => self.jumps.to_owned(),
            'k' => match self.host_key_alias {
                Some(alias) => alias.to_lowercase(),
                None => self.alias.to_owned(),
            },
            'L' => {
                let short = self.local_host.split('.').next();
                short.unwrap_or_default().to_owned()
            }
            'l' => self.local_host.to_owned(),
            'n' => self.alias.to_owned(),
            'p' => self.port.to_string(),
            'r' => self.user.to_owned(),
            'u' => self.local_user.to_owned(),
            _ => return None,
        })
    }

    /// `%C`: ssh_config(5) defines it as the hash of `%l%h%p%r%j`.
    fn connection_hash(&self) -> String {
        let all = format!(
            "{}{}{}{}{}",
            self.local_host, self.host_name, self.port, self.user, self.jumps
        );
        let mut hexadecimal = String::new();
        for byte in Sha1::digest(all) {
            // Writing to a text does not fail.
            let _ = write!(hexadecimal, "{byte:02x}");
        }
        hexadecimal
    }
}

/// Expands `%` tokens.
pub(super) fn percents(
    text: &str,
    value: impl Fn(char) -> Option<String>,
) -> Result<String, String> {
    let mut expanded = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            expanded.push(character);
            continue;
        }
        match characters.next() {
            Some('%') => expanded.push('%'),
            Some(name) => match value(name) {
                Some(value) => expanded.push_str(&value),
                None => return Err(format!("`%{name}` has no meaning here")),
            },
            None => return Err("a `%` stands alone".to_owned()),
        }
    }
    Ok(expanded)
}

/// Expands `${…}` alone.
pub(super) fn variables(text: &str, world: &dyn World) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, left) = after
            .split_once('}')
            .ok_or_else(|| "a `${` is not closed".to_owned())?;
        expanded.push_str(before);
        expanded.push_str(&variable(name, world)?);
        rest = left;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn variable(name: &str, world: &dyn World) -> Result<String, String> {
    world
        .variable(name)
        .ok_or_else(|| format!("the environment variable `{name}` is not set"))
}

/// Expands `~` and `~user` at the beginning.
pub(super) fn tilde(text: &str, home: &Path, world: &dyn World) -> Result<String, String> {
    let Some(rest) = text.strip_prefix('~') else {
        return Ok(text.to_owned());
    };
    let (user, rest) = match rest.split_once('/') {
        Some((user, rest)) => (user, rest),
        None => (rest, ""),
    };
    let base = match user {
        "" => home.to_owned(),
        user => world
            .home_of(user)
            .ok_or_else(|| format!("there is no user `{user}`"))?,
    };
    let rest = rest.trim_start_matches('/');
    Ok(if rest.is_empty() {
        base.display().to_string()
    } else {
        base.join(rest).display().to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::super::world::Fake;
    use super::*;

    fn tokens<'a>(world: &'a Fake, home: &'a Path) -> Tokens<'a> {
        Tokens {
            world,
            home,
            local_user: "me",
            local_uid: 1000,
            local_host: "box.lan",
            alias: "Web",
            host_key_alias: None,
            host_name: "web.example.com",
            port: 2222,
            user: "deploy",
            jumps: "b1,b2",
        }
    }

    #[test]
    fn every_token_stands_for_what_the_manual_says() {
        let world = Fake::default();
        let tokens = tokens(&world, Path::new("/home/me"));

        let text = "%% %d %h %i %j %k %L %l %n %p %r %u";
        let expected = "% /home/me web.example.com 1000 b1,b2 Web box box.lan Web 2222 deploy me";
        assert_eq!(tokens.expand(text, EVERYWHERE).unwrap(), expected);
        // printf %s box.lanweb.example.com2222deployb1,b2 | sha1sum
        assert_eq!(
            tokens.expand("%C", EVERYWHERE).unwrap(),
            "d583cd202227a8f9736962a0189a9c9f27cf6251"
        );
    }

    #[test]
    fn a_token_that_is_not_allowed_is_named() {
        let world = Fake::default();
        let tokens = tokens(&world, Path::new("/home/me"));

        assert!(tokens.expand("%u", PROXY).unwrap_err().contains("%u"));
        assert!(tokens.expand("%Z", EVERYWHERE).unwrap_err().contains("%Z"));
        assert!(tokens.expand("50%", PROXY).is_err());
    }

    #[test]
    fn paths_know_tildes_and_variables() {
        let mut world = Fake::default();
        world.variables.insert("KEYS".into(), "/keys/%h".into());
        world.homes.insert("eve".into(), "/home/eve".into());
        let tokens = tokens(&world, Path::new("/home/me"));

        for (text, expected) in [
            ("~/.ssh/%r", "/home/me/.ssh/deploy"),
            ("~", "/home/me"),
            ("~eve/k", "/home/eve/k"),
            ("${KEYS}/%p", "/keys/%h/2222"),
            ("a~b", "a~b"),
        ] {
            assert_eq!(tokens.path(text).unwrap(), Path::new(expected), "{text}");
        }
        for text in ["${NONE}", "${KEYS", "~nobody/x"] {
            assert!(tokens.path(text).is_err(), "{text}");
        }
    }
}
