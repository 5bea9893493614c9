//! The codes of problems (`LP-C0012`): one for each kind of problem, never given to another kind.
//!
//! A code is a line of the table in this file, with its title, and a page in `explain/`: what the
//! cause is, a wrong document and a right one. Pages are Markdown with a small rule: examples are
//! fenced blocks, `yaml wrong` and `yaml right`. Most show only a part of a document; what is missing
//! in them is as in any good one. With `whole`, they are all of it.

mod page;

use std::fmt;

use serde::{Serialize, Serializer};

pub use page::{Example, Page, reference};

use crate::diagnostic::Severity;
use crate::shown::nearest;

/// Writes out the codes, once.
macro_rules! codes {
    ($($number:literal $severity:ident $name:ident $title:literal)*) => {
        /// A kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        #[expect(clippy::zero_prefixed_literal, reason = "numbers as they are shown")]
        pub enum Code {
            $(#[doc = $title] $name = $number,)*
        }

        impl Code {
            /// All codes, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns what the problem is, in one line.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Returns whether the problem stops the run.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// Returns the page that explains it.
            pub fn page(self) -> Page {
                Page(match self {
                    $(Self::$name => include_str!(
                        concat!("explain/LP-C", stringify!($number), ".md")
                    ),)*
                })
            }
        }
    };
}

codes! {
    // The file.
    0001 Error TooLarge "the file is too large"
    0002 Error NotText "the file is neither UTF-8 nor UTF-16"
    0003 Error NulByte "the file has a NUL byte"
    0004 Error Empty "the configuration is empty"
    0005 Warning SecondDocument "the file holds more than one YAML document"
    0006 Error Unreadable "the file cannot be read"
    // YAML.
    0010 Error Syntax "the text is not valid YAML"
    0011 Error TabIndent "a line is indented with a tab"
    0012 Error UnknownAnchor "an alias has no anchor before it"
    0013 Error AliasInItself "an alias stands inside of what it stands for"
    0014 Error TooDeep "lists and mappings are nested too deep"
    0015 Error TooManyValues "there are too many values"
    0016 Error AliasesTooLarge "aliases stand for too much text"
    0017 Error Tag "a tag like `!name` is not supported"
    0018 Error KeyNotText "a key is a list or a mapping"
    0019 Error MergeKey "`<<` does not name a mapping"
    0020 Error DuplicateKey "a key stands twice in one mapping"
    // Variables of the environment.
    0025 Error VariableNotSet "a variable of the environment is not set"
    0026 Error UnclosedBrace "the closing brace of `${` is missing"
    0027 Warning NestedDefault "a default has a variable and more"
    // The form of the document.
    0030 Error MissingKey "a key is missing"
    0031 Error EmptyKey "a key has no value"
    0032 Error UnknownKey "a key is unknown"
    0033 Error OlderKey "a key has another name or place today"
    0034 Error ApiVersion "`apiVersion` is not one that is read"
    0035 Error Kind "`kind` is not one that there is"
    0036 Error WrongType "a value is of the wrong type"
    0037 Error Number "a number is outside of its limits, or none"
    0038 Error NotAChoice "a value is not one of the words that there are"
    0039 Error ClusterName "the name of the cluster cannot be that of a directory"
    // Hosts.
    0040 Error NoConnection "a host has no connection block"
    0041 Error TwoConnections "a host has two connection blocks"
    0042 Error Address "an address is neither a host name nor an IP address"
    0043 Error UserName "this cannot be the name of a user"
    0044 Error InterfaceName "this cannot be the name of an interface"
    0045 Error EmptyHost "a host is empty"
    0046 Error NoManager "no host has the role `manager`"
    0047 Error DuplicateHost "a host is in the list twice"
    0048 Error EnvironmentVariable "this cannot be a variable of a host"
    0049 Error MsrWithoutSpec "a host has the role `msr`, and there is no `spec.msr`"
    // Files that the configuration names.
    0050 Error HomeDirectory "`~` cannot be expanded"
    0051 Error FileUnreadable "a file that is named cannot be read"
    0052 Error FileNotText "a file that is named is not a text"
    0053 Error FileTooLarge "a file that is named is too large"
    // Products.
    0060 Error Channel "this cannot be a channel"
    0061 Error Version "this is not a version"
    0062 Error Url "this is not a URL"
    0063 Error Flag "an item of a list of flags is no flag"
    0064 Error AdminDiffers "the administrator is given twice, and differently"
    0065 Error AdminIsCommand "the administrator is given by a command of the shell"
    0066 Error AdminWithoutValue "a flag of the administrator has no value"
    0067 Error Certificates "a part of the server certificate is missing"
    0068 Error CloudConfig "the provider takes no cloud configuration"
    0069 Error ControllerPort "the port of MKE is not a port"
    0070 Error Network "the value of a flag is not a network"
    0071 Error NetworkOverlap "networks of pods and of the swarm overlap"
    // Commands.
    0075 Error NotYet "this version of launchpad cannot do it yet"
    0076 Error NotSimulated "this cannot be simulated"
    0077 Error NoCredentials "there is nobody to log in as"
    // What is legal, and hurts.
    0080 Warning EvenManagers "the number of managers is even"
    0081 Warning WithoutEffect "a key has no effect"
    0082 Warning HostKey "`hostKey` is deprecated"
    0083 Warning KeyFileMode "others may read a private key"
    0084 Warning PlainPassword "a password stands in the file"
    0085 Warning ChannelWithoutVersion "the channel names no version"
    0086 Warning Todo "a comment says that there is something left to do"
    0087 Warning ShortVersion "a version names no release"
    // Of older releases.
    0090 Warning OlderForm "the configuration has the form of an older release"
    0091 Warning ChangedMeaning "something in an older configuration means something else now"
    0092 Warning IgnoredKey "a key that nobody knows is ignored in an older configuration"
    0093 Warning LastKeyCounts "a key stands twice in an older configuration, and the last one counts"
}

/// A text that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no code {}", crate::shown::quoted(.text))]
pub struct UnknownCode {
    text: String,
    /// The code that may be meant.
    pub near: Option<Code>,
}

impl Code {
    /// Reads a code as people write it: `LP-C0012`, `LP-C12`, `c0012`, `12`.
    ///
    /// # Errors
    ///
    /// Fails where there is no such code, with one that may be meant.
    pub fn parse(text: &str) -> Result<Self, UnknownCode> {
        let low = text.trim().to_ascii_lowercase();
        let rest = match low.strip_prefix("lp") {
            Some(rest) => rest.strip_prefix(['-', '_']).unwrap_or(rest),
            None => &low,
        };
        let digits = rest.strip_prefix('c').unwrap_or(rest);
        let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        let number: Option<u16> = digits.parse().ok().filter(|_| is_number);
        let found = Self::ALL.iter().find(|code| Some(code.number()) == number);
        found.copied().ok_or_else(|| UnknownCode {
            text: text.to_owned(),
            near: near(&low, digits),
        })
    }

    fn number(self) -> u16 {
        self as u16
    }
}

/// Returns the code whose name is nearest to a text; of a number that is not there, the nearest.
fn near(low: &str, digits: &str) -> Option<Code> {
    let names: Vec<String> = Code::ALL.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if let Ok(number) = digits.parse::<u16>() {
        let distance = |code: &&Code| code.number().abs_diff(number);
        return Code::ALL.iter().min_by_key(distance).copied();
    }
    let name = nearest(low, &names)?;
    Code::ALL
        .get(names.iter().position(|one| *one == name)?)
        .copied()
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LP-C{:04}", self.number())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_write_them() {
        for text in [
            "LP-C0012", "LP-C12", "c0012", "C12", "lp-c0012", "12", " lpc12 ",
        ] {
            assert_eq!(Code::parse(text), Ok(Code::UnknownAnchor), "{text}");
        }
        for (text, near) in [
            ("LP-C0013x", Some(Code::AliasInItself)),
            ("LP-X0013", Some(Code::AliasInItself)),
            ("LP-C9999", Code::ALL.last().copied()),
            ("LP-C0007", Some(Code::Unreadable)),
            ("-1", None),
            ("", None),
            ("password", None),
        ] {
            assert_eq!(Code::parse(text).unwrap_err().near, near, "{text}");
        }
        for code in Code::ALL {
            assert_eq!(Code::parse(&code.to_string()), Ok(*code));
        }
    }

    #[test]
    fn titles_and_pages_keep_their_form() {
        for code in Code::ALL {
            let title = code.title();
            assert!(!title.ends_with('.') && title.len() < 70, "{code}: {title}");
            let page = code.page().0;
            assert!(page.ends_with('\n') && !page.contains("\n\n\n"), "{code}");
            let is_wide = |line: &&str| line.chars().count() > 124;
            assert_eq!(page.lines().find(is_wide), None, "{code}");
        }
        let numbers: Vec<u16> = Code::ALL.iter().map(|code| code.number()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }
}
