//! A register's list as a file, behind a fresh code and a stated purpose.
use super::{
    Actor, Role,
    audit::{self, Event},
    confirm_action, export_sheet,
    limits::{self, Limit, Window},
    looks::Look,
    profile, register_of,
    register_terms::{items_of, json},
    view_register::all_members,
};
use crate::{
    app::App,
    error::{Error, Result},
    model::{
        id::Id,
        register::{PURPOSE, line},
    },
    sheet::Sheet,
    store::registers::RegisterRow,
};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

/// Seconds to wait while others export.
const BUSY: i64 = 5;

/// Which file is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// UTF-8 with a byte order mark.
    Csv,
    /// A workbook of text.
    Xlsx,
}

/// What an export is asked for with.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// The file.
    pub format: ExportFormat,
    /// What it is for, up to 200 characters: it stands in the file, in the log, and where members
    /// see who looked.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    pub purpose: String,
    /// The token of a confirmation for `export` and this register.
    #[serde(default)]
    #[schema(required, min_length = 1)]
    pub confirmation_token: String,
}

/// An export that was allowed and logged; the file is yet to be written.
pub struct Export {
    /// The file wanted.
    pub format: ExportFormat,
    /// What it is for, checked.
    pub purpose: String,
    /// The register.
    pub register: RegisterRow,
    /// What the actor is in it: its departments bound the rows.
    pub role: Role,
    /// Whose name stands in the file.
    pub person: Id,
    /// When it was allowed.
    pub at: i64,
    name: String,
    _turn: OwnedSemaphorePermit,
}

/// A file as it is sent.
pub struct ExportFile {
    /// A name of ours, of ASCII letters and digits.
    pub name: String,
    /// The type of its content.
    pub content_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Checks that the actor may export and why, uses the confirmation up and logs the export. The
/// turn that it takes among the server's exports ends when the answer is dropped.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::NotFound`]; [`Error::Invalid`] for the purpose;
/// [`Error::ConfirmationRequired`]; [`Error::TooManyAttempts`] beyond the exports of a day;
/// [`Error::Busy`] while the server makes as many as it may, which uses no confirmation up.
pub async fn begin_export(
    app: &App,
    actor: &Actor,
    id: Id,
    request: &ExportRequest,
) -> Result<Export> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.write().await?;
    let (register, role) = register_of(app, &mut tx, session, id).await?;
    let mut errors = Vec::new();
    let purpose =
        line("purpose", &request.purpose, PURPOSE, &mut errors).ok_or(Error::Invalid(errors))?;
    let turn = app
        .exports
        .clone()
        .try_acquire_owned()
        .map_err(|_| Error::Busy { retry_after: BUSY })?;
    confirm_action::take(
        app,
        &mut tx,
        actor,
        &request.confirmation_token,
        "export",
        Some(id),
    )
    .await?;
    let limit = Limit {
        kind: "export",
        of: &[session.person.bytes()],
        window: Window::Day,
        most: app.config.limits.exports_day,
    };
    limits::take(app, &mut tx, limit).await?;
    let items = items_of(&register)?;
    let detail = Look {
        purpose: Some(purpose.clone()),
        format: Some(request.format),
        ..Look::at_rows(items.iter().map(|asked| asked.item.as_str()), &role)
    };
    let detail = json(&detail)?;
    let event = Event {
        actor: Some(session.person),
        from: Some(actor),
        action: "exported",
        register: Some(id),
        detail: Some(&detail),
        ..Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(Export {
        format: request.format,
        purpose,
        register,
        role,
        person: session.person,
        at: app.now(),
        name: format!("tuantibu-{}", app.today()),
        _turn: turn,
    })
}

impl Export {
    /// Writes the file, on a thread where it keeps nobody waiting.
    ///
    /// # Errors
    /// [`Error::Internal`] where the writer refuses.
    pub async fn write(self, sheet: Sheet) -> Result<ExportFile> {
        let format = self.format;
        let written = tokio::task::spawn_blocking(move || match format {
            ExportFormat::Csv => sheet.write_csv(),
            ExportFormat::Xlsx => sheet.write_xlsx(),
        })
        .await
        .map_err(|_| Error::unexpected("the writer of a sheet stopped"))?;
        let bytes = written.map_err(|error| Error::unexpected(&error.to_string()))?;
        let (ending, content_type) = match format {
            ExportFormat::Csv => ("csv", "text/csv; charset=utf-8"),
            ExportFormat::Xlsx => (
                "xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ),
        };
        Ok(ExportFile {
            name: format!("{}.{ending}", self.name),
            content_type,
            bytes,
        })
    }
}

/// Makes the file of a register's list: the same rows, masks and values.
///
/// # Errors
/// As [`begin_export`].
pub async fn export_register(
    app: &App,
    actor: &Actor,
    id: Id,
    request: &ExportRequest,
) -> Result<ExportFile> {
    let export = begin_export(app, actor, id, request).await?;
    let mut tx = app.store.read().await?;
    let who = profile::of_person(app, &mut tx, export.person)
        .await?
        .ok_or(Error::NotSignedIn)?;
    let (view, members) = all_members(app, &mut tx, &export.register, &export.role).await?;
    drop(tx);
    let sheet = export_sheet::sheet(app, actor.lang, &export, who.name.as_str(), &view, &members);
    export.write(sheet).await
}
