use super::*;
use proptest::prelude::*;
use random::OsRandom;
use std::os::unix::fs::PermissionsExt;

fn root() -> RootKey {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    RootKey::create(&path, Suite::Aes, &OsRandom::new()).unwrap()
}

fn keys_of(suite: Suite) -> (RootKey, Vec<WrappedKey>, Keys) {
    let root = root();
    let rows = Keys::draw(&root, suite, &OsRandom::new());
    let keys = Keys::unwrap_all(&root, &rows, Arc::new(OsRandom::new())).unwrap();
    (root, rows, keys)
}

fn keys() -> Keys {
    keys_of(Suite::Aes).2
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
    for suite in [Suite::Aes, Suite::Sm] {
        opens_here_alone(&keys_of(suite).2);
    }
}

fn opens_here_alone(keys: &Keys) {
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
    RootKey::create(&path, Suite::Aes, &OsRandom::new()).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o400
    );
    RootKey::read(&path).unwrap();
    assert!(matches!(
        RootKey::create(&path, Suite::Aes, &OsRandom::new()),
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
    let first = RootKey::create(&folder.path().join("a"), Suite::Aes, &random).unwrap();
    let second = RootKey::create(&folder.path().join("b"), Suite::Sm, &random).unwrap();
    let rows = Keys::draw(&first, Suite::Aes, &random);
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

/// A new key of a purpose in the place of the active one.
fn rotate(root: &RootKey, rows: &mut Vec<WrappedKey>, purpose: Purpose, suite: Suite) {
    let id = u32::try_from(rows.len()).unwrap() + 1;
    for row in rows.iter_mut() {
        if row.purpose == purpose && row.state == State::Active {
            row.state = State::Old;
        }
    }
    let random = OsRandom::new();
    rows.push(draw(root, id, purpose, suite, State::Active, &random));
}

#[test]
fn cells_of_old_keys_and_of_both_suites_open_side_by_side_until_a_key_is_destroyed() {
    let (root, mut rows, keys) = keys_of(Suite::Aes);
    let here = place(Table::Persons, "profile", &[9; 16], b"");
    let first = keys.seal(&here, b"first");
    let version = keys.version();
    rotate(&root, &mut rows, Purpose::Data, Suite::Sm);
    keys.reload(&root, &rows).unwrap();
    assert!(keys.version() > version);
    let second = keys.seal(&here, b"second");
    assert_eq!((first[1], second[1]), (1, 2), "each says its suite");
    assert_eq!(second[1..6], keys.header(Table::Persons));
    assert_eq!(keys.open(&here, &first).unwrap().as_slice(), b"first");
    assert_eq!(keys.open(&here, &second).unwrap().as_slice(), b"second");
    let anew = keys.reseal(&here, &first).unwrap();
    assert_eq!(anew[1..6], second[1..6]);
    assert_eq!(keys.open(&here, &anew).unwrap().as_slice(), b"first");
    for row in &mut rows {
        if row.state == State::Old {
            row.state = State::Destroyed;
            row.wrapped.clear();
        }
    }
    keys.reload(&root, &rows).unwrap();
    assert!(keys.open(&here, &first).is_err());
    assert!(keys.open(&here, &anew).is_ok());
}

#[test]
fn a_pending_key_opens_and_does_not_seal() {
    let (root, mut rows, one) = keys_of(Suite::Aes);
    let random = OsRandom::new();
    let id = 1 + Purpose::ALL.len() as u32;
    let new = draw(
        &root,
        id,
        Purpose::Data,
        Suite::Aes,
        State::Pending,
        &random,
    );
    rows.push(new);
    one.reload(&root, &rows).unwrap();
    let here = place(Table::Persons, "profile", &[9; 16], b"");
    assert_eq!(one.seal(&here, b"x")[2..6], [0, 0, 0, 1]);
    // Another program sees it active a moment earlier.
    let last = rows.len() - 1;
    (rows[0].state, rows[last].state) = (State::Old, State::Active);
    let other = Keys::unwrap_all(&root, &rows, Arc::new(OsRandom::new())).unwrap();
    let sealed = other.seal(&here, b"x");
    assert_eq!(sealed[2..6], id.to_be_bytes());
    assert!(one.open(&here, &sealed).is_ok());
}

#[test]
fn a_code_that_went_out_before_a_rotation_is_right_after_it() {
    let (root, mut rows, keys) = keys_of(Suite::Aes);
    let mac = keys.code_mac(b"verification", b"salt", "123456");
    rotate(&root, &mut rows, Purpose::Code, Suite::Sm);
    keys.reload(&root, &rows).unwrap();
    assert_ne!(keys.code_mac(b"verification", b"salt", "123456"), mac);
    assert!(keys.is_code(b"verification", b"salt", "123456", &mac));
    assert!(!keys.is_code(b"verification", b"salt", "123457", &mac));
    assert!(!keys.is_code(b"another", b"salt", "123456", &mac));
}

#[test]
fn what_is_wrong_with_the_keys_is_said_in_words_of_its_own() {
    let (root, rows, _) = keys_of(Suite::Aes);
    let random: Arc<dyn Random> = Arc::new(OsRandom::new());
    let refused = |rows: &[WrappedKey]| Keys::unwrap_all(&root, rows, random.clone()).unwrap_err();
    for gone in 0..rows.len() {
        let mut rows = rows.clone();
        let purpose = rows.remove(gone).purpose;
        assert_eq!(refused(&rows), CryptoError::Missing(purpose.as_str()));
    }
    let mut swapped = rows.clone();
    (swapped[0].wrapped, swapped[1].wrapped) = (rows[1].wrapped.clone(), rows[0].wrapped.clone());
    assert_eq!(refused(&swapped), CryptoError::Changed(1));
    let mut relabelled = rows.clone();
    relabelled[3].suite = Suite::Sm;
    assert_eq!(refused(&relabelled), CryptoError::Changed(4));
    let mut short = rows.clone();
    short[2].wrapped.truncate(5);
    assert_eq!(refused(&short), CryptoError::Changed(3));
}

#[test]
fn another_root_key_wraps_the_same_keys() {
    let (old, mut rows, keys) = keys_of(Suite::Aes);
    let here = place(Table::Persons, "profile", &[9; 16], b"");
    let sealed = keys.seal(&here, b"x");
    let folder = tempfile::tempdir().unwrap();
    let random = OsRandom::new();
    let new = RootKey::create(&folder.path().join("new"), Suite::Sm, &random).unwrap();
    for row in &mut rows {
        row.wrapped = rewrap(&old, &new, row, &random).unwrap();
    }
    let again = Keys::unwrap_all(&new, &rows, Arc::new(OsRandom::new())).unwrap();
    assert!(again.open(&here, &sealed).is_ok());
    let error = Keys::unwrap_all(&old, &rows, Arc::new(OsRandom::new())).unwrap_err();
    assert!(matches!(error, CryptoError::WrongRoot { .. }));
}

proptest! {
    #[test]
    fn what_is_sealed_opens_to_itself_and_any_change_is_refused(
        plain in proptest::collection::vec(any::<u8>(), 0..200),
        row in proptest::collection::vec(any::<u8>(), 0..40),
        bound in proptest::collection::vec(any::<u8>(), 0..40),
        sm in any::<bool>(),
        at in any::<proptest::sample::Index>(),
        bit in 0..8_u32,
        cut in any::<proptest::sample::Index>(),
    ) {
        let keys = keys_of(if sm { Suite::Sm } else { Suite::Aes }).2;
        let here = place(Table::Snapshots, "items", &row, &bound);
        let cell = keys.seal(&here, &plain);
        prop_assert_eq!(keys.open(&here, &cell).unwrap().to_vec(), plain);
        let mut changed = cell.clone();
        changed[at.index(cell.len())] ^= 1 << bit;
        prop_assert!(keys.open(&here, &changed).is_err());
        prop_assert!(keys.open(&here, &cell[..cut.index(cell.len())]).is_err());
        // The boundary between row and bound data counts.
        let all = [row.as_slice(), &bound].concat();
        if !row.is_empty() {
            let moved = place(Table::Snapshots, "items", &all[..row.len() - 1], &all[row.len() - 1..]);
            prop_assert!(keys.open(&moved, &cell).is_err());
        }
    }
}
