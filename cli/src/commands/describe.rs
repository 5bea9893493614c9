//! `launchpad describe`: the state of the cluster, or the configuration as launchpad reads it.

use config::Secrets;
use phase::Mode;
use product::mke::describe::{HostRow, MkeStatus, describe, host_rows, mke_status};
use report::Table;

use crate::arguments::{DescribeArguments, OutputFormat, Report};
use crate::error::CliError;
use crate::session::{self, Request, on};
use crate::world::World;

pub(crate) async fn run(world: &mut World, arguments: &DescribeArguments) -> Result<u8, CliError> {
    if arguments.show_secrets && arguments.report != Report::Config {
        let message = "`--show-secrets` goes with `describe config` only";
        return Err(CliError::Usage(message.to_owned()));
    }
    let loaded = session::load(world, &arguments.cluster).await?;
    match arguments.report {
        Report::Config => {
            let is_shown = arguments.show_secrets || on(arguments.cluster.disable_redact);
            let secrets = if is_shown {
                Secrets::Shown
            } else {
                Secrets::Masked
            };
            world.print(&loaded.config.to_yaml(secrets))?;
            return Ok(crate::error::DONE);
        }
        Report::Msr => {
            return Err(CliError::Usage(
                "this version of launchpad cannot describe MSR yet".to_owned(),
            ));
        }
        Report::Hosts | Report::Mke => {}
    }
    let request = Request {
        command: "describe",
        common: &arguments.common,
        cluster: &arguments.cluster,
        run: None,
        mode: Mode::Observe,
        clean_up: false,
        must_be_supported: false,
        repeat_with: session::repeat_with("describe", &loaded.origin),
    };
    let finished = session::run(world, &request, loaded, describe).await?;
    let report = &finished.report;
    let (shared, cluster) = (&finished.shared, &report.cluster);
    let text = if arguments.report == Report::Hosts {
        let rows = host_rows(shared, cluster, &report.facts);
        match arguments.output {
            OutputFormat::Table => hosts_table(&rows).to_text(),
            OutputFormat::Json => json(&rows),
        }
    } else {
        let status = mke_status(shared, cluster, &report.facts);
        match arguments.output {
            OutputFormat::Table => mke_table(&status),
            OutputFormat::Json => json(&status),
        }
    };
    world.print(&text)?;
    Ok(session::status(report))
}

fn json(value: &impl serde::Serialize) -> String {
    // Rows are structs of texts and numbers, which always have a JSON form.
    session::pretty(&serde_json::to_value(value).unwrap_or_default())
}

fn hosts_table(rows: &[HostRow]) -> Table {
    let header = [
        "ADDRESS",
        "INTERNAL_IP",
        "HOSTNAME",
        "ROLE",
        "OS",
        "RUNTIME",
        "NODE",
    ];
    let mut table = Table::new(header);
    for row in rows.iter().cloned() {
        table.row([
            Some(row.address),
            row.internal_address,
            row.hostname,
            Some(row.role),
            row.os,
            row.engine,
            row.node,
        ]);
    }
    table
}

fn mke_table(status: &MkeStatus) -> String {
    if status.version.is_none() {
        let state = &status.state;
        return match state.as_str() {
            "not installed" => "Not installed\n".to_owned(),
            _ => format!("MKE is {state}\n"),
        };
    }
    let mut table = Table::new(["VERSION", "ADMIN_UI", "MANAGERS", "NODES"]);
    table.row([
        status.version.clone(),
        Some(status.url.clone()),
        Some(format!(
            "{}/{} healthy",
            status.managers_healthy, status.managers
        )),
        Some(format!("{}/{} ready", status.nodes_ready, status.nodes)),
    ]);
    table.to_text()
}
