//! One connection to the server of a host, from its first byte to its last.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rig::connection::ByteStream;
use russh::keys::Certificate;
use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelOpenFailure, Pty, Sig};
use tokio::sync::Notify;

use super::Door;
use super::backlog::Backlog;
use super::channel::Seat;
use super::gate::Manner;
use super::listen::Place;
use super::login::{Grant, Guest};
use super::serve::Served;
use super::settings::Who;
use super::wire::{Way, Wire};
use crate::connection::Cut;
use crate::files::Credentials;
use crate::terminal::Size;
use crate::world::Fleet;

/// Somebody who has come to the door of a host.
pub(super) struct Visit {
    /// The door.
    pub(super) door: Arc<Door>,
    /// The server, as it was started.
    pub(super) served: Arc<Served>,
    /// How it behaves.
    pub(super) manner: Manner,
    /// Where he comes from.
    pub(super) peer: SocketAddr,
    /// His place.
    pub(super) place: Place,
}

impl Visit {
    /// Talks to him until he or the server leaves.
    pub(super) async fn receive(self, stream: Box<dyn ByteStream>) {
        let door = Arc::clone(&self.door);
        let house = &door.house;
        let cut = Cut::default();
        let connection = Registered::new(&house.fleet, door.host, &cut);
        let number = house.count.fetch_add(1, Ordering::Relaxed);
        let backlog = Backlog::default();
        let wire = Wire::new(
            stream,
            Way {
                cut: cut.clone(),
                gate: door.gate.clone(),
                backlog: backlog.clone(),
                link: house.link_of(door.host),
                seed: house.fleet.seed() ^ number,
            },
        );
        let stranger = Stranger::new(&door);
        let visitor = Visitor {
            door: Arc::clone(&door),
            served: Arc::clone(&self.served),
            manner: self.manner,
            peer: self.peer,
            cut: cut.clone(),
            backlog: backlog.clone(),
            stranger: Arc::clone(&stranger),
            known: None,
            seats: BTreeMap::new(),
        };
        let config = self.served.config(self.manner);
        let talk = async {
            russh::server::run_stream(config, wire, visitor)
                .await?
                .await
        };
        let grace = async {
            match self.served.settings.grace_time() {
                Some(limit) => {
                    let known = tokio::time::timeout(limit, stranger.is_known.notified());
                    if known.await.is_ok() {
                        std::future::pending::<()>().await;
                    }
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            result = talk => {
                if let Err(error) = result && !is_usual(&error) {
                    door.note_refusal("a client", format!(" at {}: {error}", self.peer));
                }
            }
            () = grace => door.note_refusal("LoginGraceTime is over", ""),
            () = cut.happens() => {}
        }
        stranger.leave();
        // Whatever hangs on it ends.
        cut.cut();
        drop((connection, self.place));
    }
}

/// Returns whether an error is how connections end.
fn is_usual(error: &russh::Error) -> bool {
    use std::io::ErrorKind;
    match error {
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::KeepaliveTimeout => true,
        russh::Error::IO(error) => matches!(
            error.kind(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ),
        _ => false,
    }
}

/// A connection that the fleet knows, and can cut.
struct Registered {
    fleet: Fleet,
    cut: Cut,
}

impl Registered {
    fn new(fleet: &Fleet, host: crate::world::HostId, cut: &Cut) -> Self {
        fleet.world(|world| world.connections.push((host, cut.clone())));
        Self {
            fleet: fleet.clone(),
            cut: cut.clone(),
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.fleet.world(|world| {
            world
                .connections
                .retain(|(_, known)| !known.is_same(&self.cut));
        });
    }
}

/// Somebody who has not logged in yet.
pub(super) struct Stranger {
    door: Arc<Door>,
    is_counted: AtomicBool,
    is_known: Notify,
}

impl Stranger {
    fn new(door: &Arc<Door>) -> Arc<Self> {
        door.strangers.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            door: Arc::clone(door),
            is_counted: AtomicBool::new(true),
            is_known: Notify::new(),
        })
    }

    /// He is none any more.
    fn leave(&self) {
        if self.is_counted.swap(false, Ordering::Relaxed) {
            self.door.strangers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Somebody who has logged in.
pub(super) struct Known {
    /// What his processes run with.
    pub(super) credentials: Credentials,
    /// The names of his groups.
    groups: Vec<String>,
    /// What he may do.
    pub(super) grant: Grant,
}

impl Known {
    /// Returns him as the configuration asks for him.
    pub(super) fn who(&self) -> Option<Who<'_>> {
        Some(Who {
            user: &self.credentials.user,
            groups: &self.groups,
        })
    }
}

/// What is known of a connection.
pub(super) struct Visitor {
    pub(super) door: Arc<Door>,
    pub(super) served: Arc<Served>,
    manner: Manner,
    pub(super) peer: SocketAddr,
    pub(super) cut: Cut,
    backlog: Backlog,
    stranger: Arc<Stranger>,
    pub(super) known: Option<Known>,
    pub(super) seats: BTreeMap<ChannelId, Seat>,
}

impl Visitor {
    /// Asks the files of the host what somebody may do.
    fn ask<T>(&self, user: &str, question: impl FnOnce(&Guest<'_>) -> Option<T>) -> Option<T> {
        if self.manner == Manner::KnowsNobody {
            return None;
        }
        let (fleet, host) = (&self.door.house.fleet, self.door.host);
        let files = fleet.host(host, |host| host.files.clone());
        let now = self.door.house.simulation.enter(|| fleet.time_of(host));
        let peer = self.peer.ip().to_string();
        question(&Guest {
            files: &files,
            settings: &self.served.settings,
            user,
            peer: &peer,
            now,
        })
    }

    /// Lets somebody in, or not.
    fn answer(&mut self, user: &str, grant: Option<Grant>) -> Auth {
        let known = grant.and_then(|grant| {
            let groups = self.ask(user, |guest| guest.account().map(|(_, groups)| groups))?;
            let fleet = &self.door.house.fleet;
            let files = fleet.host(self.door.host, |host| host.files.clone());
            Some(Known {
                credentials: crate::accounts::credentials(&files, user)?,
                groups,
                grant,
            })
        });
        match known {
            Some(known) => {
                self.known = Some(known);
                Auth::Accept
            }
            None => Auth::reject(),
        }
    }

    fn setting(&self, key: &str, default: bool) -> bool {
        let who = self.known.as_ref().and_then(Known::who);
        self.served.settings.is_on(key, who, default)
    }

    /// Returns whether one more session may be opened.
    fn has_room(&mut self) -> bool {
        self.seats.retain(|_, seat| !seat.is_over());
        let who = self.known.as_ref().and_then(Known::who);
        let most = self.served.settings.number("maxsessions", who, 10);
        // A trouble of the host is stronger.
        let fleet = &self.door.house.fleet;
        let of_host = fleet.host(self.door.host, |host| host.max_sessions);
        let most = if of_host < 10 {
            most.min(of_host)
        } else {
            most
        };
        (self.seats.len() as u64) < most
    }
}

impl Handler for Visitor {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        let grant = self.ask(user, |guest| guest.with_password(password));
        Ok(self.answer(user, grant))
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        let is_good = self.ask(user, |guest| {
            let is_his = guest.with_key(offer.public_key).is_some();
            // Nobody says here whether it has a certificate.
            (is_his || guest.trusts_authorities()).then_some(())
        });
        Ok(match is_good {
            Some(()) => Auth::Accept,
            None => Auth::reject(),
        })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        let grant = self.ask(user, |guest| guest.with_key(key.public_key));
        Ok(self.answer(user, grant))
    }

    async fn auth_openssh_certificate(
        &mut self,
        user: &str,
        certificate: &Certificate,
    ) -> Result<Auth, russh::Error> {
        let grant = self.ask(user, |guest| guest.with_certificate(certificate));
        Ok(self.answer(user, grant))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let answer = response.and_then(|mut answers| answers.next());
        let Some(answer) = answer else {
            return Ok(Auth::Partial {
                name: Cow::Borrowed(""),
                instructions: Cow::Borrowed(""),
                prompts: Cow::Owned(vec![(Cow::Borrowed("Password: "), false)]),
            });
        };
        let password = String::from_utf8_lossy(&answer).into_owned();
        let grant = self.ask(user, |guest| guest.with_password(&password));
        Ok(self.answer(user, grant))
    }

    async fn auth_succeeded(&mut self, _: &mut Session) -> Result<(), russh::Error> {
        self.stranger.leave();
        self.stranger.is_known.notify_one();
        let (fleet, host) = (&self.door.house.fleet, self.door.host);
        fleet.count(host, |traffic| traffic.connections += 1);
        Ok(())
    }

    async fn authentication_banner(&mut self) -> Result<Option<String>, russh::Error> {
        let path = self.served.settings.value("banner", None);
        let path = path.filter(|path| !path.eq_ignore_ascii_case("none"));
        let fleet = &self.door.house.fleet;
        Ok(path.and_then(|path| fleet.host(self.door.host, |host| host.files.text(path))))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        if !self.has_room() {
            let reason = "open failed".to_owned();
            reply
                .reject(ChannelOpenFailure::Other { code: 2, reason })
                .await;
            return Ok(());
        }
        let id = channel.id();
        // What comes is told to this handler; the other half is of no use.
        let (_, writer) = channel.split();
        self.seats.insert(
            id,
            Seat::new(writer, session.handle(), self.backlog.clone()),
        );
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host_to_connect: &str,
        port_to_connect: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        let grant = self.known.as_ref().map(|known| &known.grant);
        let forwards_nothing = grant.is_none_or(|grant| grant.forwards_nothing);
        let who = self.known.as_ref().and_then(Known::who);
        let allowed = self.served.settings.value("allowtcpforwarding", who);
        let allowed = matches!(allowed, None | Some("yes" | "local" | "all"));
        let fleet = &self.door.house.fleet;
        let may = fleet.host(self.door.host, |host| host.forwards);
        if forwards_nothing || !allowed || !may {
            // Administratively prohibited, in the words of OpenSSH.
            let (code, reason) = (1, "open failed".to_owned());
            reply
                .reject(ChannelOpenFailure::Other { code, reason })
                .await;
            return Ok(());
        }
        let port = u16::try_from(port_to_connect).unwrap_or(0);
        let way = super::forward::Way {
            door: Arc::clone(&self.door),
            peer: self.peer,
            cut: self.cut.clone(),
            target: host_to_connect.to_owned(),
            port,
        };
        tokio::spawn(way.lead(channel, reply));
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.seats.remove(&channel);
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        if let Some(seat) = self.seats.get_mut(&channel) {
            seat.end_input();
        }
        Ok(())
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        let seat = self.seats.get_mut(&channel);
        if seat.is_some_and(|seat| !seat.input(data)) {
            self.door
                .note_refusal("a client sends much more than its command reads", "");
            self.cut.cut();
        }
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        kind: &str,
        columns: u32,
        rows: u32,
        _: u32,
        _: u32,
        modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let grant = self.known.as_ref().map(|known| &known.grant);
        let may = grant.is_some_and(|grant| !grant.has_no_terminal);
        let may = may && self.setting("permittty", true);
        match self.seats.get_mut(&channel).filter(|_| may) {
            Some(seat) => {
                seat.wish_for_terminal(kind, Size { rows, columns }, modes);
                session.channel_success(channel)
            }
            None => session.channel_failure(channel),
        }
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let who = self.known.as_ref().and_then(Known::who);
        let may = self.served.settings.accepts_variable(name, who);
        match self.seats.get_mut(&channel).filter(|_| may) {
            Some(seat) => {
                seat.environment.insert(name, value);
                session.channel_success(channel)
            }
            None => session.channel_failure(channel),
        }
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.start(channel, None, session)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let line = String::from_utf8_lossy(data).into_owned();
        self.start(channel, Some(line), session)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let who = self.known.as_ref().and_then(Known::who);
        let lines = self.served.settings.values("subsystem", who);
        let found = lines.filter_map(|line| line.split_once(char::is_whitespace));
        let mut found = found.filter(|(known, _)| *known == name);
        let command = found.next().map(|(_, command)| match command.trim() {
            // The server has a copy of the program within itself.
            "internal-sftp" => {
                let fleet = &self.door.house.fleet;
                let server = fleet.host(self.door.host, |host| host.family.sftp_server());
                server.to_owned()
            }
            command => command.to_owned(),
        });
        drop(found);
        match command {
            Some(command) => self.start(channel, Some(command), session),
            None => session.channel_failure(channel),
        }
    }

    async fn window_change_request(
        &mut self,
        channel: ChannelId,
        columns: u32,
        rows: u32,
        _: u32,
        _: u32,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        if let Some(seat) = self.seats.get_mut(&channel) {
            seat.resize(Size { rows, columns });
        }
        session.channel_success(channel)
    }

    async fn signal(
        &mut self,
        channel: ChannelId,
        signal: Sig,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.deliver(channel, &signal);
        Ok(())
    }
}
