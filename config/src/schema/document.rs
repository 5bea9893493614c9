//! The document itself: its head, `metadata`, `spec` and `spec.cluster`.

use super::host::HOST;
use super::products::{MCR, MKE, MSR};
use super::{Block, Kind, Standing, key, switch};
use crate::api::{CURRENT, KINDS};

/// The whole document.
pub(crate) static DOCUMENT: Block = Block {
    name: "document",
    title: "launchpad.yaml",
    about: "One cluster of Mirantis Kubernetes Engine.",
    keys: &[
        key(
            "apiVersion",
            Kind::Constant(CURRENT),
            "which form the document has",
        )
        .required()
        .example(CURRENT),
        key(
            "kind",
            Kind::Fixed(KINDS),
            "both mean the same, hosts with role `msr` decide",
        )
        .required()
        .example("mke"),
        key(
            "metadata",
            Kind::One(&METADATA),
            "what the cluster is called",
        )
        .never_empty()
        .example("{name: prod-east}"),
        key("spec", Kind::One(&SPEC), "what the cluster is made of").required(),
    ],
    former: &[
        ("hosts", "it belongs into `spec`: `spec.hosts`"),
        (
            "status",
            "remove it: launchpad keeps no state in the document",
        ),
    ],
};

/// `metadata`.
pub(crate) static METADATA: Block = Block {
    name: "metadata",
    title: "Name of the cluster",
    about: "What the cluster is called.",
    keys: &[key(
        "name",
        Kind::ClusterName,
        "name of the cluster; it names the directory of the logs, so it must be safe as a file name",
    )
    .value("launchpad-mke")
    .example("prod-east")],
    former: &[
        ("clusterName", "it is called `name`"),
        ("cluster_name", "it is called `name`"),
        ("labels", "remove it: a cluster has no labels"),
        ("annotations", "remove it: a cluster has no annotations"),
        ("namespace", "remove it: a cluster is in no namespace"),
    ],
};

/// `spec`.
pub(crate) static SPEC: Block = Block {
    name: "spec",
    title: "The cluster",
    about: "What the cluster is made of: hosts, runtime, MKE, MSR.",
    keys: &[
        key(
            "hosts",
            Kind::Many(&HOST),
            "the hosts, at least one of them with the role `manager`",
        )
        .required(),
        key("mcr", Kind::One(&MCR), "the container runtime (engine)")
            .required()
            .example("{channel: stable-25.0}"),
        key("mke", Kind::One(&MKE), "Mirantis Kubernetes Engine")
            .required()
            .example("{version: 3.8.8}"),
        key(
            "msr",
            Kind::One(&MSR),
            "Mirantis Secure Registry, on the hosts with the role `msr`",
        )
        .example("{version: 2.9.28}")
        .standing(Standing::NotYet),
        key(
            "cluster",
            Kind::One(&CLUSTER),
            "settings of the cluster as a whole",
        )
        .example("{prune: false}"),
    ],
    former: &[
        ("engine", "it is called `mcr` now"),
        ("ucp", "it is called `mke` now"),
        ("dtr", "it is called `msr` now"),
        ("nodes", "it is called `hosts`"),
        ("machines", "it is called `hosts`"),
        ("servers", "it is called `hosts`"),
        ("docker", "it is called `mcr`"),
        ("kubernetes", "it is called `mke`"),
        ("k0s", "it is called `mke`"),
        ("msr2", "it is called `msr`"),
    ],
};

/// `spec.cluster`.
pub(crate) static CLUSTER: Block = Block {
    name: "cluster",
    title: "Settings of the cluster",
    about: "Settings of the cluster as a whole.",
    keys: &[switch(
        "prune",
        "remove nodes that are no longer in the configuration. `true`: **not yet**",
    )],
    former: &[],
};
