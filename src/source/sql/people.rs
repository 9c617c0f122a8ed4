//! What rows say of a person. A row is read as a line of an import is; where there are several of a
//! document, the newest test counts, and of other items the newest record, whatever the rows' order.
use super::{
    database::Cells,
    plan::{ABSENT, ItemColumns, Person, Plan},
};
use crate::{
    crypto,
    model::{
        catalogue::{Item, WireRecord},
        health::{ItemRecord, Items, Kind, Progress, TestResult, UNKNOWN},
        name::Name,
        phone::Phone,
        requirement::lies_ahead,
    },
    source::{
        Answer, Ask, Identity,
        import::{phones, set},
        record::{FieldError, Rules, newest},
    },
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use std::cmp::Reverse;

/// Nobody, for whoever has no row: a mismatch is the same work whoever it is of.
const NOBODY: [&str; 2] = ["张三", "13800000000"];

/// By what rows are read.
pub(super) struct Reading<'a> {
    pub(super) plan: &'a Plan,
    pub(super) rules: &'a Rules,
    pub(super) zone: &'a TimeZone,
    pub(super) now: Timestamp,
}

impl Reading<'_> {
    /// Whether name and phone stand in one of the rows.
    pub(super) fn matches(&self, rows: &[Cells], who: &Identity) -> bool {
        let columns = &self.plan.matched;
        let mut nobody = vec![
            None;
            columns
                .name
                .max(columns.phones.iter().copied().max().unwrap_or(0))
                + 1
        ];
        nobody[columns.name] = Some(NOBODY[0].to_owned());
        for phone in &columns.phones {
            nobody[*phone] = Some(NOBODY[1].to_owned());
        }
        let nobody = [nobody];
        let known = !rows.is_empty();
        let rows = if known { rows } else { &nobody };
        let wanted = who.phone.e164().as_bytes();
        let mut any = false;
        for row in rows {
            let name = name(row, columns)
                .is_ok_and(|own| crypto::same(own.key().as_bytes(), who.name.key().as_bytes()));
            let mut phone = false;
            for own in self.phones(row, columns) {
                phone |= crypto::same(own.e164().as_bytes(), wanted);
            }
            any |= name & phone;
        }
        known & any
    }

    /// What the rows of one document say to an ask.
    pub(super) fn answer(&self, rows: &[&Cells], ask: &Ask) -> Result<Answer, FieldError> {
        let mut unreadable = None;
        let mut own: Vec<&Cells> = Vec::new();
        for row in rows {
            match name(row, &self.plan.person) {
                Ok(name) if name == ask.name => own.push(row),
                Ok(_) => {}
                Err(error) => unreadable = Some(error),
            }
        }
        match (own.is_empty(), unreadable) {
            (true, Some(error)) => return Err(error),
            (true, None) => return Ok(Answer::NotMatched),
            (false, _) => {}
        }
        let mut phones: Vec<Phone> = Vec::new();
        for phone in own
            .iter()
            .flat_map(|row| self.phones(row, &self.plan.person))
        {
            if phones.iter().all(|other| other.e164() != phone.e164()) {
                phones.push(phone);
            }
        }
        let mut items = Items::new();
        for id in &ask.items {
            items.insert(id.clone(), self.item(id, &own)?);
        }
        Ok(Answer::Found { phones, items })
    }

    /// What of a row cannot be read, if anything; of the items too.
    pub(super) fn problem(&self, row: &Cells) -> Option<FieldError> {
        let items = self.plan.items.iter();
        name(row, &self.plan.person)
            .err()
            .or_else(|| {
                items
                    .map(|item| self.item(&item.id, &[row]))
                    .find_map(Result::err)
            })
            .or_else(|| {
                let phones = self.phones(row, &self.plan.person).next();
                phones
                    .is_none()
                    .then(|| FieldError::new("phones", "no mobile number"))
            })
    }

    /// The phones that can be one: a landline among them says nothing against the person.
    fn phones(&self, row: &Cells, columns: &Person) -> impl Iterator<Item = Phone> {
        let cells = columns
            .phones
            .iter()
            .filter_map(|at| row.get(*at)?.as_deref());
        let typed: Vec<String> = cells.flat_map(phones).collect();
        let regions = self.rules.regions.clone();
        typed
            .into_iter()
            .filter_map(move |phone| Phone::parse(&phone, &regions).ok())
    }

    fn item(&self, id: &str, rows: &[&Cells]) -> Result<Option<ItemRecord>, FieldError> {
        let columns = self.plan.items.iter().find(|item| item.id == id);
        let (Some(columns), Some(item)) = (columns, self.rules.catalogue.get(id)) else {
            return Ok(None);
        };
        let mut counted: Option<ItemRecord> = None;
        for row in rows {
            if let Some(record) = self.record(item, columns, row)? {
                counted = Some(match counted {
                    Some(other) => newer(item, other, record),
                    None => record,
                });
            }
        }
        Ok(counted)
    }

    fn record(
        &self,
        item: &Item,
        columns: &ItemColumns,
        row: &Cells,
    ) -> Result<Option<ItemRecord>, FieldError> {
        let mut wire = WireRecord::default();
        let mut is_unknown = false;
        for (nth, (field, at)) in columns.fields.iter().enumerate() {
            let cell = row.get(*at).and_then(|cell| cell.as_deref()).map(str::trim);
            let Some(cell) = cell.filter(|cell| !cell.is_empty()) else {
                // A test without a result, or a paper without a day, is none yet.
                match nth {
                    0 => return Ok(None),
                    _ => continue,
                }
            };
            let wrong =
                |problem: &str| FieldError::new(format!("items.{}.{field}", item.id), problem);
            let text = match *field {
                "value" | "result" => match columns.values.get(cell).map(String::as_str) {
                    Some(ABSENT) => return Ok(None),
                    Some(UNKNOWN) => {
                        is_unknown = true;
                        continue;
                    }
                    Some(value) => value.to_owned(),
                    None => cell.to_owned(),
                },
                "doses" => cell.to_owned(),
                "last_on" | "valid_until" => day(cell, self.zone)
                    .ok_or_else(|| wrong("not a date"))?
                    .to_string(),
                _ => moment(cell, self.zone)
                    .ok_or_else(|| wrong("not a time"))?
                    .to_string(),
            };
            set(&mut wire, field, &text).ok_or_else(|| wrong("not a number"))?;
        }
        let record = if is_unknown {
            unknown(item, wire)
        } else {
            item.read(&wire)
        };
        let mut record = record
            .map_err(|error| FieldError::new(format!("items.{}", error.field), error.problem))?;
        // A sample of a day that has not begun is no good one.
        let today = self.now.to_zoned_datetime(self.zone.clone()).date();
        if lies_ahead(&record, today, self.zone)
            && let ItemRecord::Test { result, .. } = &mut record
            && *result == TestResult::Negative
        {
            *result = TestResult::Unknown;
        }
        Ok(Some(record))
    }
}

