//! Containers that run programs.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_container_runs_a_shell_of_its_own() {
    let cluster = Cluster::new(61, 1);
    cluster.good(0, "docker pull -q alpine").await;

    let script = "docker run --rm alpine sh -c 'echo out; echo err >&2; exit 3'; echo $?
        docker run --rm -e A=b alpine sh -c 'echo $A $HOME $PWD; id -un; cat /etc/alpine-release'
        docker run --rm --hostname box alpine sh -c 'hostname; cat /etc/hostname'
        docker run --rm alpine ls /work; echo $?
        echo in | docker run --rm -i alpine cat; echo in | docker run --rm alpine cat
        docker run --rm -w /made/here alpine pwd; docker run --rm -u 12:34 alpine id -g
        docker run --rm alpine printf %s end; docker run --rm alpine readlink /bin/cat";
    let ran = cluster.sh(0, script).await;

    assert_eq!(
        ran.stdout,
        "out\n3\nb /root /\nroot\n3.19.1\nbox\nbox\n2\nin\n/made/here\n34\nend/bin/busybox\n"
    );
    assert!(ran.stderr.starts_with("err\n"), "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn commands_run_in_a_container_that_runs() {
    let cluster = Cluster::new(62, 1);
    let script = "docker run -d --name cc -v data:/data -e A=b alpine sleep 1000 >/dev/null
        docker exec cc sh -c 'echo $A > /data/f; exit 5'; echo $?
        cat /var/lib/docker/volumes/data/_data/f; echo new > /var/lib/docker/volumes/data/_data/g
        docker exec cc cat /data/g; echo in | docker exec -i cc cat; echo in | docker exec cc cat
        docker exec cc env; docker exec -d cc touch /made; docker exec cc ls /made
        docker exec -u nobody cc whoami; docker exec -w /tmp cc pwd
        docker top cc -o pid,args | tail -n 1 | awk '{ print $2, $3 }'
        docker stats --no-stream --format '{{.Name}} {{.PIDs}}'; docker exec cc nosuch; echo $?
        docker exec cc kill -TERM 1; docker inspect cc --format '{{.State.Running}}'";

    let said = cluster.good(0, script).await;

    let host = cluster.good(0, "docker ps -q").await;
    let wanted = format!(
        "5\nb\nnew\nin\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
         HOSTNAME={}\nA=b\nHOME=/root\n/made\nnobody\n/tmp\nsleep 1000\ncc 1\nOCI runtime exec failed: \
         exec failed: unable to start container process: exec: \"nosuch\": executable file not \
         found in $PATH: unknown\n126\ntrue\n",
        host.trim()
    );
    assert_eq!(said, wanted);
    let (_, said) = cluster
        .bad(0, "docker stop -t 0 cc >/dev/null; docker exec cc true")
        .await;
    assert!(said.ends_with("is not running\n"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn the_first_process_listens_to_what_it_traps() {
    let cluster = Cluster::new(63, 1);
    let script = "docker run -d --name aa alpine sh -c 'trap \"exit 7\" TERM; while :; do sleep 0.1; done' >/dev/null
        docker run -d --name bb alpine sleep 1000 >/dev/null
        docker stop aa bb; docker inspect aa bb --format '{{.State.ExitCode}}'
        docker start aa >/dev/null; docker pause aa; docker kill -s TERM aa
        docker inspect aa --format '{{.State.Status}}'; docker unpause aa; docker wait aa
        docker run -d --name rr --restart on-failure:2 alpine sh -c 'echo once; exit 1' >/dev/null
        docker wait rr; docker logs rr; docker inspect rr --format '{{.RestartCount}}'";

    let started = cluster.fleet.elapsed();
    let said = cluster.good(0, script).await;

    assert_eq!(
        said,
        "aa\nbb\n7\n137\naa\naa\npaused\naa\n7\n1\nonce\nonce\nonce\n2\n"
    );
    let took = cluster.fleet.elapsed() - started;
    assert!((10..16).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_in_an_image_cannot_be_run() {
    let cluster = Cluster::new(64, 1);
    let runc = "docker: Error response from daemon: failed to create task for container: failed to \
                create shim task: OCI runtime create failed: runc create failed: unable to start \
                container process: exec: ";
    for (script, wanted, code) in [
        (
            "alpine nosuch",
            "\"nosuch\": executable file not found in $PATH",
            127,
        ),
        (
            "alpine /etc/passwd",
            "\"/etc/passwd\": permission denied",
            126,
        ),
        (
            "hello-world sh",
            "\"sh\": executable file not found in $PATH",
            127,
        ),
        (
            "--entrypoint sh mirantis/ucp:3.8.8",
            "\"sh\": executable file not found in $PATH",
            127,
        ),
        (
            "-w / alpine /no/such",
            "\"/no/such\": stat /no/such: no such file or directory",
            127,
        ),
    ] {
        let ran = cluster
            .sh(
                0,
                &format!("docker run --pull always -q --rm {script} >/dev/null"),
            )
            .await;
        let said = ran.stderr.lines().last().unwrap_or_default().to_owned();
        assert_eq!(
            (ran.status, said),
            (code, format!("{runc}{wanted}: unknown.")),
            "{script}"
        );
    }
    assert_eq!(cluster.good(0, "docker ps -aq").await, "");
    let words = ["docker", "run", "--rm", "alpine", "wget", "http://x"];
    let ran = run_with(&cluster.fleet, cluster.hosts[0], &words, "").await;
    assert_eq!((ran.status, ran.stdout.as_str()), (70, ""));
    assert!(
        ran.stderr.ends_with("wget: not simulated: the applet\n"),
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn files_are_copied_in_and_out() {
    let cluster = Cluster::new(65, 1);
    cluster.good(0, "docker pull -q alpine").await;
    let script = "docker create --name cc -v vv:/v alpine >/dev/null; mkdir d; echo x > d/f; ln -s f d/l
        docker cp d cc:/tmp; docker cp d/. cc:/v; docker cp d/f cc:/root/g; docker start cc >/dev/null
        docker cp cc:/tmp/d out; cat out/f; readlink out/l; docker cp cc:/root/g .; cat g
        ls /var/lib/docker/volumes/vv/_data; docker cp cc:/bin/busybox b && test -s b && echo copied
        docker cp cc:/tmp/d - | tar tf - ; tar cf - d/f | docker cp - cc:/root; docker cp cc:/root/d/f h; cat h
        docker cp cc:/etc/hostname - | tar tf -";

    let ran = cluster.sh(0, script).await;

    assert_eq!(ran.stderr, "");
    assert_eq!(
        ran.stdout,
        "x\nf\nx\nf\nl\ncopied\nd/\nd/f\nd/l\nx\nhostname\n"
    );
    let (_, said) = cluster.bad(0, "docker cp cc:/nosuch .").await;
    assert_eq!(
        said,
        "Error response from daemon: Could not find the file /nosuch in container cc\n"
    );
    let (_, said) = cluster.bad(0, "docker cp nosuch:/x .").await;
    assert_eq!(
        said,
        "Error response from daemon: No such container: nosuch\n"
    );
    let (_, said) = cluster.bad(0, "docker cp nosuch cc:/").await;
    assert_eq!(said, "lstat /work/nosuch: no such file or directory\n");
}

#[tokio::test(start_paused = true)]
async fn mounts_are_shared_and_may_be_read_only() {
    let cluster = Cluster::new(66, 1);
    let script = "echo a > f; docker run --rm -v /work/f:/f:ro alpine sh -c 'cat /f; echo b > /f'; cat f
        docker run --rm -v /work/new:/n alpine touch /n/x; ls new
        docker run --rm -v /work:/w alpine sh -c 'echo c >> /w/f; mv /w/f /w/g'; cat g
        docker run --rm --mount type=tmpfs,target=/t alpine sh -c 'echo x > /t/x; grep -c /t /proc/mounts'
        docker run -d --name pp -p 80:80 nginx >/dev/null; docker run -p 80:80 nginx; echo $?";

    let ran = cluster.sh(0, script).await;

    assert_eq!(ran.stdout, "a\na\nx\na\nc\n1\n125\n");
    assert!(
        ran.stderr.contains("Read-only file system"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .ends_with("Bind for 0.0.0.0:80 failed: port is already allocated.\n"),
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_is_described() {
    let cluster = Cluster::swarm(67, 1, 0).await;
    cluster
        .good(0, "docker node update --label-add a=b h0")
        .await;

    let said = cluster
        .good(
            0,
            "docker node inspect self --pretty | tail -n +2 | grep -v Joined",
        )
        .await;

    let wanted = "Labels:\n - a=b\nHostname:              \th0\nStatus:\n State:\t\t\tReady\n \
                  Availability:         \tActive\n Address:\t\t10.0.0.1\nManager Status:\n \
                  Address:\t\t10.0.0.1:2377\n Raft Status:\t\tReachable\n Leader:\t\tYes\n\
                  Platform:\n Operating System:\tlinux\n Architecture:\t\tx86_64\nResources:\n \
                  CPUs:\t\t\t4\n Memory:\t\t16GiB\nPlugins:\n Network:\t\tbridge, overlay\n \
                  Volume:\t\tlocal\nEngine Version:\t\t25.0.9\n";
    assert_eq!(said, wanted);
    let said = cluster.good(0, "docker service create -q --name web alpine sleep 1000 >/dev/null
        docker service inspect web --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' | sed 's/[0-9a-f]\\{64\\}//'
        docker service ls --format '{{.Image}}'; docker ps --format '{{.Image}}'").await;
    assert_eq!(
        said,
        "alpine:latest@sha256:\nalpine:latest\nalpine:latest\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_with_containers_stays_small() {
    let cluster = Cluster::new(68, 1);
    cluster
        .good(
            0,
            "for i in 1 2 3 4 5; do docker run -d alpine sleep 1000; done >/dev/null",
        )
        .await;
    cluster
        .good(0, "docker rm -f $(docker ps -aq) >/dev/null")
        .await;

    let left = cluster.fleet.world(|world| world.insides.len());

    assert_eq!(left, 0);
}
