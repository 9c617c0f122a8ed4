//! The rows of an export: what the list shows, in the reader's words.
use super::{
    export_register::Export,
    member_output::{ItemOutput, Member},
};
use crate::{
    app::App,
    clock,
    model::{
        catalogue::Item,
        health::{Kind, TestResult},
        requirement::Verdict,
        view::View,
    },
    sheet::Sheet,
    texts::Lang,
};

/// Makes the sheet. `who` exports; the stamp says who, when and why.
pub(crate) fn sheet(
    app: &App,
    lang: Lang,
    export: &Export,
    who: &str,
    view: &View,
    members: &[Member],
) -> Sheet {
    let word = |key: &str| app.texts.get(lang, key, &[]);
    let stamp = vec![
        (
            word("export-organisation"),
            export.register.organisation.clone(),
        ),
        (word("export-who"), who.to_owned()),
        (word("export-when"), clock::rfc3339(export.at, &app.zone)),
        (word("export-why"), export.purpose.clone()),
        (word("export-members"), members.len().to_string()),
    ];
    let items: Vec<&Item> = view
        .items
        .iter()
        .filter_map(|(item, _)| app.catalogue.get(item))
        .collect();
    let mut header: Vec<String> = [
        "name",
        "department",
        "document",
        "phone",
        "verdict",
        "failing",
    ]
    .iter()
    .map(|column| word(&format!("export-{column}")))
    .collect();
    for item in &items {
        let name = item.name_in(app.texts.tag(lang));
        header.push(name.to_owned());
        if item.kind == Kind::Test {
            header.push(format!("{name} {}", word("export-days")));
            header.push(format!("{name} {}", word("export-sampled")));
        }
        if item.kind == Kind::Immunization {
            header.push(format!("{name} {}", word("export-doses")));
        }
    }
    header.push(word("export-data-time"));
    header.push(word("export-joined"));
    let rows = members
        .iter()
        .map(|member| row(app, lang, &items, member))
        .collect();
    Sheet {
        stamp,
        header,
        rows,
    }
}

fn row(app: &App, lang: Lang, items: &[&Item], member: &Member) -> Vec<String> {
    let tag = app.texts.tag(lang);
    let verdict = match (member.verdict, member.expires_tomorrow) {
        (Verdict::Meets, Some(true)) => "export-tomorrow",
        (Verdict::Meets, _) => "export-meets",
        (Verdict::Fails, _) => "export-fails",
        (Verdict::Unknown, _) => "export-unknown",
    };
    let failing: Vec<&str> = member
        .failing
        .iter()
        .filter_map(|item| Some(app.catalogue.get(item)?.name_in(tag)))
        .collect();
    let mut row = vec![
        member.name.clone(),
        member.department.clone().unwrap_or_default(),
        member.document_masked.clone(),
        member.phone_masked.clone(),
        app.texts.get(lang, verdict, &[]),
        failing.join(" "),
    ];
    for item in items {
        let Some(shown) = member.items.get(&item.id) else {
            continue;
        };
        row.push(value(app, lang, item, shown));
        match shown {
            ItemOutput::Test {
                days, sampled_at, ..
            } => {
                row.push(days.map_or_else(String::new, |days| days.to_string()));
                row.push(sampled_at.clone().unwrap_or_default());
            }
            ItemOutput::Immunization { doses, .. } => {
                row.push(doses.map_or_else(String::new, |doses| doses.to_string()));
            }
            ItemOutput::Certificate { .. } | ItemOutput::Status { .. } => {}
        }
    }
    row.push(member.data_time.clone().unwrap_or_default());
    row.push(member.joined_at.clone());
    row
}

/// A value in words; a state where there is none.
fn value(app: &App, lang: Lang, item: &Item, shown: &ItemOutput) -> String {
    let word = |key: String| app.texts.get(lang, &key, &[]);
    match shown {
        ItemOutput::Status {
            value: Some(value), ..
        } => item
            .values
            .iter()
            .find(|known| known.value == *value)
            .and_then(|known| known.name.get(app.texts.tag(lang)).cloned())
            .unwrap_or_else(|| word("export-unknown".into())),
        ItemOutput::Test {
            result: Some(result),
            ..
        } => word(
            match result {
                TestResult::Negative => "export-negative",
                TestResult::Positive => "export-positive",
                TestResult::Unknown => "export-unknown",
            }
            .into(),
        ),
        ItemOutput::Immunization {
            value: Some(value), ..
        } => word(format!("export-vaccine-{}", value.as_str())),
        ItemOutput::Certificate {
            value: Some(value),
            valid_until,
            ..
        } => {
            let until = valid_until.clone().unwrap_or_default();
            format!("{} {until}", word(format!("export-certificate-{value}")))
        }
        none => word(format!(
            "export-state-{}",
            none.state().as_str().replace('_', "-")
        )),
    }
}
