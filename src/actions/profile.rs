//! Typed identities, and the sealed profile of a person.
use crate::{
    app::App,
    crypto::{Place, Table},
    error::{Error, FieldError, Result},
    model::{
        document::{Document, DocumentError, DocumentType},
        id::Id,
        mask::mask_document,
        name::{Name, NameError},
        phone::{Phone, PhoneError},
    },
    source::Identity,
    store::{Tx, hex_list, persons, refresh, snapshots},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Name, document and phone as somebody typed them.
#[derive(Clone, Default, Deserialize)]
pub struct TypedIdentity {
    /// The name.
    pub name: String,
    /// The type of document, as in API.md.
    pub document_type: String,
    /// Its number.
    pub document_number: String,
    /// The phone.
    pub phone: String,
}

/// What a person's profile holds, sealed.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    n: String,
    t: DocumentType,
    d: String,
    p: String,
}

impl TypedIdentity {
    /// Checks what was typed.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every field that is wrong.
    pub(crate) fn check(&self, app: &App) -> Result<Identity> {
        let mut errors = Vec::new();
        let name = Name::parse(&self.name)
            .map_err(|error| errors.push(name_error(error)))
            .ok();
        let kind = self.document_type.parse::<DocumentType>().ok();
        if kind.is_none() {
            let code = if self.document_type.is_empty() {
                "required"
            } else {
                "unknown_type"
            };
            errors.push(FieldError::new("document_type", code));
            // Without a type the number cannot be checked, but that it is missing is plain.
            if self.document_number.trim().is_empty() {
                errors.push(FieldError::new("document_number", "required"));
            }
        }
        let document = kind.and_then(|kind| {
            Document::parse(kind, &self.document_number, app.today())
                .map_err(|error| errors.push(document_error(error)))
                .ok()
        });
        let phone = Phone::parse(&self.phone, &app.regions)
            .map_err(|error| errors.push(phone_error(error)))
            .ok();
        match (name, document, phone) {
            (Some(name), Some(document), Some(phone)) => Ok(Identity {
                name,
                document,
                phone,
            }),
            _ => Err(Error::Invalid(errors)),
        }
    }
}

fn name_error(error: NameError) -> FieldError {
    let field = FieldError::new(
        "name",
        if matches!(error, NameError::Empty) {
            "required"
        } else {
            error.code()
        },
    );
    match error {
        NameError::TooLong { max } => field.with("max", i64::try_from(max).unwrap_or(i64::MAX)),
        NameError::HiddenCharacters { position } => {
            field.with("position", i64::try_from(position).unwrap_or(i64::MAX))
        }
        NameError::Empty => field,
    }
}

fn document_error(error: DocumentError) -> FieldError {
    let code = if matches!(error, DocumentError::Empty) {
        "required"
    } else {
        error.code()
    };
    let field = FieldError::new("document_number", code);
    match error {
        DocumentError::Length { expected, actual } => field
            .with("expected", i64::from(expected))
            .with("actual", i64::try_from(actual).unwrap_or(i64::MAX)),
        _ => field,
    }
}

fn phone_error(error: PhoneError) -> FieldError {
    FieldError::new(
        "phone",
        if matches!(error, PhoneError::Empty) {
            "required"
        } else {
            error.code()
        },
    )
}

impl Profile {
    pub(crate) fn of(identity: &Identity) -> Self {
        Self {
            n: identity.name.as_str().to_owned(),
            t: identity.document.kind(),
            d: identity.document.number().to_owned(),
            p: identity.phone.e164().to_owned(),
        }
    }

    /// A profile that shows nothing.
    pub(crate) fn nobody() -> Self {
        Self {
            n: String::new(),
            t: DocumentType::Passport,
            d: String::new(),
            p: String::new(),
        }
    }

    /// The identity that was checked when it was stored.
    pub(crate) fn identity(&self, app: &App) -> Result<Identity> {
        let bad = || Error::unexpected("a stored profile is not well formed");
        Ok(Identity {
            name: Name::stored(&self.n),
            document: Document::parse(self.t, &self.d, app.today()).map_err(|_| bad())?,
            phone: Phone::stored(&self.p).ok_or_else(bad)?,
        })
    }

    pub(crate) fn seal(&self, app: &App, person: Id) -> Result<Vec<u8>> {
        let plain = Zeroizing::new(
            serde_json::to_vec(self).map_err(|_| Error::unexpected("a profile's JSON"))?,
        );
        Ok(app.keys.seal(&place(person.bytes()), &plain))
    }

    pub(crate) fn open(app: &App, person: Id, sealed: &[u8]) -> Result<Self> {
        let plain = app.keys.open(&place(person.bytes()), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| Error::unexpected("a profile's JSON"))
    }

    /// The document's number, as it is shown.
    pub(crate) fn document_masked(&self) -> String {
        mask_document(&self.d)
    }

    /// The phone, as it is shown.
    pub(crate) fn phone_masked(&self) -> String {
        Phone::stored(&self.p).map_or_else(String::new, |phone| phone.masked())
    }

    /// The name, as it is shown.
    pub(crate) fn name(&self) -> &str {
        &self.n
    }
}

fn place(person: &[u8]) -> Place<'_> {
    Place {
        table: Table::Persons,
        column: "profile",
        row: person,
        bound: b"",
    }
}

/// The identity of a person, where there is (still) one.
pub(crate) async fn of_person(app: &App, tx: &mut Tx, person: Id) -> Result<Option<Identity>> {
    let Some(row) = persons::by_id(tx, person.bytes()).await? else {
        return Ok(None);
    };
    Profile::open(app, person, &row.profile)?
        .identity(app)
        .map(Some)
}

/// A person in the database.
#[derive(Clone, Copy)]
pub struct Put {
    /// Who.
    pub id: Id,
    /// Not there before: no session, no authorization, no snapshot is theirs yet.
    pub(crate) is_new: bool,
}

impl Put {
    /// Somebody who was there before.
    pub(crate) fn known(id: Id) -> Self {
        Self { id, is_new: false }
    }
}

/// Adds the person with this identity, or brings the profile that is there up to date.
///
/// # Errors
/// When the database fails.
pub async fn put_person(app: &App, tx: &mut Tx, identity: &Identity) -> Result<Put> {
    let profile = Profile::of(identity);
    let new = crate::crypto::random::id(&*app.random);
    let phone_hash = app.keys.phone_hash(&identity.phone);
    let mut known = None;
    if app.keys.documents_have_two_hashes() {
        // A unique column sees only its own hash: meanwhile one at a time looks for both.
        refresh::lock(tx).await?;
        known = persons::by_document(tx, &app.keys.document_hashes(&identity.document)).await?;
    }
    let row = match known {
        Some(row) => row,
        None => {
            let document_hash = app.keys.document_hash(&identity.document);
            let sealed = profile.seal(app, new)?;
            let (id, now) = (new.bytes(), app.now());
            persons::upsert(tx, id, &document_hash, &phone_hash, &sealed, now).await?
        }
    };
    let id = super::id_of(&row.id)?;
    if id != new && Profile::open(app, id, &row.profile)? != profile {
        let sealed = profile.seal(app, id)?;
        persons::update_profile(tx, id.bytes(), &phone_hash, &sealed, app.now()).await?;
        // Lists show the phone and the name.
        snapshots::bump_registers(tx, &hex_list([id.bytes()])).await?;
    }
    Ok(Put {
        id,
        is_new: id == new,
    })
}
