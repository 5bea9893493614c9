//! Whole engines and swarms in virtual time.

mod mke;
mod swarm;

use std::net::Ipv4Addr;
use std::time::Duration;

use super::registry::small_images;
use super::swarm::Settings;
use super::swarm::membership::{self, Request};
use super::{api, enter, power};
use crate::build::HostSpec;
use crate::world::{Fleet, HostId, World};

/// A fleet of hosts whose engines run.
pub(crate) struct Cluster {
    pub(crate) fleet: Fleet,
    pub(crate) hosts: Vec<HostId>,
}

impl Cluster {
    pub(crate) fn new(seed: u64, hosts: usize) -> Self {
        let fleet = Fleet::new(seed, Duration::from_secs(1_795_632_000));
        let hosts: Vec<HostId> = (0..hosts)
            .map(|number| {
                let address = Ipv4Addr::from(0x0A00_0001 + u32::try_from(number).unwrap());
                let spec = HostSpec::new(&format!("h{number}"), address.into());
                let host = fleet.add_host(&spec).unwrap();
                fleet.host(host, |host| host.files = crate::testing::tree());
                host
            })
            .collect();
        enter(&fleet, |world, now| {
            for (name, image) in small_images() {
                world.engines.registries.add(&name, image);
            }
            world
                .engines
                .registries
                .registry("docker.io")
                .has_all_of_mke = true;
            for &host in &hosts {
                power::start(world, host, "25.0.9", now).unwrap();
            }
        });
        Self { fleet, hosts }
    }

    /// A swarm of some managers; the other hosts are workers.
    pub(crate) async fn swarm(seed: u64, managers: usize, workers: usize) -> Self {
        let cluster = Self::new(seed, managers + workers);
        cluster.init(0).await;
        for host in 1..managers + workers {
            cluster.join(host, host < managers).await;
        }
        cluster
    }

    pub(crate) fn see<T>(&self, work: impl FnOnce(&mut World, Duration) -> T) -> T {
        enter(&self.fleet, work)
    }

    pub(crate) async fn init(&self, host: usize) {
        let took = self.see(|world, now| {
            let (request, settings) = (Request::default(), Settings::default());
            let made = membership::init(world, self.hosts[host], &request, settings, now);
            made.unwrap().1
        });
        tokio::time::sleep(took).await;
    }

    /// Joins as the product does: through the API.
    pub(crate) async fn join(&self, host: usize, as_manager: bool) {
        let token = self.see(|world, _| world.swarm(0).tokens.token(as_manager));
        let answer = self.join_with(host, &token, "10.0.0.1:2377").await;
        assert_eq!(answer, (200, String::new()), "host {host}");
    }

    pub(crate) async fn join_with(&self, host: usize, token: &str, to: &str) -> (u16, String) {
        let body = serde_json::json!({
            "ListenAddr": "0.0.0.0:2377",
            "AdvertiseAddr": format!("10.0.0.{}:2377", host + 1),
            "RemoteAddrs": [to],
            "JoinToken": token,
        });
        let request = api::Request {
            method: "POST".to_owned(),
            target: "/swarm/join".to_owned(),
            body: body.to_string().into_bytes(),
        };
        let answer = api::send(&self.fleet, self.hosts[host], &request)
            .await
            .unwrap();
        (answer.status, String::from_utf8(answer.body).unwrap())
    }

    pub(crate) async fn get(&self, host: usize, target: &str) -> (u16, serde_json::Value) {
        let request = api::Request {
            method: "GET".to_owned(),
            target: target.to_owned(),
            body: Vec::new(),
        };
        let answer = api::send(&self.fleet, self.hosts[host], &request)
            .await
            .unwrap();
        let body = serde_json::from_slice(&answer.body);
        (answer.status, body.unwrap_or_default())
    }

    pub(crate) async fn wait(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        self.see(|_, _| ());
    }

    pub(crate) fn stop(&self, host: usize) {
        self.see(|world, now| {
            power::stop(world, self.hosts[host], power::Halt::Asked, now);
        });
    }

    pub(crate) fn start(&self, host: usize) {
        self.see(|world, now| {
            power::start(world, self.hosts[host], "25.0.9", now).unwrap();
        });
    }

    /// The hosts whose nodes are in a state.
    pub(crate) fn nodes(&self, state: &str) -> Vec<usize> {
        self.see(|world, now| {
            let nodes = world.swarm(0).nodes.values();
            let found = nodes.filter(|node| node.state(now) == state);
            let mut hosts: Vec<usize> = found.map(|node| node.host.0).collect();
            hosts.sort_unstable();
            hosts
        })
    }

    pub(crate) fn leader(&self) -> Option<usize> {
        self.see(|world, _| {
            let swarm = world.swarm(0);
            let leader = swarm.leader.as_ref()?;
            Some(swarm.nodes[leader].host.0)
        })
    }
}
