//! Statements with `$1` parameters, run in place, and how their rows are read.
use rusqlite::{CachedStatement, Connection, Error, Result, Row, ToSql, types::FromSql};
use std::slice;

/// Most columns that a row is read from.
const MOST: usize = 32;

/// Something that a row is read into. Where its columns stand is found once a statement.
pub(crate) trait FromRow: Sized {
    /// Finds the columns.
    fn find(places: &mut Places<'_>) -> Result<()>;
    /// Takes the columns, in the order in which they were found.
    fn take(columns: &mut Columns<'_>) -> Result<Self>;
}

/// Where the columns of a statement stand.
pub(crate) struct Places<'a> {
    statement: &'a CachedStatement<'a>,
    count: usize,
    next: usize,
    found: [u8; MOST],
    len: usize,
}

impl<'a> Places<'a> {
    fn of<R: FromRow>(statement: &'a CachedStatement<'a>) -> Result<([u8; MOST], usize)> {
        let mut places = Self {
            statement,
            count: statement.column_count(),
            next: 0,
            found: [0; MOST],
            len: 0,
        };
        R::find(&mut places)?;
        Ok((places.found, places.len))
    }

    /// The column of a name.
    pub(crate) fn named(&mut self, name: &'static str) -> Result<()> {
        // Most rows are declared in the order of their columns: the next is the likeliest.
        for step in 0..self.count {
            let at = (self.next + step) % self.count;
            if self.statement.column_name(at)? == name {
                return self.put(at);
            }
        }
        Err(Error::InvalidColumnName(name.to_owned()))
    }

    /// The next column, whatever its name.
    pub(crate) fn next(&mut self) -> Result<()> {
        self.put(self.next)
    }

    fn put(&mut self, at: usize) -> Result<()> {
        let (Some(place), Ok(column)) = (self.found.get_mut(self.len), u8::try_from(at)) else {
            return Err(Error::InvalidColumnIndex(at));
        };
        *place = column;
        self.len += 1;
        self.next = at + 1;
        Ok(())
    }
}

/// A row's columns, one after the other.
pub(crate) struct Columns<'a> {
    row: &'a Row<'a>,
    places: slice::Iter<'a, u8>,
}

impl Columns<'_> {
    /// The value of the next.
    pub(crate) fn take<T: FromSql>(&mut self) -> Result<T> {
        let at = self.places.next().ok_or(Error::InvalidColumnIndex(MOST))?;
        self.row.get(usize::from(*at))
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: FromSql),+> FromRow for ($($name,)+) {
            fn find(places: &mut Places<'_>) -> Result<()> {
                $(let _: Option<$name> = None; places.next()?;)+
                Ok(())
            }

            fn take(columns: &mut Columns<'_>) -> Result<Self> {
                Ok(($(columns.take::<$name>()?,)+))
            }
        }
    )*};
}
tuples! { A; A B; A B C; A B C D; }

/// The statement with its arguments. SQLite takes `$3` for a name, whose place is that of its first
/// use: the argument of each is found by its number.
fn bound<'c>(
    connection: &'c Connection,
    text: &str,
    arguments: &[&dyn ToSql],
) -> Result<CachedStatement<'c>> {
    let mut statement = connection.prepare_cached(text)?;
    for at in 1..=statement.parameter_count() {
        let number: Option<usize> = statement
            .parameter_name(at)
            .and_then(|name| name.get(1..)?.parse().ok());
        let argument = number
            .and_then(|number| arguments.get(number.checked_sub(1)?))
            .ok_or(Error::InvalidParameterCount(at, arguments.len()))?;
        statement.raw_bind_parameter(at, argument)?;
    }
    Ok(statement)
}

/// Runs a statement that answers nothing; how many rows it touched.
pub(crate) fn execute(
    connection: &Connection,
    text: &str,
    arguments: &[&dyn ToSql],
) -> Result<u64> {
    let touched = bound(connection, text, arguments)?.raw_execute()?;
    Ok(u64::try_from(touched).unwrap_or(u64::MAX))
}

/// The first row, if there is one.
pub(crate) fn fetch_optional<R: FromRow>(
    connection: &Connection,
    text: &str,
    arguments: &[&dyn ToSql],
) -> Result<Option<R>> {
    let mut statement = bound(connection, text, arguments)?;
    let (found, len) = Places::of::<R>(&statement)?;
    let mut rows = statement.raw_query();
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let places = found[..len].iter();
    R::take(&mut Columns { row, places }).map(Some)
}

/// The row that must be there.
pub(crate) fn fetch_one<R: FromRow>(
    connection: &Connection,
    text: &str,
    arguments: &[&dyn ToSql],
) -> Result<R> {
    fetch_optional(connection, text, arguments)?.ok_or(Error::QueryReturnedNoRows)
}

/// Every row.
pub(crate) fn fetch_all<R: FromRow>(
    connection: &Connection,
    text: &str,
    arguments: &[&dyn ToSql],
) -> Result<Vec<R>> {
    let mut statement = bound(connection, text, arguments)?;
    let (found, len) = Places::of::<R>(&statement)?;
    let mut rows = statement.raw_query();
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let places = found[..len].iter();
        all.push(R::take(&mut Columns { row, places })?);
    }
    Ok(all)
}
