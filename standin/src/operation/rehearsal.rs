//! An engine in memory that operations are tried on, and what they have asked of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::{Command, Environment, Seed, World};
use crate::controller::Site;
use crate::engine::{
    Action, Config, Container, Identity, Node, Part, Payload, Refusal, Reply, Service, Swarm, Task,
    View,
};
use crate::image::Release;
use crate::log::{Format, Level, Line};
use crate::machine::{Input, Machine, Next};
use crate::state::{AGENT_SERVICE, UNINSTALL_SERVICE};

/// No operation that ends takes more steps.
const STEPS: usize = 100_000;

/// One node's engine.
pub(crate) struct Rehearsal {
    pub(crate) view: View,
    /// The image of the process that is tried.
    pub(crate) image: String,
    /// Whether the agents of services do their work.
    pub(crate) has_agents: bool,
    /// Whether a container needs its image on the node.
    pub(crate) needs_images: bool,
    /// How many looks and actions are refused from now on.
    pub(crate) refuses: usize,
    /// The state that the update of a service comes to.
    pub(crate) update_ends: &'static str,
    /// How long the process is paused when it first looks at containers.
    pub(crate) pause_at_look: Option<Duration>,
    pub(crate) files: BTreeMap<String, String>,
    now: Duration,
}

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) status: u8,
    pub(crate) lines: Vec<Line>,
    pub(crate) actions: Vec<Action>,
    pub(crate) site: Option<Site>,
    pub(crate) took: Duration,
}

pub(crate) fn container(name: &str, image: &str) -> Container {
    Container {
        name: name.to_owned(),
        image: image.to_owned(),
        state: "running".to_owned(),
        ..Container::default()
    }
}

impl Rehearsal {
    pub(crate) fn manager() -> Self {
        let swarm = Swarm {
            node_id: "node1".to_owned(),
            node_address: "10.0.0.1".to_owned(),
            is_manager: true,
            cluster_id: "cluster1".to_owned(),
            error: None,
        };
        let node = Node {
            id: "node1".to_owned(),
            host_name: "m1".to_owned(),
            is_manager: true,
            state: "ready".to_owned(),
            ..Node::default()
        };
        Self {
            view: View {
                host_name: "m1".to_owned(),
                engine_version: "20.10.24".to_owned(),
                swarm,
                nodes: vec![node],
                ..View::default()
            },
            image: "mirantis/ucp:3.8.8".to_owned(),
            has_agents: true,
            needs_images: false,
            refuses: 0,
            update_ends: "completed",
            pause_at_look: None,
            files: BTreeMap::new(),
            now: Duration::ZERO,
        }
    }

    pub(crate) fn worker() -> Self {
        let mut engine = Self::manager();
        engine.view.swarm.is_manager = false;
        engine.view.swarm.cluster_id.clear();
        engine.view.nodes.clear();
        engine
    }

    /// Runs an operation to its end.
    pub(crate) fn run(&mut self, line: &str, environment: &[(&str, &str)]) -> Run {
        self.drive(line, environment, STEPS)
    }

    /// Lets a role look as often.
    pub(crate) fn rounds(&mut self, line: &str, looks: usize) -> Run {
        self.drive(line, &[], looks)
    }

    fn drive(&mut self, line: &str, environment: &[(&str, &str)], looks: usize) -> Run {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let environment: Environment = environment.iter().copied().collect();
        let command = Command::parse(&words, &environment).unwrap();
        let world = World {
            image: self.image.clone(),
            environment,
            seed: Seed([7; 32]),
        };
        let mut machine = Machine::new(command, world);
        let (start, mut run, mut looked) = (self.now, Run::default(), 0);
        let mut input = Input::Start;
        loop {
            let step = machine.step(self.now - start, input);
            run.lines.extend(step.lines);
            run.took = self.now - start;
            input = match step.next {
                Next::Look { .. } if looked >= looks => return run,
                Next::Look { after, parts } => {
                    looked += 1;
                    self.now += after;
                    self.look(&parts)
                }
                Next::Do(action) => {
                    run.actions.push(action.clone());
                    self.act(action)
                }
                Next::Serve(site) => {
                    run.site = Some(*site);
                    return run;
                }
                Next::Idle => return run,
                Next::Exit(status) => {
                    run.status = status;
                    return run;
                }
            };
        }
    }

    fn refusal(&mut self) -> Option<Input> {
        self.refuses = self.refuses.checked_sub(1)?;
        Some(Input::Refused(Refusal {
            status: Some(503),
            message: "the swarm does not have a leader".to_owned(),
        }))
    }

    fn look(&mut self, parts: &[Part]) -> Input {
        if let Some(refused) = self.refusal().filter(|_| !parts.is_empty()) {
            return refused;
        }
        if parts == [Part::Containers]
            && let Some(pause) = self.pause_at_look.take()
        {
            self.now += pause;
        }
        self.let_agents_work();
        Input::Seen(Box::new(self.view.clone()))
    }

