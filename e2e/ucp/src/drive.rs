//! The loop between a machine and the engine.

use std::time::Instant;

use standin::command::Command;
use standin::engine::View;
use standin::log::{Level, Line};
use standin::{Environment, Input, Machine, Next};

use crate::engine::Engine;
use crate::{act, print, serve, view, world};

/// Runs a command line to its end and returns the exit status.
pub(crate) async fn to_the_end(engine: Engine, command: Command, environment: Environment) -> u8 {
    let world = match world::look(&engine, environment).await {
        Ok(world) => world,
        Err(refusal) => {
            print::fatal(&format!("unable to find out what this is: {refusal}"));
            return 1;
        }
    };
    let seed = world.seed;
    let mut machine = Machine::new(command, world);
    match until_end(&engine, &mut machine, print::line).await {
        Next::Exit(status) => status,
        Next::Serve(site) => match serve::forever(engine, *site, seed).await {
            Ok(never) => match never {},
            Err(problem) => {
                print::line(&Line::log(Level::Fatal, problem), machine.format());
                1
            }
        },
        Next::Idle | Next::Look { .. } | Next::Do(_) => std::future::pending().await,
    }
}

/// Gives a machine what it asks for until it asks for nothing more.
async fn until_end(
    engine: &Engine,
    machine: &mut Machine,
    mut print: impl FnMut(&Line, standin::log::Format),
) -> Next {
    let start = Instant::now();
    let mut input = Input::Start;
    loop {
        let step = machine.step(start.elapsed(), input);
        for line in &step.lines {
            print(line, machine.format());
        }
        input = match step.next {
            Next::Look { after, parts } => {
                tokio::time::sleep(after).await;
                match view::look(engine, &parts).await {
                    Ok(view) => Input::Seen(Box::<View>::new(view)),
                    Err(refusal) => Input::Refused(refusal),
                }
            }
            Next::Do(action) => match act::carry_out(engine, action).await {
                Ok(reply) => Input::Done(reply),
                Err(refusal) => Input::Refused(refusal),
            },
            end @ (Next::Serve(_) | Next::Idle | Next::Exit(_)) => return end,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use standin::World;
    use standin::command::Seed;
    use standin::log::Format;

    use super::*;
    use crate::fake::{Fake, Seen};

    /// An engine that remembers its configs, and whose containers come with the service.
    #[derive(Default)]
    struct Memory {
        configs: Vec<Value>,
        is_deployed: bool,
    }

    impl Memory {
        fn answer(&mut self, request: &Seen) -> (u16, String) {
            let containers = json!([
                { "Names": ["/ucp-proxy"], "Image": "mirantis/ucp-proxy:3.8.8", "State": "running" },
                { "Names": ["/ucp-controller"], "Image": "mirantis/ucp-controller:3.8.8",
                  "State": "running" },
            ]);
            let answer = match request.path.as_str() {
                "/info" => {
                    json!({ "Swarm": { "ControlAvailable": true, "Cluster": { "ID": "c" } } })
                }
                "/configs" => json!(self.configs),
                "/configs/create" => {
                    self.configs
                        .push(json!({ "ID": "f1", "Spec": request.body }));
                    json!({ "ID": "f1" })
                }
                "/services/create" => {
                    self.is_deployed = true;
                    json!({ "ID": "s1" })
                }
                "/containers/json" if self.is_deployed => containers,
                "/volumes" => json!({ "Volumes": [] }),
                "/images/create" => json!({ "status": "done" }),
                "/services" | "/containers/json" | "/images/json" => json!([]),
                _ => return (404, json!({ "message": "not found" }).to_string()),
            };
            (200, answer.to_string())
        }
    }

    async fn run(fake: &Fake, line: &str, password: &str) -> (Next, String) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let environment: Environment = [("UCP_ADMIN_PASSWORD", password)].into_iter().collect();
        let command = Command::parse(&words, &environment).unwrap();
        let world = World {
            image: "docker.io/mirantis/ucp:3.8.8".to_owned(),
            environment,
            seed: Seed([5; 32]),
        };
        let mut machine = Machine::new(command, world);
        let mut printed = String::new();
        let end = until_end(&fake.engine(), &mut machine, |line, _| {
            printed.push_str(&line.render(Format::Text, 0));
            printed.push('\n');
        })
        .await;
        (end, printed)
    }

    #[tokio::test]
    async fn an_install_goes_over_the_socket_and_leaves_no_password() {
        let memory = Arc::new(Mutex::new(Memory::default()));
        let fake = Fake::start(move |request| memory.lock().unwrap().answer(request));
        let password = "orca'9 \"$x";

        let (end, printed) = run(&fake, "install --debug --san mke.lab", password).await;

        assert!(matches!(end, Next::Exit(0)), "{printed}");
        let sent: String = fake
            .requests()
            .iter()
            .map(|seen| format!("{} {}\n", seen.target, seen.body))
            .collect();
        for text in [printed, sent] {
            assert!(!text.contains("orca"), "{text}");
        }

        let (end, printed) = run(&fake, "dump-certs --ca", password).await;
        assert!(matches!(end, Next::Exit(0)), "{printed}");
        assert!(
            printed.starts_with("-----BEGIN CERTIFICATE-----"),
            "{printed}"
        );

        let (end, printed) = run(&fake, "install", password).await;
        assert!(matches!(end, Next::Exit(1)), "{printed}");
        assert!(printed.contains("level=fatal"), "{printed}");
    }
}
