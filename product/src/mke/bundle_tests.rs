//! Bundles as MKE packs them, and archives that are none.

use std::io::Write as _;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

/// The names of a bundle as `unzip` printed them for MKE 3.2 and 3.3.
const NAMES: [&str; 15] = [
    "ca.pem",
    "cert.pem",
    "key.pem",
    "cert.pub",
    "env.ps1",
    "env.cmd",
    "kube.yml",
    "env.sh",
    "meta.json",
    "tls/docker/ca.pem",
    "tls/docker/cert.pem",
    "tls/docker/key.pem",
    "tls/kubernetes/ca.pem",
    "tls/kubernetes/cert.pem",
    "tls/kubernetes/key.pem",
];

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

fn pack(entries: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        if name.ends_with('/') {
            writer.add_directory(*name, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

fn one(name: &str) -> Vec<u8> {
    pack(&[(name, b"x")], options())
}

/// Replaces every occurrence of some bytes by as many others.
fn patch(mut archive: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut patched = 0;
    for start in 0..=archive.len() - from.len() {
        if archive[start..].starts_with(from) {
            archive[start..start + to.len()].copy_from_slice(to);
            patched += 1;
        }
    }
    assert!(patched > 0, "nothing to patch");
    archive
}

/// Sets bytes of the first header of the central directory.
fn patch_central(mut archive: Vec<u8>, offset: usize, bytes: &[u8]) -> Vec<u8> {
    let header = b"PK\x01\x02";
    let start = archive.windows(4).position(|four| four == header).unwrap();
    archive[start + offset..start + offset + bytes.len()].copy_from_slice(bytes);
    archive
}

fn refusal(archive: &[u8]) -> Refusal {
    match unpack(archive) {
        Err(BundleError::Entry { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bundle_of_mke_is_read_stored_or_deflated() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let entries: Vec<(&str, &[u8])> = NAMES.map(|name| (name, name.as_bytes())).to_vec();
        let archive = pack(&entries, options().compression_method(method));

        let files = unpack(&archive).unwrap();

        let names: Vec<String> = files.iter().map(File::name).collect();
        assert_eq!(names, NAMES);
        assert!(files.iter().all(|file| file.text() == Some(&file.name())));
        assert_eq!(files[14].path, ["tls", "kubernetes", "key.pem"]);
    }
}

#[test]
fn entries_of_directories_are_no_files() {
    let archive = pack(
        &[
            ("tls/", b""),
            ("tls/docker/", b""),
            ("tls/docker/ca.pem", b"x"),
        ],
        options(),
    );

    let files = unpack(&archive).unwrap();

    assert_eq!(files.len(), 1);
    assert_eq!(files[0].name(), "tls/docker/ca.pem");
}

#[test]
fn keys_are_not_printed() {
    let files = unpack(&pack(&[("key.pem", b"BEGIN")], options())).unwrap();

    assert_eq!(format!("{files:?}"), "[File(key.pem)]");
}

/// Whether a refusal is the right one.
type IsIt = fn(&Refusal) -> bool;

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let long = "x".repeat(256);
    let cases: [(&str, IsIt); 20] = [
        ("/etc/passwd", |it| matches!(it, Refusal::Absolute)),
        ("../admin2/x", |it| matches!(it, Refusal::Outside)),
        ("tls/../../x", |it| matches!(it, Refusal::Outside)),
        ("tls/..", |it| matches!(it, Refusal::Outside)),
        ("./x", |it| matches!(it, Refusal::Outside)),
        ("tls//x", |it| matches!(it, Refusal::EmptyPart)),
        ("..\\x", |it| matches!(it, Refusal::Character('\\'))),
        ("tls\\x", |it| matches!(it, Refusal::Character('\\'))),
        ("C:x", |it| matches!(it, Refusal::Character(':'))),
        ("x:stream", |it| matches!(it, Refusal::Character(':'))),
        ("x\0.pem", |it| matches!(it, Refusal::Character('\0'))),
        ("x\u{1b}[2J", |it| {
            matches!(it, Refusal::Character('\u{1b}'))
        }),
        ("x\ny", |it| matches!(it, Refusal::Character('\n'))),
        ("con", |it| matches!(it, Refusal::Reserved)),
        ("tls/NUL.txt", |it| matches!(it, Refusal::Reserved)),
        ("com1", |it| matches!(it, Refusal::Reserved)),
        ("key.pem.", |it| matches!(it, Refusal::Reserved)),
        ("...", |it| matches!(it, Refusal::Reserved)),
        ("a/b/c/d/e", |it| matches!(it, Refusal::TooDeep)),
        (long.as_str(), |it| matches!(it, Refusal::TooLong)),
    ];
    for (name, is_it) in cases {
        let found = refusal(&one(name));

        assert!(is_it(&found), "{name:?}: {found:?}");
    }
    let latin1 = patch(one("a?b"), b"a?b", b"a\xffb");
    assert!(matches!(refusal(&latin1), Refusal::NotText));
}

#[test]
fn names_that_are_there_twice_are_refused() {
    let twice = patch(
        pack(&[("one", b"x"), ("two", b"y")], options()),
        b"two",
        b"one",
    );
    let in_another_case = pack(&[("key.pem", b"x"), ("KEY.pem", b"y")], options());
    let nested = pack(&[("tls", b"x"), ("tls/ca.pem", b"y")], options());
    let around = pack(&[("tls/ca.pem", b"y"), ("TLS", b"x")], options());

    assert!(matches!(unpack(&twice), Err(BundleError::Twice)));
    assert!(matches!(refusal(&in_another_case), Refusal::Twice));
    assert!(matches!(refusal(&nested), Refusal::FileAndDirectory));
    assert!(matches!(refusal(&around), Refusal::FileAndDirectory));
}

#[test]
fn only_plain_files_are_taken() {
    for (mode, is_link) in [
        (0o120_777_u32, true),
        (0o060_600, false),
        (0o020_600, false),
        (0o010_600, false),
        (0o140_600, false),
    ] {
        let archive = patch_central(one("x"), 38, &(mode << 16).to_le_bytes());
        let found = refusal(&archive);

        assert_eq!(matches!(found, Refusal::Link), is_link, "{found:?}");
        assert_eq!(matches!(found, Refusal::NotPlain), !is_link, "{found:?}");
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_symlink("x", "/etc/passwd", options()).unwrap();
    let link = writer.finish().unwrap().into_inner();
    assert!(matches!(refusal(&link), Refusal::Link));
}

#[test]
fn encrypted_and_strange_entries_are_refused() {
    let mut encrypted = patch_central(one("x"), 8, &[1, 0]);
    encrypted[6] = 1;
    let mut strange = patch_central(one("x"), 10, &[14, 0]);
    strange[8] = 14;

    assert!(matches!(refusal(&encrypted), Refusal::Encrypted));
    assert!(matches!(refusal(&strange), Refusal::Method(_)));
}

#[test]
fn a_bomb_is_measured_by_what_comes_out() {
    let zeros = vec![0; 4 << 20];
    let packed = options().compression_method(CompressionMethod::Deflated);
    let bomb = pack(&[("key.pem", &zeros)], packed);
    assert!(bomb.len() < 32 << 10);
    // The same, saying that a single byte comes out.
    let mut lying = patch_central(bomb.clone(), 24, &1_u32.to_le_bytes());
    lying[22..26].copy_from_slice(&1_u32.to_le_bytes());

    assert!(matches!(refusal(&bomb), Refusal::TooLarge));
    let found = refusal(&lying);
    assert!(
        matches!(found, Refusal::TooLarge | Refusal::Unreadable(_)),
        "{found:?}"
    );
}

#[test]
fn all_files_together_are_bounded() {
    let zeros = vec![0; 1 << 20];
    let names: Vec<String> = (0..9).map(|number| format!("file{number}")).collect();
    let entries: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), zeros.as_slice()))
        .collect();
    let packed = options().compression_method(CompressionMethod::Deflated);

    let within = unpack(&pack(&entries[..8], packed));
    let beyond = unpack(&pack(&entries, packed));

    assert_eq!(within.unwrap().len(), 8);
    assert!(matches!(beyond, Err(BundleError::TooLarge)), "{beyond:?}");
}

#[test]
fn entries_are_counted() {
    let names: Vec<String> = (0..=MOST_ENTRIES)
        .map(|number| format!("f{number}"))
        .collect();
    let entries: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"x"[..]))
        .collect();

    let found = unpack(&pack(&entries, options()));

    assert!(
        matches!(found, Err(BundleError::TooMany { count: 257 })),
        "{found:?}"
    );
}

