//! Sockets of the API of MKE, for clients that do not go through SSH.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::converse::connect;
use super::gate::Reception;
use super::listen::{Place, reception_of};
use super::{Door, DoorError, listen_at};

/// How long is waited after a socket was refused, before the next try.
const PAUSE: Duration = Duration::from_millis(250);

/// Opens the socket of a host: at the port that the API has among the hosts, where that is free and
/// allowed, else at another.
///
/// # Errors
///
/// Fails where the host gets no socket.
pub(super) fn open(
    door: &Arc<Door>,
    port: u16,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<SocketAddr, DoorError> {
    let wanted = SocketAddr::new(door.address.ip(), port);
    let refused = |source| DoorError::Listen {
        host: door.name.clone(),
        address: wanted,
        opened: tasks.len(),
        source,
    };
    let listener = listen_near(wanted).map_err(refused)?;
    let address = listener.local_addr().map_err(DoorError::Gone)?;
    tasks.push(tokio::spawn(keep(Arc::clone(door), listener, port)));
    Ok(address)
}

/// Listens at a port where that is free and allowed, else at another.
pub(super) fn listen_near(wanted: SocketAddr) -> io::Result<TcpListener> {
    listen_at(wanted).or_else(|error| match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => {
            listen_at(SocketAddr::new(wanted.ip(), 0))
        }
        _ => Err(error),
    })
}

async fn keep(door: Arc<Door>, listener: TcpListener, port: u16) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Some(place) = Place::take(&door) {
                    tokio::spawn(lead(Arc::clone(&door), stream, port, place));
                }
            }
            Err(error) => {
                door.note_refusal("cannot take a connection to the API", format!(": {error}"));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Leads a stream to the API among the hosts; it is reset where nothing listens there.
async fn lead(door: Arc<Door>, stream: TcpStream, port: u16, place: Place) {
    let house = &door.house;
    let is_there = reception_of(&door) != Reception::Vanishes;
    let far = is_there.then(|| {
        let (fleet, host) = (&house.fleet, door.host);
        house
            .simulation
            .enter(|| crate::engine::dial(fleet, host, "127.0.0.1", port))
    });
    connect(&house.simulation, stream, far.flatten()).await;
    drop(place);
}
