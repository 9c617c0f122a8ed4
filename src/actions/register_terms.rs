//! How a register's terms stand in its row: JSON, sealed cells, a hashed code.
use crate::{
    app::App,
    crypto::{Place, Table, random, token_hash},
    error::{Error, Result},
    model::{
        contact::Contact,
        id::Id,
        register::{AskedItem, Terms},
        requirement::Requirement,
    },
    store::{
        Tx,
        registers::{self, RegisterRow, RequirementsRow},
    },
};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

/// Random bytes of a registration code: 128 bits, 22 characters.
const CODE_BYTES: usize = 16;

/// A registration code that was just drawn, as it is shown and as it is stored.
pub(crate) struct NewCode {
    pub(crate) code: Zeroizing<String>,
    pub(crate) hash: [u8; 32],
    pub(crate) sealed: Vec<u8>,
}

fn place<'a>(column: &'static str, register: &'a [u8]) -> Place<'a> {
    Place {
        table: Table::Registers,
        column,
        row: register,
        bound: b"",
    }
}

/// Draws a code for a register.
pub(crate) fn draw_code(app: &App, register: Id) -> NewCode {
    let code = random::token(&*app.random, CODE_BYTES);
    NewCode {
        hash: token_hash(&code),
        sealed: app
            .keys
            .seal(&place("code", register.bytes()), code.as_bytes()),
        code,
    }
}

/// The registration code of a row, for showing it again.
pub(crate) fn code_of(app: &App, row: &RegisterRow) -> Result<Zeroizing<String>> {
    open_text(app, "code", row, &row.code)
}

/// The address that a code's QR holds.
pub(crate) fn join_url(app: &App, code: &str) -> String {
    format!("{}/j/{code}", app.public_url())
}

/// Seals a contact for its place.
pub(crate) fn seal_contact(app: &App, register: Id, contact: &Contact) -> Vec<u8> {
    app.keys.seal(
        &place("contact", register.bytes()),
        contact.as_str().as_bytes(),
    )
}

/// The contact that members see.
pub(crate) fn contact_of(app: &App, row: &RegisterRow) -> Result<Contact> {
    let text = open_text(app, "contact", row, &row.contact)?;
    Contact::parse(&text).map_err(|_| Error::unexpected("a stored contact is not well formed"))
}

fn open_text(
    app: &App,
    column: &'static str,
    row: &RegisterRow,
    sealed: &[u8],
) -> Result<Zeroizing<String>> {
    let plain = app.keys.open(&place(column, &row.id), sealed)?;
    let text = std::str::from_utf8(&plain)
        .map_err(|_| Error::unexpected("a sealed text of a register"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// JSON of what stands in a column of text.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::unexpected("JSON for a column"))
}

/// What stands as JSON in a column of text.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| Error::unexpected("JSON in a column of a register"))
}

/// The items that a register asks for.
pub(crate) fn items_of(row: &RegisterRow) -> Result<Vec<AskedItem>> {
    from_json(&row.items)
}

/// The departments that members choose from.
pub(crate) fn departments_of(row: &RegisterRow) -> Result<Vec<String>> {
    from_json(&row.departments)
}

/// The requirements in force among the versions of a register.
pub(crate) fn in_force(
    row: &RegisterRow,
    versions: &[RequirementsRow],
) -> Result<Vec<Requirement>> {
    versions
        .iter()
        .find(|version| version.version == row.requirements_version)
        .map_or_else(|| Ok(Vec::new()), |version| from_json(&version.body))
}

/// The terms of a row, as they were checked when they were stored.
pub(crate) async fn terms_of(app: &App, tx: &mut Tx, row: &RegisterRow) -> Result<Terms> {
    let versions = registers::requirements(tx, &row.id).await?;
    let ends_on = row
        .ends_on
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| Error::unexpected("a register's last day"))?;
    Ok(Terms {
        organisation: row.organisation.clone(),
        contact: contact_of(app, row)?,
        administrator_title: row.administrator_title.clone(),
        street_code: row.street_code.clone(),
        purpose: row.purpose.clone(),
        items: items_of(row)?,
        requirements: in_force(row, &versions)?,
        departments: departments_of(row)?,
        ends_on,
    })
}

/// Puts checked terms into a row.
pub(crate) fn put_terms(app: &App, row: &mut RegisterRow, id: Id, terms: &Terms) -> Result<()> {
    row.organisation.clone_from(&terms.organisation);
    row.contact = seal_contact(app, id, &terms.contact);
    row.administrator_title
        .clone_from(&terms.administrator_title);
    row.street_code.clone_from(&terms.street_code);
    row.purpose.clone_from(&terms.purpose);
    row.items = json(&terms.items)?;
    row.departments = json(&terms.departments)?;
    row.ends_on = terms.ends_on.map(|day| day.to_string());
    Ok(())
}
