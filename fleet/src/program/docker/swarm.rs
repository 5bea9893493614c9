//! `swarm`.

use std::time::Duration;

use super::flags::{Flag, Flags};
use super::listing::Listing;
use super::{Docker, Failure, Outcome, none, only, said, unknown};
use crate::engine::swarm::membership::{self, Request};
use crate::engine::swarm::node::AVAILABILITIES;
use crate::engine::swarm::{Settings, managed};
use crate::engine::{around, show};

const INIT: &[Flag] = &[
    Flag::value("advertise-addr"),
    Flag::value("listen-addr"),
    Flag::value("data-path-addr"),
    Flag::value("data-path-port"),
    Flag::value("default-addr-pool"),
    Flag::value("default-addr-pool-mask-length"),
    Flag::value("availability"),
    Flag::value("task-history-limit"),
    Flag::value("cert-expiry"),
    Flag::value("dispatcher-heartbeat"),
];

const JOIN: &[Flag] = &[
    Flag::value("advertise-addr"),
    Flag::value("listen-addr"),
    Flag::value("data-path-addr"),
    Flag::value("availability"),
    Flag::value("token"),
];

impl Docker<'_> {
    /// Commands of the swarm.
    pub(super) async fn swarm(&mut self, words: &[&str]) -> Outcome {
        match words {
            ["init", rest @ ..] => self.init(rest).await,
            ["join", rest @ ..] => self.join(rest).await,
            ["leave", rest @ ..] => self.leave(rest).await,
            ["join-token", rest @ ..] => self.join_token(rest).await,
            ["update", rest @ ..] => self.update_swarm(rest).await,
            ["ca"] => self.print_authority().await,
            ["unlock-key", ..] => self.print_unlock_key().await,
            [word, ..] => Err(unknown(format!("the command swarm {word}"))),
            [] => Err(unknown("the help of swarm")),
        }
    }

    async fn init(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(INIT, words)?;
        let request = request(&flags)?;
        let mut settings = Settings::default();
        change(&mut settings, &flags)?;
        let (node, took) = self
            .engine(|world, host, now| membership::init(world, host, &request, settings, now))
            .await?;
        self.invocation.sleep(took).await;
        let (token, address) = self
            .engine(|world, host, _| {
                let swarm = world.swarm(managed(world, host)?);
                let node = swarm.find_node(&node)?;
                Ok((
                    swarm.tokens.token(false),
                    format!("{}:{}", node.address, node.port),
                ))
            })
            .await?;
        self.invocation.print(&format!(
            "Swarm initialized: current node ({node}) is now a manager.\n\nTo add a worker to this \
             swarm, run the following command:\n\n    docker swarm join --token {token} \
             {address}\n\nTo add a manager to this swarm, run 'docker swarm join-token manager' \
             and follow the instructions.\n\n"
        ));
        Ok(0)
    }

    async fn join(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(JOIN, words)?;
        let remote = only(&flags, "swarm join")?.to_owned();
        let mut request = request(&flags)?;
        request.remotes.push(remote);
        flags
            .value("token")
            .unwrap_or_default()
            .clone_into(&mut request.token);
        let (took, joined) = self
            .engine(|world, host, now| Ok(membership::join(world, host, &request, now)))
            .await?;
        self.invocation.sleep(took).await;
        joined?;
        let is_manager = self
            .engine(|world, host, _| {
                let own = world.engine(host).membership.clone();
                let node = own.and_then(|own| world.swarm(own.swarm).nodes.get(&own.node).cloned());
                Ok(node.is_some_and(|node| node.is_manager))
            })
            .await?;
        let role = if is_manager { "manager" } else { "worker" };
        self.invocation
            .print(&format!("This node joined a swarm as a {role}.\n"));
        Ok(0)
    }

    async fn leave(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::switch("force").short('f')], words)?;
        none(&flags, "swarm leave")?;
        let is_forced = flags.has("force");
        let took = self
            .engine(|world, host, now| membership::leave(world, host, is_forced, now))
            .await?;
        self.invocation.sleep(took).await;
        self.invocation.print("Node left the swarm.\n");
        Ok(0)
    }

    async fn join_token(&mut self, words: &[&str]) -> Outcome {
        let known = [Flag::switch("quiet").short('q'), Flag::switch("rotate")];
        let flags = Flags::parse(&known, words)?;
        let role = only(&flags, "swarm join-token")?.to_owned();
        if role != "manager" && role != "worker" {
            return Err(said("unknown role ".to_owned() + &role));
        }
        let is_manager = role == "manager";
        let rotates = flags.has("rotate");
        let (token, address) = self
            .engine(|world, host, _| {
                let swarm = managed(world, host)?;
                let state = &mut world.engines.swarms[swarm];
                if rotates {
                    state.tokens.rotate(&mut world.rng, is_manager);
                }
                let token = state.tokens.token(is_manager);
                Ok((token, format!("{}:2377", around::address(world, host))))
            })
            .await?;
        if flags.has("quiet") {
            self.invocation.print(&format!("{token}\n"));
            return Ok(0);
        }
        if rotates {
            self.invocation
                .print(&format!("Successfully rotated {role} join token.\n\n"));
        }
        self.invocation.print(&format!(
            "To add a {role} to this swarm, run the following command:\n\n    docker swarm join \
             --token {token} {address}\n\n"
        ));
        Ok(0)
    }

    /// `docker swarm ca`.
    async fn print_authority(&mut self) -> Outcome {
        let cluster = self
            .engine(|world, host, _| {
                let swarm = world.swarm(managed(world, host)?);
                Ok(show::info::cluster(world, host, swarm))
            })
            .await?;
        let root = cluster.at(&["TLSInfo", "TrustRoot"]).as_text().to_owned();
        self.invocation.print(&format!("{root}\n"));
        Ok(0)
    }

    async fn print_unlock_key(&mut self) -> Outcome {
        let managed = self.engine(|world, host, _| managed(world, host)).await;
        match managed {
            Ok(_) => Err(unknown("the key of a swarm")),
            Err(Failure::Said(text, status)) => Err(Failure::Said(
                format!("could not fetch unlock key: {text}"),
                status,
            )),
            Err(other) => Err(other),
        }
    }

    /// `docker stack ls`: there are none.
    pub(super) async fn list_stacks(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::value("format")], words)?;
        self.engine(|world, host, _| managed(world, host)).await?;
        let columns = [
            ("Name", "NAME"),
            ("Services", "SERVICES"),
            ("Orchestrator", "ORCHESTRATOR"),
        ];
        let is_old = show::info::major(&self.client_version()) < 23;
        self.list_nothing(&columns[..if is_old { 3 } else { 2 }], &flags)
    }

    /// `docker plugin ls`: there are none.
    pub(super) async fn list_plugins(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::value("format")], words)?;
        self.engine(|_, _, _| Ok(())).await?;
        let columns = [
            ("ID", "ID"),
            ("Name", "NAME"),
            ("Description", "DESCRIPTION"),
            ("Enabled", "ENABLED"),
        ];
        self.list_nothing(&columns, &flags)
    }

    fn list_nothing(&mut self, columns: &[(&str, &str)], flags: &Flags) -> Outcome {
        let listing = Listing {
            columns,
            rows: Vec::new(),
            key: "ID",
        };
        self.list(listing, flags)
    }

    async fn update_swarm(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::value("task-history-limit"),
            Flag::value("cert-expiry"),
            Flag::value("dispatcher-heartbeat"),
            Flag::switch("autolock"),
        ];
        let flags = Flags::parse(&known, words)?;
        let mut changed = self
            .engine(|world, host, _| Ok(world.swarm(managed(world, host)?).settings.clone()))
            .await?;
        if flags.has("autolock") {
            return Err(unknown("a locked swarm"));
        }
        change(&mut changed, &flags)?;
        self.engine(|world, host, now| {
            let swarm = managed(world, host)?;
            let state = world.swarm_mut(swarm);
            state.settings = changed;
            state.bump(now);
            Ok(())
        })
        .await?;
        self.invocation.print("Swarm updated.\n");
        Ok(0)
    }
}

