//! What an event tells of somebody's look at members: which fields, of which departments, what for.
use super::{Role, export_register::ExportFormat};
use serde::{Deserialize, Serialize};

/// The fields of a row beside its items.
const ROW: [&str; 5] = [
    "name",
    "document_masked",
    "phone_masked",
    "department",
    "verdict",
];

/// The detail of such an event.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Look {
    /// What could be seen: fields of a row, and items. Events of version 1 do not say.
    pub(crate) fields: Vec<String>,
    /// The departments whose members could be seen; all where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) departments: Option<Vec<String>>,
    /// What an export was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<String>,
    /// An export's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<ExportFormat>,
}

impl Look {
    /// At whole rows with these items, by somebody in a role.
    pub(crate) fn at_rows<'a>(items: impl Iterator<Item = &'a str>, role: &Role) -> Self {
        Self {
            fields: ROW.into_iter().chain(items).map(str::to_owned).collect(),
            departments: role.departments.clone(),
            ..Self::default()
        }
    }

    /// At one field alone.
    pub(crate) fn at(field: &str) -> Self {
        Self {
            fields: vec![field.to_owned()],
            ..Self::default()
        }
    }

    /// Whether a field is an item, and none of those that every row has.
    pub(crate) fn is_item(field: &str) -> bool {
        field != "phone" && !ROW.contains(&field)
    }
}
