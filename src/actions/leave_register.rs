//! Stand-in for what ends an authorization, until the action that members leave by is here.
use crate::{
    app::App,
    error::Result,
    store::{
        Tx,
        authorizations::{self, AuthorizationRow},
        persons, registers, snapshots,
    },
};

/// What ended with an authorization.
pub(crate) struct Erased;

/// Ends an authorization and erases what nothing else needs of its member and guardian.
pub(crate) async fn end_authorization(
    app: &App,
    tx: &mut Tx,
    row: &AuthorizationRow,
) -> Result<Erased> {
    let _ = app;
    if authorizations::delete(tx, &row.id).await? {
        registers::drop_member(tx, &row.register_id).await?;
        snapshots::erase(tx, &row.person_id).await?;
        persons::erase_unneeded(tx, &row.person_id, 0).await?;
        if let Some(guardian) = &row.guardian_id {
            persons::erase_unneeded(tx, guardian, 0).await?;
        }
    }
    Ok(Erased)
}