fn request(flags: &Flags) -> Result<Request, Failure> {
    let availability = flags.value("availability").unwrap_or("active");
    let found = AVAILABILITIES
        .iter()
        .find(|(name, _)| *name == availability);
    let bad = || {
        said(format!(
            "invalid availability \"{availability}\", only \"active\", \"pause\" and \"drain\" are supported"
        ))
    };
    Ok(Request {
        advertise: flags.value("advertise-addr").unwrap_or_default().to_owned(),
        listen: flags.value("listen-addr").unwrap_or_default().to_owned(),
        remotes: Vec::new(),
        token: String::new(),
        availability: Some(found.ok_or_else(bad)?.1),
    })
}

fn change(settings: &mut Settings, flags: &Flags) -> Result<(), Failure> {
    let bad = |name: &str, text: &str| {
        Failure::Said(
            format!("invalid argument \"{text}\" for \"--{name}\" flag"),
            125,
        )
    };
    let hours = |name: &str| -> Result<Option<Duration>, Failure> {
        let Some(text) = flags.value(name) else {
            return Ok(None);
        };
        let (digits, unit) = text.split_at(text.len().saturating_sub(1));
        let number: u64 = digits.parse().ok().ok_or_else(|| bad(name, text))?;
        let seconds = match unit {
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            _ => return Err(bad(name, text)),
        };
        Ok(Some(Duration::from_secs(number * seconds)))
    };
    if let Some(expiry) = hours("cert-expiry")? {
        settings.certificate_expiry = expiry;
    }
    if let Some(heartbeat) = hours("dispatcher-heartbeat")? {
        settings.heartbeat = heartbeat;
    }
    let pools = flags.all("default-addr-pool");
    if !pools.is_empty() {
        settings.address_pools = pools;
    }
    let numbers: [(&str, &mut dyn FnMut(u32)); 3] = [
        ("task-history-limit", &mut |number| {
            settings.history_limit = number
        }),
        ("default-addr-pool-mask-length", &mut |number| {
            settings.subnet_size = u8::try_from(number).unwrap_or(u8::MAX);
        }),
        ("data-path-port", &mut |number| {
            settings.data_path_port = u16::try_from(number).unwrap_or(u16::MAX);
        }),
    ];
    for (name, set) in numbers {
        if let Some(text) = flags.value(name) {
            let number = text.parse();
            set(number.ok().ok_or_else(|| bad(name, text))?);
        }
    }
    Ok(())
}
