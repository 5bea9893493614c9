//! The one file of an archive, as the engine gives a file out of a container.

/// The size of a header, and of what contents are padded to.
const BLOCK: usize = 512;

/// Returns the content of the first regular file.
pub(crate) fn first_file(archive: &[u8]) -> Option<&[u8]> {
    let mut rest = archive;
    loop {
        let (header, after) = rest.split_at_checked(BLOCK)?;
        let size = size(header)?;
        let kind = *header.get(156)?;
        if kind == b'0' || kind == 0 && size > 0 {
            return after.get(..size);
        }
        rest = after.get(size.next_multiple_of(BLOCK)..)?;
    }
}

/// Reads the size of a file: octal digits.
fn size(header: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(header.get(124..136)?).ok()?;
    usize::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: u8, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..4].copy_from_slice(b"name");
        block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        block[156] = kind;
        block.extend_from_slice(content);
        block.resize(BLOCK + content.len().next_multiple_of(BLOCK), 0);
        block
    }

    #[test]
    fn the_file_is_found_behind_other_entries() {
        let archive = [
            entry(b'x', b"12 path=x\n"),
            entry(b'5', b""),
            entry(b'0', b"PEM"),
        ]
        .concat();

        assert_eq!(first_file(&archive), Some(&b"PEM"[..]));
    }

    #[test]
    fn an_archive_without_a_file_has_none() {
        for archive in [vec![], vec![0; 1024], entry(b'5', b""), vec![b'x'; 700]] {
            assert_eq!(first_file(&archive), None);
        }
        assert_eq!(first_file(&entry(b'0', b"PEM")[..513]), None);
    }
}
