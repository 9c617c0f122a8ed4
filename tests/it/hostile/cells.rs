//! Cells: of sheets, which a spreadsheet program opens, and of the database, which are sealed.
use super::text_of;
use calamine::{Data, Reader, Xlsx};
use std::{
    io::Cursor,
    sync::{Arc, OnceLock},
};
use tuantibu::{
    crypto::{Keys, Place, RootKey, Suite, Table, random::OsRandom},
    sheet::Sheet,
};

/// Nothing is taken in as XLSX: it is only written. So what is written is read by another's library.
pub(super) fn sheet(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let cells: Vec<String> = text.split('\u{1E}').map(str::to_owned).collect();
    if cells.len() > 200 || cells.iter().any(|cell| cell.chars().count() > 30_000) {
        return;
    }
    let sheet = Sheet {
        stamp: vec![(cells[0].clone(), cells[cells.len() - 1].clone())],
        header: cells[..1].to_vec(),
        rows: cells.iter().map(|cell| vec![cell.clone()]).collect(),
    };
    let file = sheet.write_csv().unwrap();
    let lines = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(&file["\u{feff}".len()..])
        .into_records()
        .map(|record| record.unwrap())
        .collect::<Vec<_>>();
    assert_eq!(lines.len(), cells.len() + 3);
    for field in lines.iter().flatten() {
        let dangerous = [
            '=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠',
        ];
        assert!(!field.starts_with(dangerous), "{field:?}");
    }
    for (cell, line) in cells.iter().zip(&lines[3..]) {
        let kept = &line[0] == cell || line[0].strip_prefix('\'') == Some(cell);
        assert!(kept, "{cell:?} became {:?}", &line[0]);
    }
    let file = sheet.write_xlsx().unwrap();
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file)).unwrap();
    let name = book.sheet_names()[0].clone();
    assert!(book.worksheet_formula(&name).unwrap().is_empty());
    let range = book.worksheet_range(&name).unwrap();
    for cell in range.cells().map(|(_, _, cell)| cell) {
        assert!(matches!(cell, Data::String(_) | Data::Empty), "{cell:?}");
    }
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let random = || Arc::new(OsRandom::new());
        let root =
            RootKey::create(&folder.path().join("root.key"), Suite::Aes, &*random()).unwrap();
        let rows = Keys::draw(&root, Suite::Aes, &*random());
        Keys::unwrap_all(&root, &rows, random()).unwrap()
    })
}

/// A cell opens in its place, and neither changed nor made up.
pub(super) fn sealed(data: &[u8]) {
    let keys = keys();
    let here = Place {
        table: Table::Persons,
        column: "profile",
        row: &[7; 16],
        bound: b"",
    };
    assert!(keys.open(&here, data).is_err(), "nobody sealed that");
    let cell = keys.seal(&here, data);
    assert!(
        keys.open(&here, &cell)
            .is_ok_and(|plain| plain.as_slice() == data)
    );
    // The input says which bit, and how much is cut.
    let seed = data.iter().fold(data.len(), |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
    });
    let mut changed = cell.clone();
    let at = seed % changed.len();
    changed[at] ^= 1 << (seed / 7 % 8);
    assert!(keys.open(&here, &changed).is_err(), "byte {at}");
    assert!(keys.open(&here, &cell[..at]).is_err(), "cut at {at}");
    let longer = [cell.as_slice(), &[0]].concat();
    assert!(keys.open(&here, &longer).is_err());
    let elsewhere = Place {
        row: &[8; 16],
        ..here
    };
    assert!(keys.open(&elsewhere, &cell).is_err());
}
