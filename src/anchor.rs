//! The anchor file: heads of the audit chain, a line each, only ever added to.
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// A head of the chain, as it once was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// When, as RFC 3339.
    pub at: String,
    /// How many entries the chain had, those pruned since included.
    pub entries: i64,
    /// The last link, in hexadecimal.
    pub head: String,
}

/// Opens the file for adding to it, and makes it where it is missing.
///
/// # Errors
/// As the system says.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o640);
    options.open(path)
}

/// Adds a line and makes it durable.
///
/// # Errors
/// As the system says; a line that was cut is left to itself by the next.
pub fn append(path: &Path, anchor: &Anchor) -> io::Result<()> {
    let mut file = open(path)?;
    let mut line = format!("{} {} {}\n", anchor.at, anchor.entries, anchor.head);
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            line.insert(0, '\n');
        }
    }
    file.write_all(line.as_bytes())?;
    file.sync_data()
}

/// The file's anchors, by entries, and how many lines cannot be read.
///
/// # Errors
/// As the system says.
pub fn read(path: &Path) -> io::Result<(Vec<Anchor>, usize)> {
    let text = std::fs::read_to_string(path)?;
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let mut anchors: Vec<Anchor> = lines.iter().filter_map(|line| parse(line)).collect();
    let unread = lines.len() - anchors.len();
    anchors.sort_by_key(|anchor| anchor.entries);
    Ok((anchors, unread))
}

fn parse(line: &str) -> Option<Anchor> {
    let mut fields = line.split_whitespace();
    let anchor = Anchor {
        at: fields.next()?.to_owned(),
        entries: fields.next()?.parse().ok().filter(|entries| *entries > 0)?,
        head: fields
            .next()
            .filter(|head| head.len() == 64)?
            .to_lowercase(),
    };
    fields.next().is_none().then_some(anchor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(entries: i64) -> Anchor {
        Anchor {
            at: "2022-11-14T12:00:00+08:00".into(),
            entries,
            head: "0a".repeat(32),
        }
    }

    #[test]
    fn what_was_added_is_read_and_a_line_that_was_cut_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor.log");
        append(&path, &anchor(7)).unwrap();
        append(&path, &anchor(9)).unwrap();
        assert_eq!(read(&path).unwrap(), (vec![anchor(7), anchor(9)], 0));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        append(&path, &anchor(11)).unwrap();
        assert_eq!(read(&path).unwrap(), (vec![anchor(7), anchor(11)], 1));
    }

    #[test]
    fn a_line_that_is_no_anchor_is_none() {
        for line in ["", "a 1", "a 0 b", "a x b", "a -1 b", "a 1 b c"] {
            let line = line.replace('b', &"0a".repeat(32));
            assert_eq!(parse(&line), None, "{line}");
        }
    }
}
