//! What may be typed for `validate` and `explain`, which need no host.

use clap::Args;

use super::{Common, OutputFormat};

/// Arguments of `validate`.
#[derive(Debug, Clone, Args)]
pub struct ValidateArguments {
    /// The configurations; `-` reads one from standard input
    #[arg(long, short = 'c', value_name = "PATH", num_args = 1..)]
    pub config: Vec<String>,
    /// The same, without the flag
    #[arg(value_name = "PATH", conflicts_with = "config")]
    pub files: Vec<String>,
    /// How the problems are printed: for people on stderr, or as data on stdout
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
}

impl ValidateArguments {
    /// Returns the configurations, however they were given.
    pub fn paths(&self) -> Vec<&str> {
        let all = self.config.iter().chain(&self.files);
        all.map(String::as_str).collect()
    }
}

/// Arguments of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArguments {
    /// The code, as in `LP-C0012`; without it all codes are listed
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
}
