//! Every column that holds sealed cells: for sealing anew, and for counting by key.
use super::{Result, Tx, execute, row, rows, statements};
use crate::crypto::Table;

/// Cells of other keys than the one whose header is $2, after an id.
macro_rules! page {
    ($table:literal, $id:literal, $cell:literal, $number:literal, $other:literal) => {
        concat!(
            "select ",
            $id,
            " as id, ",
            $cell,
            " as cell, ",
            $number,
            " as number, ",
            $other,
            " as other from ",
            $table,
            " where ",
            $id,
            " > $1 and substr(",
            $cell,
            ", 2, 5) <> $2 order by ",
            $id,
            " limit $3"
        )
    };
}

/// Writes only over what was read.
macro_rules! put {
    ($table:literal, $id:literal, $cell:literal) => {
        concat!(
            "update ",
            $table,
            " set ",
            $cell,
            " = $3 where ",
            $id,
            " = $1 and ",
            $cell,
            " = $2"
        )
    };
}

macro_rules! count {
    ($table:literal, $cell:literal) => {
        concat!(
            "select substr(",
            $cell,
            ", 2, 5), count(*) from ",
            $table,
            " where ",
            $cell,
            " is not null group by 1"
        )
    };
}

statements! {
    PERSONS_PAGE = page!("persons", "id", "profile", "cast(0 as bigint)", "id");
    PERSONS_PUT = put!("persons", "id", "profile");
    PERSONS_COUNT = count!("persons", "profile");
    SNAPSHOTS_PAGE = page!("snapshots", "person_id", "items", "read_at", "person_id");
    SNAPSHOTS_PUT = put!("snapshots", "person_id", "items");
    SNAPSHOTS_COUNT = count!("snapshots", "items");
    VERIFICATIONS_PAGE = page!("verifications", "id_hash", "payload", "kind", "id_hash");
    VERIFICATIONS_PUT = put!("verifications", "id_hash", "payload");
    VERIFICATIONS_COUNT = count!("verifications", "payload");
    PENDING_PAGE = page!("pending_joins", "id_hash", "payload", "cast(0 as bigint)", "id_hash");
    PENDING_PUT = put!("pending_joins", "id_hash", "payload");
    PENDING_COUNT = count!("pending_joins", "payload");
    CODES_PAGE = page!("registers", "id", "code", "cast(0 as bigint)", "id");
    CODES_PUT = put!("registers", "id", "code");
    CODES_COUNT = count!("registers", "code");
    CONTACTS_PAGE = page!("registers", "id", "contact", "cast(0 as bigint)", "id");
    CONTACTS_PUT = put!("registers", "id", "contact");
    CONTACTS_COUNT = count!("registers", "contact");
    SMS_PAGE = page!("sms_messages", "id", "phone", "cast(0 as bigint)", "verification_hash");
    SMS_PUT = put!("sms_messages", "id", "phone");
    SMS_COUNT = count!("sms_messages", "phone");
    REPORTS_PAGE = page!("reports", "id", "reason", "cast(0 as bigint)", "id");
    REPORTS_PUT = put!("reports", "id", "reason");
    REPORTS_COUNT = count!("reports", "reason");
    JOBS_PAGE = page!("jobs", "id", "payload", "cast(0 as bigint)", "id");
    JOBS_PUT = put!("jobs", "id", "payload");
    JOBS_COUNT = count!("jobs", "payload");
    PASSKEYS_PAGE = page!("passkeys", "id", "credential", "cast(0 as bigint)", "person_id");
    PASSKEYS_PUT = put!("passkeys", "id", "credential");
    PASSKEYS_COUNT = count!("passkeys", "credential");
    /// An entry has two parts to its key, so it has statements of its own.
    ADDRESSES_PAGE = "select server as id, address as cell, number, server as other from audit_events \
        where address is not null and (server > $1 or (server = $1 and number > $2)) \
        and substr(address, 2, 5) <> $3 order by server, number limit $4";
    ADDRESSES_PUT = "update audit_events set address = $4 \
        where server = $1 and number = $2 and address = $3";
    ADDRESSES_COUNT = count!("audit_events", "address");
}

/// What is bound to a cell beside its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Nothing.
    Nothing,
    /// The row's number, as eight bytes.
    Number,
    /// The row's number, as one byte.
    Byte,
    /// Other bytes of the row, where it has them.
    Other,
}

/// A column of sealed cells.
#[derive(Debug)]
pub struct Column {
    /// The table.
    pub table: Table,
    /// The column.
    pub name: &'static str,
    /// What is bound.
    pub bound: Bound,
    page: &'static str,
    put: &'static str,
    count: &'static str,
}

