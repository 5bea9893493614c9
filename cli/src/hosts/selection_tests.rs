//! Which hosts a selection names.

use super::*;
use config::{Source, load};

struct Nothing;

impl config::World for Nothing {
    fn var(&self, _: &str) -> Option<String> {
        None
    }

    fn home(&self) -> Option<std::path::PathBuf> {
        None
    }

    fn current_dir(&self) -> std::path::PathBuf {
        "/".into()
    }

    fn read(&self, _: &std::path::Path) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

fn config() -> Config {
    let text = "apiVersion: launchpad.mirantis.com/mke/v1.6
kind: mke
metadata: {name: toy}
spec:
  hosts:
  - {role: manager, ssh: {address: 10.0.0.1}}
  - {role: manager, openSSH: {address: m2.example.com}}
  - {role: worker, ssh: {address: 10.0.0.3, port: 22}}
  - {role: worker, ssh: {address: 10.0.0.3, port: 2222}}
  - {role: worker, ssh: {address: 'fd00::4'}}
  mcr: {channel: stable-25.0}
  mke: {version: 3.8.8}
";
    let source = Source {
        name: "toy.yaml".to_owned(),
        text: text.as_bytes().to_vec(),
    };
    load(source, &Nothing).unwrap().config
}

fn selection(targets: &[&str], role: Option<&str>) -> HostSelection {
    HostSelection {
        targets: targets.iter().map(|it| (*it).to_owned()).collect(),
        role: role.map(str::to_owned),
        os: None,
        first: None,
        all: None,
        parallel: None,
        timeout: None,
        sudo: false,
    }
}

fn names(chosen: &[Chosen]) -> Vec<&str> {
    chosen.iter().map(|one| one.name.as_str()).collect()
}

fn found(targets: &[&str], role: Option<&str>) -> Vec<String> {
    let chosen = candidates(&config(), &selection(targets, role)).unwrap();
    chosen.into_iter().map(|one| one.name).collect()
}

fn refused(targets: &[&str]) -> String {
    candidates(&config(), &selection(targets, None))
        .unwrap_err()
        .to_string()
}

#[test]
fn a_target_is_an_address_with_or_without_a_port() {
    assert_eq!(found(&["10.0.0.1"], None), ["10.0.0.1"]);
    assert_eq!(found(&["10.0.0.1:22"], None), ["10.0.0.1"]);
    assert_eq!(found(&["M2.example.com:22"], None), ["m2.example.com"]);
    assert_eq!(found(&["10.0.0.3:2222"], None), ["10.0.0.3:2222"]);
    for target in ["fd00::4", "[fd00::4]", "[fd00:0::4]:22"] {
        assert_eq!(found(&[target], None), ["fd00::4"], "{target}");
    }
}

#[test]
fn the_order_of_targets_is_kept_and_each_host_is_taken_once() {
    let targets = ["fd00::4", "10.0.0.1", "[fd00::4]:22"];

    assert_eq!(found(&targets, None), ["fd00::4", "10.0.0.1"]);
}

#[test]
fn what_is_no_host_is_told_with_those_that_there_are() {
    assert_eq!(
        refused(&["10.0.0.9"]),
        "`10.0.0.9` is no host of the configuration, which has `10.0.0.1`, `m2.example.com`, \
         `10.0.0.3:22`, `10.0.0.3:2222`, `fd00::4`"
    );
    assert!(refused(&["10.0.0.1:23"]).contains("is no host"));
    assert!(refused(&["10.0.0.1:ssh"]).contains("`ssh` in the target `10.0.0.1:ssh` is no port"));
    assert!(refused(&["[fd00::4]22"]).contains("neither"));
    let both = refused(&["10.0.0.3"]);
    assert!(
        both.ends_with("say which of `10.0.0.3:22`, `10.0.0.3:2222`"),
        "{both}"
    );
}

#[test]
fn this_machine_need_not_be_configured() {
    assert_eq!(found(&["localhost"], None), ["localhost"]);
}

#[test]
fn a_role_narrows_what_targets_have_named() {
    assert_eq!(found(&[], Some("manager")), ["10.0.0.1", "m2.example.com"]);
    assert_eq!(found(&["10.0.0.1", "fd00::4"], Some("worker")), ["fd00::4"]);
    let error = candidates(&config(), &selection(&[], Some("boss"))).unwrap_err();
    assert!(error.to_string().contains("`boss` is no role"), "{error}");
}

#[test]
fn an_empty_selection_stays_empty() {
    let chosen = candidates(&config(), &selection(&["fd00::4"], Some("manager"))).unwrap();
    assert_eq!(names(&chosen), [""; 0]);

    let kept = keep_os(chosen, "linux", &BTreeMap::new());

    assert_eq!(names(&kept), [""; 0]);
}

#[test]
fn an_operating_system_keeps_the_order() {
    let chosen = candidates(&config(), &selection(&[], None)).unwrap();
    let systems: BTreeMap<String, String> = [
        ("fd00::4", "ubuntu"),
        ("10.0.0.1", "ubuntu"),
        ("m2.example.com", "rhel"),
        ("10.0.0.3:22", "windows"),
    ]
    .map(|(name, id)| (name.to_owned(), id.to_owned()))
    .into();

    let kept = |wanted| keep_os(chosen.clone(), wanted, &systems);

    // Of one it is not known: whoever goes there is told why.
    assert_eq!(
        names(&kept("Ubuntu")),
        ["10.0.0.1", "10.0.0.3:2222", "fd00::4"]
    );
    assert_eq!(names(&kept("windows")), ["10.0.0.3:22", "10.0.0.3:2222"]);
    assert_eq!(names(&kept("linux")).len(), 4);
}

#[test]
fn many_hosts_have_to_be_allowed() {
    let chosen = candidates(&config(), &selection(&[], None)).unwrap();
    let with = |change: fn(&mut HostSelection), reach| {
        let mut selection = selection(&[], None);
        change(&mut selection);
        settle(chosen.clone(), &selection, reach)
    };

    let error = with(|_| {}, Reach::Many).unwrap_err().to_string();
    assert!(
        error.contains("these are 5 hosts") && error.contains("`--all`"),
        "{error}"
    );
    let all = with(|it| it.all = Some(true), Reach::Many).unwrap();
    assert_eq!(all.len(), 5);
    let first = with(|it| it.first = Some(true), Reach::One).unwrap();
    assert_eq!(names(&first), ["10.0.0.1"]);
    let error = with(|it| it.all = Some(true), Reach::One)
        .unwrap_err()
        .to_string();
    assert!(error.contains("a terminal is for one host"), "{error}");
}

#[test]
fn the_first_of_no_hosts_is_an_error() {
    let mut selection = selection(&[], None);
    selection.first = Some(true);

    assert!(settle(Vec::new(), &selection, Reach::Many).is_err());
    selection.first = None;
    assert!(
        settle(Vec::new(), &selection, Reach::Many)
            .unwrap()
            .is_empty()
    );
}