#[test]
fn what_is_no_archive_or_has_nothing_in_it_is_refused() {
    let empty = pack(&[], options());
    let only_directories = pack(&[("tls/", b"")], options());

    for text in [&b""[..], b"<html>502 Bad Gateway</html>", b"PK\x03\x04"] {
        assert!(matches!(unpack(text), Err(BundleError::NotAnArchive(_))));
    }
    assert!(matches!(unpack(&empty), Err(BundleError::Empty)));
    assert!(matches!(unpack(&only_directories), Err(BundleError::Empty)));
}

#[test]
fn a_cut_or_a_changed_byte_never_passes_as_a_file() {
    let packed = options().compression_method(CompressionMethod::Deflated);
    let text = b"-----BEGIN CERTIFICATE-----".repeat(20);
    let archive = pack(&[("ca.pem", &text)], packed);

    for length in 0..archive.len() {
        assert!(unpack(&archive[..length]).is_err(), "cut at {length}");
    }
    for place in 0..archive.len() {
        let mut changed = archive.clone();
        changed[place] ^= 0x41;
        if let Ok(files) = unpack(&changed) {
            let content = files[0].content.expose_secret();
            assert!(content == text, "changed at {place}");
        }
    }
}

#[test]
fn a_name_is_shown_without_what_steers_a_terminal() {
    let found = unpack(&one("x\u{1b}]0;hi\u{7}`\u{202e}/../y"))
        .unwrap_err()
        .to_string();

    assert!(
        found.contains("x\\u{1b}]0;hi\\u{7}'\\u{202e}/../y"),
        "{found}"
    );
    assert!(!found.chars().any(char::is_control), "{found:?}");
}
