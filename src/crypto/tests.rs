use super::*;
use random::OsRandom;
use std::os::unix::fs::PermissionsExt;

fn keys() -> Keys {
    let folder = tempfile::tempdir().unwrap();
    let root = RootKey::create(&folder.path().join("root.key"), &OsRandom::new()).unwrap();
    let rows = Keys::draw(&root, &OsRandom::new());
    Keys::unwrap_all(&root, &rows, Arc::new(OsRandom::new())).unwrap()
}

fn place<'a>(table: Table, column: &'static str, row: &'a [u8], bound: &'a [u8]) -> Place<'a> {
    Place {
        table,
        column,
        row,
        bound,
    }
}

#[test]
fn a_cell_opens_where_it_was_sealed_and_nowhere_else() {
    let keys = keys();
    let here = place(Table::Persons, "profile", &[9; 16], b"");
    let cell = keys.seal(&here, b"secret");
    assert_eq!(keys.open(&here, &cell).unwrap().as_slice(), b"secret");
    for elsewhere in [
        place(Table::Snapshots, "profile", &[9; 16], b""),
        place(Table::Persons, "items", &[9; 16], b""),
        place(Table::Persons, "profile", &[8; 16], b""),
        place(Table::Persons, "profile", &[9; 16], b"1"),
    ] {
        assert_eq!(
            keys.open(&elsewhere, &cell).unwrap_err(),
            CryptoError::DoesNotOpen
        );
    }
    for at in 0..cell.len() {
        let mut changed = cell.clone();
        changed[at] ^= 1;
        assert!(keys.open(&here, &changed).is_err(), "byte {at}");
        assert!(keys.open(&here, &cell[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn the_same_value_seals_to_other_bytes_each_time() {
    let keys = keys();
    let here = place(Table::Persons, "profile", &[9; 16], b"");
    assert_ne!(keys.seal(&here, b"secret"), keys.seal(&here, b"secret"));
}

#[test]
fn the_key_file_is_made_readable_by_its_owner_alone_and_refused_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    assert!(matches!(RootKey::read(&path), Err(KeyFileError::Lost(_))));
    RootKey::create(&path, &OsRandom::new()).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o400
    );
    RootKey::read(&path).unwrap();
    assert!(matches!(
        RootKey::create(&path, &OsRandom::new()),
        Err(KeyFileError::Io(..))
    ));
    for mode in [0o440, 0o404, 0o644, 0o420, 0o410] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(
            matches!(RootKey::read(&path), Err(KeyFileError::Readable { .. })),
            "{mode:o}"
        );
    }
}

#[test]
fn another_root_key_is_named_as_the_wrong_one_and_no_secret_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let random = OsRandom::new();
    let first = RootKey::create(&folder.path().join("a"), &random).unwrap();
    let second = RootKey::create(&folder.path().join("b"), &random).unwrap();
    let rows = Keys::draw(&first, &random);
    let error = Keys::unwrap_all(&second, &rows, Arc::new(OsRandom::new())).unwrap_err();
    assert!(matches!(error, CryptoError::WrongRoot { .. }));
    let text = std::fs::read_to_string(folder.path().join("a")).unwrap();
    let secret = text.trim().rsplit(':').next().unwrap().to_owned();
    assert!(!format!("{first:?}{error}").contains(&secret));
}

#[test]
fn malformed_key_files_are_refused() {
    for bad in [
        "",
        "tbk1",
        "tbk1:root:aes:zz:AAAA",
        "tbk1:data:aes:00000001:AAAA",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        std::fs::write(&path, bad).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert!(
            matches!(RootKey::read(&path), Err(KeyFileError::Malformed(_))),
            "{bad}"
        );
    }
}
