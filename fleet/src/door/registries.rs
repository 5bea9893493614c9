//! Sockets of the registries of the fleet.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::api::listen_near;
use super::converse::converse;
use super::{Bind, DoorError, House, Note, own_address};

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
    let note = |what: String| {
        // Nobody may be interested any more.
        let _ = house.notes.send(Note {
            host: domain.clone(),
            what,
        });
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => match Place::take(&house) {
                Some(place) => drop(tokio::spawn(lead(place, domain.clone(), stream))),
                None => note("the fleet has as many connections as it may have".to_owned()),
            },
            Err(error) => {
                note(format!("cannot take a connection: {error}"));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Leads a stream to a registry; it is reset where nothing listens there.
async fn lead(place: Place, domain: String, stream: TcpStream) {
    let house = &place.0;
    let far = house
        .simulation
        .enter(|| house.fleet.call_registry(&domain));
    match far {
        Some(far) => converse(&house.simulation, stream, far).await,
        // A socket that is gone already needs no reset.
        None => drop(stream.set_zero_linger()),
    }
}

/// A connection's place among those that the fleet may have.
struct Place(Arc<House>);

impl Place {
    fn take(house: &Arc<House>) -> Option<Self> {
        let more = |now: usize| (now < house.most).then_some(now + 1);
        let count: &AtomicUsize = &house.connections;
        let taken = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok().then(|| Self(Arc::clone(house)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
