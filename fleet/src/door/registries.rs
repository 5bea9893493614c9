//! Sockets of the registries of the fleet.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::api::listen_near;
use super::converse::connect;
use super::room::{FULL, Refusals, Room};
use super::{Bind, DoorError, House, own_address};

/// The port of HTTPS.
const HTTPS: u16 = 443;
/// How long is waited after a socket was refused, before the next try.
const PAUSE: Duration = Duration::from_millis(250);

/// A registry whose door is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedRegistry {
    /// The name under which images are known: `docker.io`, `registry.example.com:5000`.
    pub domain: String,
    /// Where it is reached.
    pub address: SocketAddr,
}

/// Opens the sockets of all registries: at the port of HTTPS, where that is free and allowed, else
/// at another.
///
/// # Errors
///
/// Fails where one gets no socket.
pub(super) fn open(
    house: &Arc<House>,
    bind: Bind,
    hosts: usize,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<Vec<OpenedRegistry>, DoorError> {
    let mut opened = Vec::new();
    for (number, domain) in house.fleet.registries().into_iter().enumerate() {
        let wanted = match bind {
            // Theirs come after those of the hosts.
            Bind::EachItsOwn => SocketAddr::new(own_address(hosts + number), HTTPS),
            Bind::All(address) => SocketAddr::new(address, 0),
        };
        let refused = |source| DoorError::Listen {
            host: domain.clone(),
            address: wanted,
            opened: tasks.len(),
            source,
        };
        let listener = listen_near(wanted).map_err(refused)?;
        let address = listener.local_addr().map_err(DoorError::Gone)?;
        house.fleet.name_registry(&domain, address.ip().to_string());
        tasks.push(tokio::spawn(keep(
            Arc::clone(house),
            domain.clone(),
            listener,
        )));
        opened.push(OpenedRegistry { domain, address });
    }
    Ok(opened)
}

async fn keep(house: Arc<House>, domain: String, listener: TcpListener) {
    let refused = Refusals::default();
    let note = |kind, detail: String| {
        if let Some(what) = refused.note(kind, detail) {
            house.note(&domain, what);
        }
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => match Room::take(&house) {
                Some(room) => {
                    tokio::spawn(lead(Arc::clone(&house), domain.clone(), stream, room));
                }
                None => note(FULL, String::new()),
            },
            Err(error) => {
                note("cannot take a connection", format!(": {error}"));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Leads a stream to a registry; it is reset where nothing listens there.
async fn lead(house: Arc<House>, domain: String, stream: TcpStream, room: Room) {
    let far = house
        .simulation
        .enter(|| house.fleet.call_registry(&domain));
    connect(&house.simulation, stream, far).await;
    drop(room);
}
