//! Images: archives, registries, history.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_archive_is_loaded_on_another_host() {
    let cluster = Cluster::new(51, 2);
    cluster
        .good(
            0,
            "docker pull -q alpine; docker pull -q nginx; docker tag alpine mine:1",
        )
        .await;
    let save = "docker save -o /tmp/i.tar alpine mine:1 nginx; stat -c %s /tmp/i.tar
        tar tf /tmp/i.tar | grep -c blobs/sha256/.; cp /tmp/i.tar /tmp/copy.tar
        docker save alpine > /tmp/one.tar; stat -c %s /tmp/copy.tar /tmp/one.tar | sort -n | head -1";

    let said = cluster.good(0, save).await;

    let mut lines = said.lines();
    let size: u64 = lines.next().unwrap().parse().unwrap();
    assert!((196_000_000..196_300_000).contains(&size), "{size}");
    // Two descriptions, two manifests, one layer and three.
    assert_eq!(lines.collect::<Vec<_>>(), ["8", "8017920"]);
    let content = cluster.fleet.host(cluster.hosts[0], |host| {
        let root = crate::files::Credentials::root();
        host.files.read("/tmp/i.tar", &root).unwrap()
    });
    assert!(matches!(content, crate::files::Content::Archive(_)));
    cluster.fleet.host(cluster.hosts[1], |host| {
        let root = crate::files::Credentials::root();
        let now = Duration::ZERO;
        host.files
            .write("/tmp/i.tar", content, 0o600, &root, now)
            .unwrap();
    });
    let said = cluster.good(1, "docker load -i /tmp/i.tar").await;
    assert_eq!(
        said,
        "Loaded image: alpine:latest\nLoaded image: mine:1\nLoaded image: nginx:latest\n"
    );
    let said = cluster
        .good(
            1,
            "docker load -q < /tmp/i.tar | wc -l; docker images -q | wc -l",
        )
        .await;
    assert_eq!(said, "3\n3\n");
    assert_eq!(
        cluster.good(1, "docker run --rm mine:1 echo hello").await,
        "hello\n"
    );
}

#[tokio::test(start_paused = true)]
async fn an_image_without_a_name_is_loaded_by_its_id() {
    let cluster = Cluster::new(52, 1);
    cluster.good(0, "docker pull -q hello-world").await;

    let script = "id=$(docker images -q --no-trunc hello-world)
        docker save $id > /tmp/i.tar && docker rmi -f $id >/dev/null
        docker load < /tmp/i.tar | sed 's/[0-9a-f]\\{64\\}/DIGITS/'
        docker images --format '{{.Repository}}:{{.Tag}}'
        cat /tmp/i.tar | gzip > /tmp/i.tgz; docker load -i /tmp/i.tgz | wc -l
        docker save $id | docker load | wc -l";
    let said = cluster.good(0, script).await;

    assert_eq!(
        said,
        "Loaded image ID: sha256:DIGITS\n<none>:<none>\n1\n1\n"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_archive_is_refused_as_the_engine_does() {
    let cluster = Cluster::new(53, 1);
    cluster
        .good(0, "docker pull -q alpine; docker save alpine > /tmp/i.tar; head -c 3000 /tmp/i.tar > /tmp/half")
        .await;
    let missing = "open /var/lib/docker/tmp/docker-import-2862146353";
    for (script, wanted) in [
        ("docker load -i /tmp/half", "unexpected EOF".to_owned()),
        (
            "head -c 2000 /dev/zero | tr '\\0' x | docker load",
            "archive/tar: invalid tar header".to_owned(),
        ),
        (
            "mkdir -p d/bin; tar cf e.tar d; docker load -i e.tar",
            format!("{missing}/d/json: no such file or directory"),
        ),
        (
            "docker load -i nosuch",
            "open nosuch: no such file or directory".to_owned(),
        ),
        (
            "docker save -o /nosuch/x alpine",
            "failed to save image: invalid output path: directory \"/nosuch\" does not exist"
                .to_owned(),
        ),
    ] {
        let (status, said) = cluster.bad(0, script).await;
        assert_eq!((status, said), (1, format!("{wanted}\n")), "{script}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_is_pushed_to_those_who_let_one_in() {
    let cluster = Cluster::new(54, 2);
    enter(&cluster.fleet, |world, _| {
        let registry = world.engines.registries.registry("registry.lab");
        registry.users.insert("u".to_owned(), "p".to_owned());
    });
    cluster
        .good(0, "docker pull -q alpine; docker tag alpine registry.lab/a/mine:1; docker tag alpine nobody/mine")
        .await;

    let (_, said) = cluster.bad(0, "docker push registry.lab/a/mine:1").await;
    assert_eq!(said, "no basic auth credentials\n");
    let (_, said) = cluster.bad(0, "docker push nobody/mine").await;
    assert_eq!(said, "denied: requested access to the resource is denied\n");
    let (_, said) = cluster
        .bad(
            0,
            "docker tag alpine registry.nowhere/x; docker push registry.nowhere/x",
        )
        .await;
    assert!(
        said.ends_with("lookup registry.nowhere: no such host\n"),
        "{said}"
    );
    let (_, said) = cluster.bad(0, "docker push registry.lab/a/other").await;
    assert_eq!(
        said,
        "An image does not exist locally with the tag: registry.lab/a/other\n"
    );
    let (_, said) = cluster.bad(0, "docker push registry.lab/a/mine:2").await;
    assert_eq!(said, "tag does not exist: registry.lab/a/mine:2\n");

    cluster
        .good(
            0,
            "echo p | docker login -u u --password-stdin registry.lab",
        )
        .await;
    let push = "docker push registry.lab/a/mine:1 | sed 's/[0-9a-f]\\{12,\\}/ID/'";
    let said = cluster.good(0, push).await;
    assert_eq!(
        said,
        "The push refers to repository [registry.lab/a/mine]\nID: Preparing\nID: Pushed\n\
         1: digest: sha256:ID size: 528\n"
    );
    let said = cluster.good(0, push).await;
    assert!(said.contains("ID: Layer already exists\n"), "{said}");
    let script = "docker image inspect registry.lab/a/mine:1 --format '{{len .RepoDigests}}'";
    assert_eq!(cluster.good(0, script).await, "2\n");
    cluster
        .good(
            1,
            "echo p | docker login -u u --password-stdin registry.lab",
        )
        .await;
    cluster
        .good(1, "docker run --rm registry.lab/a/mine:1 true")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_history_has_a_step_for_each_layer() {
    let cluster = Cluster::new(55, 1);
    cluster.good(0, "docker pull -q alpine").await;

    let script =
        "docker history alpine --format '{{.CreatedBy}} {{.Size}}'; docker history -q alpine";
    let said = cluster.good(0, script).await;

    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "/bin/sh -c #(nop)  CMD [\"/bin/sh\"] 0B");
    assert!(lines[1].ends_with("… 8MB"), "{said}");
    assert_eq!((lines.len(), lines[3]), (4, "<missing>"));
}
