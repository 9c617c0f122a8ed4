//! The list of erasures that stands outside the database: one line each, added to and read back.
//!
//! A backup holds people who left after it was made. This list is how a server that was started on
//! such a copy knows whom to erase again, before it answers anybody. Its identifiers are random and
//! lead to nobody without the database.
use std::{
    collections::HashSet,
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// What was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An authorization ended.
    Ended,
    /// An authorization was narrowed.
    Narrowed,
    /// A register was erased.
    Register,
    /// A registration code was replaced.
    Code,
    /// A passkey was removed.
    Passkey,
}

impl Kind {
    const ALL: [(Self, i64, &str); 5] = [
        (Self::Ended, 0, "ended"),
        (Self::Narrowed, 1, "narrowed"),
        (Self::Register, 2, "register"),
        (Self::Code, 3, "code"),
        (Self::Passkey, 4, "passkey"),
    ];

    /// The number in the database.
    #[must_use]
    pub fn number(self) -> i64 {
        self as i64
    }

    /// By the number in the database.
    #[must_use]
    pub fn of_number(number: i64) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(_, own, _)| *own == number);
        found.map(|(kind, _, _)| kind)
    }
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, in milliseconds since the Unix epoch.
    pub at: i64,
    /// What was erased.
    pub kind: Kind,
    /// Of which authorization, register or passkey, or the hash of which code.
    pub id: Vec<u8>,
    /// Of a narrowed authorization the items that stay, comma-separated.
    pub keeps: Option<String>,
}

/// An erasure's transaction is at most so long under way, in milliseconds: what has an earlier time
/// than the last one listed may still come.
const UNDER_WAY: i64 = 2 * 60 * 1000;

/// How far the list outside the database has come.
#[derive(Debug, Default)]
pub struct Listed {
    until: i64,
    /// Those of the last two minutes.
    last: HashSet<(Vec<u8>, i64)>,
}

impl Listed {
    /// After the lines that stand there.
    #[must_use]
    pub fn after(entries: &[Entry]) -> Self {
        let mut listed = Self::default();
        listed.add(entries);
        listed
    }

    /// Adds lines that were written.
    pub fn add(&mut self, entries: &[Entry]) {
        let until = entries
            .iter()
            .map(|entry| entry.at)
            .max()
            .unwrap_or_default();
        self.until = self.until.max(until);
        self.last
            .extend(entries.iter().map(|entry| (entry.id.clone(), entry.at)));
        let since = self.until - UNDER_WAY;
        self.last.retain(|(_, at)| *at >= since);
    }

    /// Since when erasures may not stand on the list yet.
    #[must_use]
    pub fn since(&self) -> i64 {
        self.until - UNDER_WAY
    }

    /// Whether it stands there.
    #[must_use]
    pub fn has(&self, entry: &Entry) -> bool {
        self.last.contains(&(entry.id.clone(), entry.at))
    }
}

/// Why a list does not read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file cannot be read or written.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// A line is not one of ours.
    #[error("{0}: line {1} is not that of a list of erasures")]
    Line(String, usize),
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let at = parts.next()?.parse().ok()?;
        let word = parts.next()?;
        let (kind, _, _) = Kind::ALL.into_iter().find(|(_, _, own)| *own == word)?;
        let id = hex::decode(parts.next()?).ok()?;
        let keeps = parts.next().map(str::to_owned);
        let whole =
            !id.is_empty() && parts.next().is_none() && keeps.is_some() == (kind == Kind::Narrowed);
        whole.then_some(Self {
            at,
            kind,
            id,
            keeps,
        })
    }

    fn write(&self, text: &mut String) {
        let (_, _, word) = Kind::ALL[self.kind as usize];
        let hex = hex::encode(&self.id);
        let keeps = self
            .keeps
            .as_deref()
            .map_or(String::new(), |keeps| format!(" {keeps}"));
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{} {word} {hex}{keeps}", self.at);
    }
}

/// Every line; none where there is no file yet. A last line without its end was being written when
/// the machine stopped: it is left out, and comes again from the database.
///
/// # Errors
/// When the file cannot be read, or a line is not ours.
pub fn read(path: &Path) -> Result<Vec<Entry>, ListError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| ListError::Io(path.display().to_string(), error))?,
    };
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    text[..whole]
        .lines()
        .enumerate()
        .map(|(at, line)| {
            Entry::parse(line).ok_or_else(|| ListError::Line(path.display().to_string(), at + 1))
        })
        .collect()
}

/// Adds lines, durably.
///
/// # Errors
/// When the file cannot be written.
pub fn append(path: &Path, entries: &[Entry]) -> Result<(), ListError> {
    let failed = |error| ListError::Io(path.display().to_string(), error);
    let mut text = String::new();
    // What stands after the last line's end was never whole.
    let broken = fs::read(path).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
    if broken {
        rewrite(path, &read(path)?)?;
    }
    for entry in entries {
        entry.write(&mut text);
    }
    let mut file = own_file(path, OpenOptions::new().append(true)).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Leaves out lines of before a time, at one stroke.
///
/// # Errors
/// When the file cannot be read or written.
pub fn forget_over(path: &Path, before: i64) -> Result<(), ListError> {
    let all = read(path)?;
    let kept: Vec<Entry> = all
        .iter()
        .filter(|entry| entry.at >= before)
        .cloned()
        .collect();
    if kept.len() == all.len() {
        return Ok(());
    }
    rewrite(path, &kept)
}

fn rewrite(path: &Path, entries: &[Entry]) -> Result<(), ListError> {
    let failed = |error| ListError::Io(path.display().to_string(), error);
    let mut text = String::new();
    for entry in entries {
        entry.write(&mut text);
    }
    let new = path.with_extension("new");
    let mut file = own_file(&new, OpenOptions::new().write(true).truncate(true)).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&new, path).map_err(failed)
}

/// Readable by its owner alone.
fn own_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: i64, kind: Kind) -> Entry {
        Entry {
            at,
            kind,
            id: vec![0, 17, 255],
            keeps: (kind == Kind::Narrowed).then(|| "health_code,nucleic_acid".to_owned()),
        }
    }

    #[test]
    fn lines_read_back_and_a_torn_last_one_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erased");
        assert_eq!(read(&path).unwrap(), []);
        let all = [
            entry(1, Kind::Ended),
            entry(2, Kind::Narrowed),
            entry(3, Kind::Register),
            entry(4, Kind::Code),
            entry(5, Kind::Passkey),
        ];
        append(&path, &all[..2]).unwrap();
        append(&path, &all[2..]).unwrap();
        assert_eq!(read(&path).unwrap(), all);
        let torn = fs::read_to_string(&path).unwrap() + "6 ended 00";
        fs::write(&path, torn).unwrap();
        assert_eq!(read(&path).unwrap(), all);
        append(&path, &[entry(6, Kind::Ended)]).unwrap();
        assert_eq!(read(&path).unwrap().len(), 6);
        forget_over(&path, 3).unwrap();
        let kept: Vec<i64> = read(&path).unwrap().iter().map(|entry| entry.at).collect();
        assert_eq!(kept, [3, 4, 5, 6]);
    }

    #[test]
    fn a_line_of_something_else_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erased");
        for line in [
            "",
            "x",
            "1 ended",
            "1 ended 0",
            "1 other 00",
            "1 ended 00 a",
            "1 narrowed 00",
        ] {
            fs::write(&path, format!("1 ended 00\n{line}\n")).unwrap();
            let error = read(&path).unwrap_err();
            assert!(matches!(error, ListError::Line(_, 2)), "{line}");
        }
    }
}
