//! Invented people and their records: resident numbers of area 110100, which is issued to nobody.
use serde_json::{Value, json};
use tuantibu::model::document::check_character;

/// Numbers of one birth date.
const A_DAY: usize = 997;
const FAMILY: [&str; 16] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林",
];
const GIVEN: [&str; 20] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明",
    "超", "秀", "霞", "平",
];

/// Every so many-th does not meet the requirements.
pub(crate) const FAILS_EVERY: usize = 5;

/// Somebody.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) document: String,
    pub(crate) phone: String,
}

impl Person {
    /// The n-th; no two share a document or a phone.
    pub(crate) fn number(n: usize) -> Self {
        let day = n / A_DAY;
        let born = format!(
            "{}{:02}{:02}",
            1950 + day / 336,
            1 + day / 28 % 12,
            1 + day % 28
        );
        Self {
            name: format!(
                "{}{}{}",
                FAMILY[n % FAMILY.len()],
                GIVEN[n / 16 % GIVEN.len()],
                GIVEN[n / 320 % GIVEN.len()]
            ),
            document: resident_id(&born, n % A_DAY),
            phone: format!("138{n:08}"),
        }
    }

    /// What is typed to sign in or to join.
    pub(crate) fn identity(&self) -> Value {
        json!({
            "name": self.name,
            "document_type": "resident_id",
            "document_number": self.document,
            "phone": self.phone,
        })
    }

    /// The record at the source, as a line of an import.
    pub(crate) fn record(&self, items: &Value) -> String {
        json!({
            "name": self.name,
            "document_type": "resident_id",
            "document_number": self.document,
            "phones": [self.phone],
            "items": items,
        })
        .to_string()
    }
}

/// The n-th person's items. Each `change` is a minute newer, so that an import of it counts and a
/// refresh finds every one of them changed; no verdict changes by it.
pub(crate) fn items(n: usize, base: i64, change: i64) -> Value {
    let at = |minutes: i64| {
        jiff::Timestamp::from_millisecond(base + minutes * 60_000)
            .unwrap_or_default()
            .to_string()
    };
    let code = if n.is_multiple_of(FAILS_EVERY) {
        "yellow"
    } else {
        "green"
    };
    json!({
        "health_code": { "value": code },
        "nucleic_acid": { "result": "negative", "sampled_at": at(change), "reported_at": at(change) },
        "vaccination": { "value": "booster", "doses": 3, "last_on": "2022-03-01" },
    })
}

/// A resident number of area 110100 with its check character.
fn resident_id(born: &str, sequence: usize) -> String {
    let body = format!("110100{born}{sequence:03}");
    let check = check_character(&body);
    format!("{body}{check}")
}