/// All of them.
pub const COLUMNS: &[Column] = &[
    Column {
        table: Table::Persons,
        name: "profile",
        bound: Bound::Nothing,
        page: PERSONS_PAGE,
        put: PERSONS_PUT,
        count: PERSONS_COUNT,
    },
    Column {
        table: Table::Snapshots,
        name: "items",
        bound: Bound::Number,
        page: SNAPSHOTS_PAGE,
        put: SNAPSHOTS_PUT,
        count: SNAPSHOTS_COUNT,
    },
    Column {
        table: Table::Verifications,
        name: "payload",
        bound: Bound::Byte,
        page: VERIFICATIONS_PAGE,
        put: VERIFICATIONS_PUT,
        count: VERIFICATIONS_COUNT,
    },
    Column {
        table: Table::PendingJoins,
        name: "payload",
        bound: Bound::Nothing,
        page: PENDING_PAGE,
        put: PENDING_PUT,
        count: PENDING_COUNT,
    },
    Column {
        table: Table::Registers,
        name: "code",
        bound: Bound::Nothing,
        page: CODES_PAGE,
        put: CODES_PUT,
        count: CODES_COUNT,
    },
    Column {
        table: Table::Registers,
        name: "contact",
        bound: Bound::Nothing,
        page: CONTACTS_PAGE,
        put: CONTACTS_PUT,
        count: CONTACTS_COUNT,
    },
    Column {
        table: Table::Sms,
        name: "phone",
        bound: Bound::Other,
        page: SMS_PAGE,
        put: SMS_PUT,
        count: SMS_COUNT,
    },
    Column {
        table: Table::Reports,
        name: "reason",
        bound: Bound::Nothing,
        page: REPORTS_PAGE,
        put: REPORTS_PUT,
        count: REPORTS_COUNT,
    },
    Column {
        table: Table::Jobs,
        name: "payload",
        bound: Bound::Nothing,
        page: JOBS_PAGE,
        put: JOBS_PUT,
        count: JOBS_COUNT,
    },
    Column {
        table: Table::Passkeys,
        name: "credential",
        bound: Bound::Other,
        page: PASSKEYS_PAGE,
        put: PASSKEYS_PUT,
        count: PASSKEYS_COUNT,
    },
];

row! {
    /// A cell and what it is bound to.
    pub struct CellRow {
        /// The row's identifier.
        pub id: Vec<u8>,
        /// The cell.
        pub cell: Vec<u8>,
        /// A snapshot's time, a verification's kind.
        pub number: Option<i64>,
        /// The verification of an SMS, the person of a passkey.
        pub other: Option<Vec<u8>>,
    }
}

/// The next cells whose header is another.
pub async fn page(
    tx: &mut Tx,
    column: &Column,
    after: &[u8],
    header: &[u8],
    limit: i64,
) -> Result<Vec<CellRow>> {
    rows!(tx, fetch_all, CellRow, column.page, after, header, limit)
}

/// Puts a cell over the one that was read; whether that stood there still.
pub async fn put(tx: &mut Tx, column: &Column, id: &[u8], old: &[u8], new: &[u8]) -> Result<bool> {
    Ok(execute!(tx, column.put, id, old, new)? > 0)
}

/// The next sealed addresses of audit entries whose header is another, after a server's number.
pub async fn addresses(
    tx: &mut Tx,
    after: (&[u8], i64),
    header: &[u8],
    limit: i64,
) -> Result<Vec<CellRow>> {
    let (server, number) = after;
    rows!(
        tx,
        fetch_all,
        CellRow,
        ADDRESSES_PAGE,
        server,
        number,
        header,
        limit
    )
}

/// Puts an address over the one that was read; whether that stood there still.
pub async fn put_address(tx: &mut Tx, row: &CellRow, new: &[u8]) -> Result<bool> {
    let (server, old) = (row.id.as_slice(), row.cell.as_slice());
    Ok(execute!(tx, ADDRESSES_PUT, server, row.number, old, new)? > 0)
}

/// How many addresses begin with which header.
pub async fn count_addresses(tx: &mut Tx) -> Result<Vec<(Vec<u8>, i64)>> {
    rows!(tx, fetch_all, (Vec<u8>, i64), ADDRESSES_COUNT)
}

/// How many cells of a column begin with which header.
pub async fn count(tx: &mut Tx, column: &Column) -> Result<Vec<(Vec<u8>, i64)>> {
    rows!(tx, fetch_all, (Vec<u8>, i64), column.count)
}