fn name(row: &Cells, columns: &Person) -> Result<Name, FieldError> {
    let text = row.get(columns.name).and_then(|cell| cell.as_deref());
    Name::parse(text.unwrap_or_default())
        .map_err(|error| FieldError::new("name", error.to_string()))
}

/// A record of which the authority's code says that it tells nothing.
fn unknown(
    item: &Item,
    mut wire: WireRecord,
) -> Result<ItemRecord, crate::model::catalogue::RecordError> {
    // Read as some value, for its times, which is then taken back.
    match item.kind {
        Kind::Test => wire.result = Some("positive".to_owned()),
        Kind::Immunization => wire.value = Some(Progress::Incomplete.as_str().to_owned()),
        Kind::Status => wire.value = item.values.first().map(|known| known.value.clone()),
        Kind::Certificate => {}
    }
    Ok(item.read(&wire)?.of_unknown_value())
}

/// The one of two that counts: rows come in no order.
fn newer(item: &Item, one: ItemRecord, other: ItemRecord) -> ItemRecord {
    let later = match (&one, &other) {
        (ItemRecord::Test { .. }, ItemRecord::Test { .. }) => return newest(one, other),
        (
            ItemRecord::Status { value, since },
            ItemRecord::Status {
                value: other,
                since: other_since,
            },
        ) => (other_since, item.severity(other)) > (since, item.severity(value)),
        (
            ItemRecord::Immunization {
                value,
                doses,
                last_on,
            },
            ItemRecord::Immunization {
                value: other,
                doses: other_doses,
                last_on: other_last,
            },
        ) => {
            (other_last, other_doses, Reverse(other.step()))
                > (last_on, doses, Reverse(value.step()))
        }
        (
            ItemRecord::Certificate { valid_until },
            ItemRecord::Certificate { valid_until: other },
        ) => other > valid_until,
        _ => false,
    };
    if later { other } else { one }
}

/// A time with offset, or by the zone's clocks; a day is its beginning.
fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let local: DateTime = text.parse().ok()?;
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

/// A day, or the zone's day of a time.
fn day(text: &str, zone: &TimeZone) -> Option<Date> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.to_zoned_datetime(zone.clone()).date());
    }
    let local: DateTime = text.parse().ok()?;
    Some(local.date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_both_databases_write_them_and_nothing_else_does() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at = |text: &str| moment(text, &zone).map(|at| at.to_string());
        for text in [
            "2022-11-14 08:00:00",
            "2022-11-14 00:00:00+00",
            "2022-11-14 00:00:00.000000+00:00",
            "2022-11-14T08:00:00+08:00",
            "2022-11-14 08:00:00.000",
        ] {
            assert_eq!(at(text).as_deref(), Some("2022-11-14T00:00:00Z"), "{text}");
        }
        assert_eq!(at("2022-11-14").as_deref(), Some("2022-11-13T16:00:00Z"));
        for text in [
            "",
            "0000-00-00 00:00:00",
            "infinity",
            "14.11.2022",
            "08:00",
            "2022-02-30",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
        let of = |text: &str| day(text, &zone).map(|day| day.to_string());
        assert_eq!(of("2022-03-01").as_deref(), Some("2022-03-01"));
        assert_eq!(of("2022-03-01 00:00:00").as_deref(), Some("2022-03-01"));
        assert_eq!(of("2022-02-28 16:00:00+00").as_deref(), Some("2022-03-01"));
        assert_eq!(of("0000-00-00"), None);
    }
}
