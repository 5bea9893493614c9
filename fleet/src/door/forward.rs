//! Streams through a host to others: a host is a bastion to the hosts that it reaches.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rig::connection::ByteStream;
use russh::server::{ChannelOpenHandle, Msg};
use russh::{Channel, ChannelOpenFailure};
use tokio::io::copy_bidirectional;

use super::Door;
use super::converse::converse;
use super::gate::Reception;
use super::listen::{Place, manner_of, reception_of};
use super::serve::Served;
use super::visitor::Visit;
use crate::connection::Cut;
use crate::network::{self, Barred};

/// The port of SSH.
const SSH: u16 = 22;
/// The code of the protocol for a connection that failed.
const CONNECT_FAILED: u32 = 2;
const REFUSED: &str = "Connection refused";
const TIMED_OUT: &str = "Connection timed out";
/// How many bytes are on their way between two hosts.
const MIDDLE: usize = 64 << 10;
/// How long the kernel of a host tries to connect where nobody answers.
const CONNECT: Duration = Duration::from_secs(130);

/// A stream that somebody wants through a host.
pub(super) struct Way {
    /// The door that he came through.
    pub(super) door: Arc<Door>,
    /// Where he comes from.
    pub(super) peer: SocketAddr,
    /// What breaks his connection.
    pub(super) cut: Cut,
    /// Where it leads to: a name or an address.
    pub(super) target: String,
    /// The port.
    pub(super) port: u16,
}

impl Way {
    /// Leads it there.
    pub(super) async fn lead(self, channel: Channel<Msg>, reply: ChannelOpenHandle) {
        let house = &self.door.house;
        house
            .fleet
            .count(self.door.host, |traffic| traffic.dials += 1);
        let found = tokio::select! {
            () = self.cut.happens() => return,
            found = self.find() => found,
        };
        let mut far = match found {
            Ok(far) => far,
            Err(why) => {
                let (code, reason) = (CONNECT_FAILED, why.to_owned());
                reply
                    .reject(ChannelOpenFailure::Other { code, reason })
                    .await;
                return;
            }
        };
        reply.accept().await;
        let mut near = channel.into_stream();
        // Whoever logs in there is waited for by himself.
        let is_door = matches!(self.door_there(), Ok(Some(_)));
        let copied = async {
            match is_door {
                // However it ended, it is over.
                true => drop(copy_bidirectional(&mut near, &mut far).await),
                false => converse(&house.simulation, near, far).await,
            }
        };
        tokio::select! {
            () = self.cut.happens() => {}
            () = copied => {}
        }
    }

    /// Connects; where nothing listens, or nobody answers, it fails with the words of the kernel.
    async fn find(&self) -> Result<Box<dyn ByteStream>, &'static str> {
        let house = &self.door.house;
        if let Some(other) = self.door_there()? {
            return self.knock(other).await;
        }
        let (fleet, from) = (&house.fleet, self.door.host);
        let (target, port) = (&self.target, self.port);
        let stream = house
            .simulation
            .enter(|| crate::engine::dial(fleet, from, target, port));
        match stream {
            Some(stream) => Ok(Box::new(stream)),
            None => Err(REFUSED),
        }
    }

    /// Returns the door that it leads to, if it leads to one.
    fn door_there(&self) -> Result<Option<Arc<Door>>, &'static str> {
        let house = &self.door.house;
        let doors = house.doors.get().ok_or(REFUSED)?;
        let outside = self.target.parse().ok().and_then(|address| {
            let wanted = SocketAddr::new(address, self.port);
            doors.values().find(|door| door.address == wanted)
        });
        let name = match outside {
            // Who reaches the doors of hosts from outside names them as he knows them.
            Some(door) => {
                let address = house.fleet.host(door.host, |host| host.address());
                address.map(|one| one.to_string()).unwrap_or_default()
            }
            None if self.port != SSH => return Ok(None),
            None => self.target.clone(),
        };
        let host = match house.route(self.door.host, &name) {
            Ok(network::Place::Here) => self.door.host,
            Ok(network::Place::Host(host)) => host,
            Ok(network::Place::Site(_)) => return Ok(None),
            Err(Barred::NoName) => return Err("Name or service not known"),
            Err(Barred::NoRoute) => return Err("No route to host"),
            Err(Barred::Refused) => return Err(REFUSED),
            Err(Barred::Silent) => return Err(TIMED_OUT),
        };
        Ok(doors.get(&host).map(Arc::clone))
    }

    /// Comes to the door of another host.
    async fn knock(&self, door: Arc<Door>) -> Result<Box<dyn ByteStream>, &'static str> {
        let reception = reception_of(&door);
        if reception == Reception::Vanishes {
            tokio::time::sleep(self.door.house.simulation.pace().outside(CONNECT)).await;
            return Err(TIMED_OUT);
        }
        if reception == Reception::Refused {
            return Err(REFUSED);
        }
        let place = Place::take(&door).ok_or(REFUSED)?;
        let (near, far) = tokio::io::duplex(MIDDLE);
        let Some(manner) = manner_of(reception) else {
            // It is taken, and closed, or held by somebody who says nothing.
            if reception == Reception::Silence {
                tokio::spawn(async move {
                    tokio::time::sleep(CONNECT).await;
                    drop((far, place));
                });
            }
            return Ok(Box::new(near));
        };
        let visit = Visit {
            served: Arc::new(Served::read(&door)),
            door,
            manner,
            peer: self.peer,
            place,
        };
        tokio::spawn(visit.receive(Box::new(far)));
        Ok(Box::new(near))
    }
}
