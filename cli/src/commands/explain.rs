//! `launchpad explain`: what a code means, with a wrong and a right document.

use config::Code;
use report::Table;

use crate::arguments::ExplainArguments;
use crate::error::{CliError, DONE};
use crate::world::World;

pub(crate) fn run(world: &mut World, arguments: &ExplainArguments) -> Result<u8, CliError> {
    let text = match &arguments.code {
        Some(text) => page(Code::parse(text).map_err(|error| {
            let near = error.near.map(|code| format!(", did you mean `{code}`?"));
            let near = near.unwrap_or_default();
            CliError::Usage(format!("{error}{near} `launchpad explain` lists all codes"))
        })?),
        None => list(),
    };
    world.print(&text)?;
    Ok(DONE)
}

fn page(code: Code) -> String {
    let (severity, title) = (code.severity(), code.title());
    format!("{severity}[{code}]: {title}\n\n{}", code.page().to_text())
}

fn list() -> String {
    let mut table = Table::new(["CODE", "SEVERITY", "PROBLEM"]);
    for code in Code::ALL {
        table.row([
            Some(code.to_string()),
            Some(code.severity().to_string()),
            Some(code.title().to_owned()),
        ]);
    }
    table.to_text()
}
