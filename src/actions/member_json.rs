//! The JSON of a page of members, written by hand on the hottest path: everything but the profile is
//! made once for each row that is shown and kept in the view, which never holds a name, document or
//! phone in clear.
use super::{
    member_output::{Member, member},
    profile::Profile,
};
use crate::{
    app::App,
    model::view::{Entry, View},
};
use serde::Serialize;

/// Bytes of a row, roughly.
const ROW: usize = 640;

/// What [`super::view_register::MembersPage`] reads as JSON.
pub(super) fn page<'a>(
    app: &App,
    view: &View,
    rows: impl Iterator<Item = (&'a Entry, Profile)>,
    next: Option<&str>,
    total: usize,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(ROW * (rows.size_hint().1.unwrap_or(0) + 1));
    out.extend_from_slice(b"{\"members\":[");
    for (at, (entry, profile)) in rows.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let fields = entry.json.get_or_init(|| fields(app, view, entry));
        let texts = [
            ("{\"id\":", entry.id.to_string()),
            (",\"name\":", profile.name().to_owned()),
            (",\"document_masked\":", profile.document_masked()),
            (",\"phone_masked\":", profile.phone_masked()),
        ];
        for (key, value) in &texts {
            out.extend_from_slice(key.as_bytes());
            json(&mut out, value);
        }
        out.extend_from_slice(fields.as_bytes());
    }
    out.extend_from_slice(b"],\"next\":");
    json(&mut out, &next);
    out.extend_from_slice(b",\"total\":");
    json(&mut out, &total);
    out.push(b'}');
    out
}

/// The fields of a row that follow the profile's, with the comma before and the bracket behind.
fn fields(app: &App, view: &View, entry: &Entry) -> Box<str> {
    let nobody = Member {
        id: String::new(),
        ..member(app, view, entry, &Profile::nobody())
    };
    let mut whole = Vec::with_capacity(ROW);
    json(&mut whole, &nobody);
    let text = String::from_utf8(whole).unwrap_or_default();
    let before = r#"{"id":"","name":"","document_masked":"","phone_masked":"""#;
    text.strip_prefix(before).unwrap_or(&text).into()
}

fn json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // cannot fail: texts, numbers and structs of these, written to memory.
    let _ = serde_json::to_writer(out, value);
}
