//! What a fleet answers on the socket that steers it.

use std::io;
use std::sync::Arc;

use fleet::door::{Doors, Said, Simulation};
use fleet::scenario::Scenario;
use fleet::{Fleet, HostId};
use serde_json::{Value, json};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::control::{Frame, Request, receive, send};

/// A fleet that is steered.
pub(crate) struct Steered {
    /// The hosts.
    pub(crate) fleet: Fleet,
    /// Their thread.
    pub(crate) simulation: Simulation,
    /// Their doors.
    pub(crate) doors: Doors,
}

impl Steered {
    /// Answers requests until somebody wants the doors closed.
    pub(crate) async fn serve(self: Arc<Self>, listener: UnixListener) {
        let (down, mut is_down) = mpsc::channel(1);
        loop {
            let accepted = tokio::select! {
                _ = is_down.recv() => return,
                accepted = listener.accept() => accepted,
            };
            // Without a descriptor to spare nobody is answered: he asks again.
            let Ok((stream, _)) = accepted else {
                tokio::task::yield_now().await;
                continue;
            };
            let (steered, down) = (Arc::clone(&self), down.clone());
            tokio::spawn(async move {
                // Whoever has asked and left hears nothing.
                let _ = steered.answer(stream, &down).await;
            });
        }
    }

    async fn answer(&self, mut stream: UnixStream, down: &mpsc::Sender<()>) -> io::Result<()> {
        let request = match receive(&mut stream).await {
            Ok(request) => request,
            Err(error) => {
                let text = format!("a request that makes no sense: {error}");
                return send(&mut stream, &Frame::Refused(text)).await;
            }
        };
        let last = match request {
            Request::Exec { host, words } => self.exec(&mut stream, &host, words).await?,
            Request::Inject { event } => self.inject(event).await?,
            Request::Inspect { host } => match self.inspect(host.as_deref()) {
                Ok(told) => {
                    send(&mut stream, &Frame::Told(told.to_string().into_bytes())).await?;
                    Frame::Done(0)
                }
                Err(text) => Frame::Refused(text),
            },
            Request::Down => {
                send(&mut stream, &Frame::Done(0)).await?;
                // It is told once.
                let _ = down.try_send(());
                return Ok(());
            }
        };
        send(&mut stream, &last).await
    }

    fn host(&self, name: &str) -> Result<HostId, String> {
        self.fleet.world(|world| {
            world.host_at(name).ok_or_else(|| {
                format!(
                    "there is no host `{name}`; there are {}",
                    world.some_hosts()
                )
            })
        })
    }

    async fn exec(
        &self,
        stream: &mut UnixStream,
        host: &str,
        words: Vec<String>,
    ) -> io::Result<Frame> {
        let host = match self.host(host) {
            Ok(host) => host,
            Err(text) => return Ok(Frame::Refused(text)),
        };
        let (sender, mut said) = mpsc::unbounded_channel();
        let run = self.simulation.exec(&self.fleet, host, words, |piece| {
            // Nobody may be listening any more.
            let _ = sender.send(piece);
        });
        tokio::pin!(run);
        let mut status = None;
        while status.is_none() {
            tokio::select! {
                biased;
                Some(piece) = said.recv() => send(stream, &frame_of(piece)).await?,
                ended = &mut run => status = Some(ended?),
            }
        }
        while let Ok(piece) = said.try_recv() {
            send(stream, &frame_of(piece)).await?;
        }
        Ok(Frame::Done(status.unwrap_or_default()))
    }

    async fn inject(&self, event: Value) -> io::Result<Frame> {
        // JSON is YAML, too.
        let text = json!({ "events": [event] }).to_string();
        let scenario = match Scenario::parse(&text) {
            Ok(scenario) => scenario,
            Err(error) => return Ok(Frame::Refused(error.to_string())),
        };
        let fleet = self.fleet.clone();
        let applied = self.simulation.run(async move { scenario.apply(&fleet) });
        Ok(match applied.await? {
            Ok(()) => Frame::Done(0),
            Err(error) => Frame::Refused(error.to_string()),
        })
    }

    fn inspect(&self, host: Option<&str>) -> Result<Value, String> {
        let only = host.map(|name| self.host(name)).transpose()?;
        let wanted = self.doors.opened().iter();
        let wanted = wanted.filter(|door| only.is_none_or(|host| door.host == host));
        let hosts = wanted.map(|door| {
            let traffic = self
                .fleet
                .world(|world| world.traffic.get(&door.host).copied())
                .unwrap_or_default();
            let (user, power) = self
                .fleet
                .host(door.host, |host| (host.login.clone(), host.power));
            json!({
                "name": door.name,
                "address": door.address.to_string(),
                "api": door.api.map(|address| address.to_string()),
                "user": user,
                "power": format!("{power:?}").to_lowercase(),
                "connections": traffic.connections,
                "commands": traffic.commands,
                "roundTrips": traffic.round_trips,
                "sent": traffic.sent,
                "received": traffic.received,
                "dials": traffic.dials,
                "processes": self.fleet.processes_of(door.host).into_iter().map(|one| json!({
                    "pid": one.pid,
                    "user": one.user,
                    "command": one.command,
                })).collect::<Vec<_>>(),
            })
        });
        let hosts: Vec<Value> = hosts.collect();
        let name = only.map(|host| self.fleet.host(host, |host| host.name.clone()));
        let missing = self.fleet.not_simulated().into_iter();
        let missing = missing.filter(|one| name.as_ref().is_none_or(|name| one.host == *name));
        let missing = missing
            .map(|one| json!({ "host": one.host, "program": one.program, "what": one.what }));
        Ok(json!({
            "openConnections": self.doors.connections(),
            "hosts": hosts,
            "notSimulated": missing.collect::<Vec<_>>(),
        }))
    }
}

fn frame_of(piece: Said) -> Frame {
    match piece {
        Said::Out(bytes) => Frame::Out(bytes),
        Said::Err(bytes) => Frame::Err(bytes),
    }
}
