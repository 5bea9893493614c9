//! The listener of a host: it is there as long as its server is, and turns away who is too many.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::gate::{Manner, Reception};
use super::room::{FULL, Room, is_counted};
use super::serve::Served;
use super::{Door, listen_at, visitor};

/// How long is waited after a socket was refused, before the next try.
const PAUSE: Duration = Duration::from_millis(250);
/// How long somebody is held whom nobody talks to.
const SILENCE: Duration = Duration::from_secs(300);
/// How long a connection to an own socket takes at most.
const FILL: Duration = Duration::from_millis(200);

/// The socket of a host.
enum Socket {
    /// It takes connections.
    Open(TcpListener),
    /// There is none.
    Closed,
    /// Its queue is full and nobody empties it, so that the packets of new clients vanish. The
    /// streams fill it.
    Stuffed(Stuffed),
}

struct Stuffed {
    _listener: TcpListener,
    _fillers: Vec<TcpStream>,
}

/// Keeps the listener of a host as its server is.
pub(super) async fn keep(door: Arc<Door>, first: TcpListener) {
    let mut ways = door.house.ways.clone();
    let mut rng = SmallRng::seed_from_u64(door.house.fleet.seed() ^ door.host.0 as u64);
    let mut socket = Socket::Open(first);
    let mut seen = door.reach();
    let mut served = Arc::new(Served::read(&door));
    loop {
        ways.borrow_and_update();
        let reach = door.reach();
        if reach.forgets(&seen) {
            door.house.fleet.cut_connections(door.host);
        }
        door.gate.set(reach.is_open());
        if reach != seen {
            served = Arc::new(Served::read(&door));
            seen = reach;
        }
        let reception = seen.reception();
        socket = match fit(socket, reception, door.address).await {
            Ok(socket) => socket,
            Err(error) => {
                door.note_refusal("cannot listen", format!(" at {}: {error}", door.address));
                tokio::time::sleep(PAUSE).await;
                socket = Socket::Closed;
                continue;
            }
        };
        let Socket::Open(listener) = &socket else {
            if ways.changed().await.is_err() {
                return;
            }
            continue;
        };
        // As long as nothing changes, all are met alike.
        loop {
            let accepted = tokio::select! {
                changed = ways.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => meet(&door, stream, peer, reception, &served, &mut rng),
                Err(error) => {
                    door.note_refusal("cannot take a connection", format!(": {error}"));
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Returns the socket that fits.
async fn fit(socket: Socket, reception: Reception, address: SocketAddr) -> io::Result<Socket> {
    Ok(match (reception, socket) {
        (Reception::Refused, _) => Socket::Closed,
        (Reception::Vanishes, Socket::Stuffed(stuffed)) => Socket::Stuffed(stuffed),
        (Reception::Vanishes, other) => {
            drop(other);
            Socket::Stuffed(stuff(address).await?)
        }
        (_, Socket::Open(listener)) => Socket::Open(listener),
        (_, other) => {
            drop(other);
            Socket::Open(listen_at(address)?)
        }
    })
}

/// Listens, and fills the queue until nobody gets in any more. Where the system takes more than it
/// is told to, the clients are taken and nobody talks to them.
async fn stuff(address: SocketAddr) -> io::Result<Stuffed> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(0)?;
    let mut fillers = Vec::new();
    while fillers.len() < 4 {
        match tokio::time::timeout(FILL, TcpStream::connect(address)).await {
            Ok(stream) => fillers.push(stream?),
            // It is full.
            Err(_) => break,
        }
    }
    Ok(Stuffed {
        _listener: listener,
        _fillers: fillers,
    })
}

fn meet(
    door: &Arc<Door>,
    stream: TcpStream,
    peer: SocketAddr,
    reception: Reception,
    served: &Arc<Served>,
    rng: &mut SmallRng,
) {
    let Some(place) = Place::take(door) else {
        return;
    };
    // Small packets must not wait for each other; a socket that is gone already says so later.
    let _ = stream.set_nodelay(true);
    match reception {
        Reception::Welcome(manner) => {
            let strangers = door.strangers.load(Ordering::Relaxed);
            let refusal = served.settings.max_startups().refusal(strangers);
            if rng.random_range(0..100) < refusal {
                door.note_refusal("MaxStartups is reached", "");
                tokio::spawn(turn_away(stream, place));
                return;
            }
            let visit = visitor::Visit {
                door: Arc::clone(door),
                served: Arc::clone(served),
                manner,
                peer,
                place,
            };
            tokio::spawn(visit.receive(Box::new(stream)));
        }
        Reception::Silence => {
            tokio::spawn(hold(stream, place));
        }
        Reception::Reset | Reception::Refused | Reception::Vanishes => {
            // It is reset instead of closed.
            let _ = stream.set_zero_linger();
        }
    }
}

/// Says why, and closes.
async fn turn_away(mut stream: TcpStream, place: Place) {
    let said = stream.write_all(b"Exceeded MaxStartups\r\n");
    // He may have left already.
    let _ = tokio::time::timeout(PAUSE, said).await;
    drop(place);
}

/// Says nothing until the client leaves.
async fn hold(stream: TcpStream, place: Place) {
    let left = async {
        let mut piece = [0; 1024];
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut piece) {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    };
    // However it ended, it is over.
    let _ = tokio::time::timeout(SILENCE, left).await;
    drop(place);
}

/// Holds one of the places for connections.
pub(super) struct Place {
    door: Arc<Door>,
    _room: Room,
}

impl Place {
    /// Takes a place, where there is one.
    pub(super) fn take(door: &Arc<Door>) -> Option<Self> {
        let house = &door.house;
        let Some(room) = Room::take(house) else {
            door.note_refusal(FULL, "");
            return None;
        };
        if !is_counted(&door.connections, house.most_of_host) {
            door.note_refusal("the host has as many connections as it may have", "");
            return None;
        }
        Some(Self {
            door: Arc::clone(door),
            _room: room,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns how a connection is met that comes from another host of the fleet.
pub(super) fn reception_of(door: &Door) -> Reception {
    door.reach().reception()
}

/// A manner of a server that talks, where it does.
pub(super) fn manner_of(reception: Reception) -> Option<Manner> {
    match reception {
        Reception::Welcome(manner) => Some(manner),
        _ => None,
    }
}
