//! The QR of a register's 登记码.
use super::{
    Actor, register_of,
    register_terms::{code_of, join_url},
};
use crate::{
    app::App,
    error::{Error, Result},
    model::id::Id,
    qr::Qr,
};

/// Which image is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// Scalable, for print.
    Svg,
    /// One bit a pixel.
    Png,
}

/// An image as it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeImage {
    /// `image/svg+xml; charset=utf-8` or `image/png`.
    pub content_type: &'static str,
    /// The image.
    pub bytes: Vec<u8>,
}

/// The QR of the address that leads to a register's preview, for any of its administrators.
///
/// # Errors
/// [`Error::NotSignedIn`]; [`Error::NotFound`] as for the register itself.
pub async fn code_image(
    app: &App,
    actor: &Actor,
    id: Id,
    format: ImageFormat,
) -> Result<CodeImage> {
    let session = actor.fully_signed_in()?;
    let mut tx = app.store.read().await?;
    let (row, _) = register_of(app, &mut tx, session, id).await?;
    drop(tx);
    draw(&join_url(app, &code_of(app, &row)?), format)
}

/// The QR of any text.
///
/// # Errors
/// [`Error::Internal`] where the text is too long for a QR code.
pub fn draw(text: &str, format: ImageFormat) -> Result<CodeImage> {
    let failed = |error: crate::qr::QrError| Error::unexpected(&error.to_string());
    let qr = Qr::of(text).map_err(failed)?;
    Ok(match format {
        ImageFormat::Svg => CodeImage {
            content_type: "image/svg+xml; charset=utf-8",
            bytes: qr.svg().into_bytes(),
        },
        ImageFormat::Png => CodeImage {
            content_type: "image/png",
            bytes: qr.png().map_err(failed)?,
        },
    })
}