    fn let_agents_work(&mut self) {
        if !self.has_agents {
            return;
        }
        if let Some(service) = self
            .view
            .services
            .iter_mut()
            .find(|one| one.name == AGENT_SERVICE)
        {
            if service.update.as_deref() == Some("updating") {
                service.update = Some(self.update_ends.to_owned());
            }
            let release = Release::of(&service.image);
            self.view.containers = ["ucp-controller", "ucp-proxy"]
                .map(|name| container(name, &release.named(name)))
                .to_vec();
        }
        let is_uninstalled = self.view.service(UNINSTALL_SERVICE).is_some();
        let nodes = self.view.nodes.iter();
        self.view.tasks = nodes
            .filter(|node| is_uninstalled && node.state == "ready")
            .map(|node| Task {
                node_id: node.id.clone(),
                state: "complete".to_owned(),
            })
            .collect();
    }

    fn act(&mut self, action: Action) -> Input {
        let is_local = matches!(action, Action::ReadFile(_) | Action::WriteFile { .. });
        if !is_local && let Some(refused) = self.refusal() {
            return refused;
        }
        match self.carry_out(action) {
            Some(reply) => Input::Done(reply),
            None => Input::Refused(Refusal {
                status: Some(404),
                message: "not there".to_owned(),
            }),
        }
    }

    fn carry_out(&mut self, action: Action) -> Option<Reply> {
        let view = &mut self.view;
        match action {
            Action::MakeAuthority => {
                return Some(Reply::Identity(Identity {
                    certificate: "CLUSTER CA\n".to_owned(),
                    key: "CLUSTER KEY".to_owned(),
                }));
            }
            Action::Issue {
                common_name, names, ..
            } => {
                return Some(Reply::Identity(Identity {
                    certificate: format!("{common_name} for {}", names.join(",")),
                    key: "KEY".to_owned(),
                }));
            }
            Action::ReadFile(path) | Action::ReadContainerFile { path, .. } => {
                let content = self.files.get(&path)?;
                return Some(Reply::File(Payload(content.clone().into_bytes())));
            }
            Action::WriteFile { path, content } => {
                let content = String::from_utf8(content.0).unwrap();
                self.files.insert(path, content);
            }
            Action::CreateConfig { name, data } => {
                let id = format!("config{}", view.configs.len() + 1);
                view.configs.push(Config { id, name, data });
            }
            Action::RemoveConfig(name) => view.configs.retain(|one| one.name != name),
            Action::CreateService(spec) => view.services.push(Service {
                name: spec.name,
                image: spec.image,
                update: None,
            }),
            Action::UpdateService(spec) => {
                view.services.retain(|one| one.name != spec.name);
                view.services.push(Service {
                    name: spec.name,
                    image: spec.image,
                    update: Some("updating".to_owned()),
                });
            }
            Action::RemoveService(name) => view.services.retain(|one| one.name != name),
            Action::RunContainer(spec) => {
                if self.needs_images && !view.has_image(&spec.image) {
                    return None;
                }
                let mut made = container(&spec.name, &spec.image);
                made.labels = spec.labels;
                view.containers.push(made);
            }
            Action::RemoveContainer(name) => view.containers.retain(|one| one.name != name),
            Action::RemoveVolume(name) => view.volumes.retain(|one| *one != name),
            Action::PullImage { image, .. } => view.images.push(image),
        }
        Some(Reply::Done)
    }
}

impl Run {
    fn messages(&self) -> impl Iterator<Item = (Level, &str)> {
        self.lines.iter().filter_map(|line| match line {
            Line::Log { level, message, .. } => Some((*level, message.as_str())),
            Line::Plain(_) => None,
        })
    }

    /// Returns the fatal message.
    pub(crate) fn fatal(&self) -> &str {
        let mut messages = self.messages();
        let fatal = messages.find(|(level, _)| *level == Level::Fatal);
        fatal.expect("there is a fatal line").1
    }

    /// Returns the first message that has a text in it.
    pub(crate) fn line(&self, text: &str) -> &str {
        let mut messages = self.messages();
        let found = messages.find(|(_, message)| message.contains(text));
        found.expect("there is such a line").1
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.messages().any(|(_, message)| message.contains(text))
    }

    /// Returns what was printed as data.
    pub(crate) fn data(&self) -> Vec<&str> {
        let lines = self.lines.iter();
        lines
            .filter_map(|line| match line {
                Line::Plain(text) => Some(text.as_str()),
                Line::Log { .. } => None,
            })
            .collect()
    }

    /// Returns all that has left the machine, as text.
    pub(crate) fn everything(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(&line.render(Format::Text, 0));
            text.push_str(&line.render(Format::Json, 0));
        }
        for action in &self.actions {
            text.push_str(&format!("{action:?}"));
            if let Action::CreateConfig { data, .. } | Action::WriteFile { content: data, .. } =
                action
            {
                text.push_str(&String::from_utf8_lossy(&data.0));
            }
        }
        text
    }
}
