//! `source import`: what goes in, what is reported, and that the order of lines does not matter.
use crate::support::{Store, people::*, rules};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};
use tuantibu::{
    model::health::{ItemRecord, TestResult},
    source::{
        Answer, HealthSource,
        import::{Format, ImportError, Options, Progress, Report, import},
    },
};

async fn load(
    store: &Store,
    format: Format,
    strict: bool,
    text: impl Into<Vec<u8>>,
) -> Result<Report, ImportError> {
    let options = Options {
        format,
        strict,
        rules: rules(),
    };
    import(
        &store.source,
        std::io::Cursor::new(text.into()),
        &options,
        |_| {},
    )
    .await
}

fn line(n: u32, items: &str) -> String {
    format!(
        r#"{{"name":"{}","document_type":"resident_id","document_number":"{}","phones":["{}"],"items":{{{items}}}}}"#,
        name(n),
        resident(n),
        phone(n)
    )
}

fn test(result: &str, sampled: &str) -> String {
    format!(r#""nucleic_acid":{{"result":"{result}","sampled_at":"{sampled}"}}"#)
}

async fn item(store: &Store, n: u32, item: &str) -> Option<ItemRecord> {
    let batch = [ask(&name(n), &resident(n), &[item])];
    match store.source.read(&batch).await.unwrap().remove(0) {
        Answer::Found { mut items, .. } => items.remove(item).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn errors(report: &Report) -> Vec<(u64, &str)> {
    let errors = report.errors.iter();
    errors.map(|error| (error.line, &*error.field)).collect()
}

#[tokio::test]
async fn bad_lines_are_reported_by_number_and_field_and_the_rest_goes_in() {
    let store = Store::new().await;
    let canary = "西门吹雪甲乙丙";
    let mut file = vec![0xef, 0xbb, 0xbf];
    for part in [
        line(0, "").as_bytes(),
        b"\r\n\n",
        line(1, r#""health_code":{"value":"blue"}"#).as_bytes(),
        b"\n",
        format!(r#"{{"name":"{canary}","document_type":"resident_id","document_number":"","phones":["{}"]}}"#, phone(7)).as_bytes(),
        b"\n",
        format!(r#"{{"name":"{canary}","nickname":"{canary}"}}"#).as_bytes(),
        b"\n",
        line(2, r#""nucleic_acid":{"result":"negative","sampled_at":"2022-11-14T08:00:00"}"#).as_bytes(),
        b"\n\xcd\xf5\xd0\xa1\xc3\xf7\n",
        line(3, r#""shoe_size":{"value":"42"}"#).as_bytes(),
        b"\n",
        format!("{}{}\n", line(4, ""), " ".repeat(70_000)).as_bytes(),
        b"{\"name\":\"\0\"}\n",
        format!("{canary}\n").as_bytes(),
        // A list fills no object.
        format!("[\"{canary}\",\"resident_id\",\"{}\",[],{{}},null]\n", resident(6)).as_bytes(),
        line(6, r#""health_code":["green"]"#).as_bytes(),
        b"\n",
        line(5, "").as_bytes(),
    ] {
        file.extend_from_slice(part);
    }
    let report = load(&store, Format::Ndjson, false, file).await.unwrap();
    assert_eq!(
        errors(&report),
        [
            (3, "items.health_code.value"),
            (4, "document_number"),
            (5, "nickname"),
            (6, "items.nucleic_acid.sampled_at"),
            (7, "line"),
            (8, "items.shoe_size"),
            (9, "line"),
            (10, "line"),
            (11, "line"),
            (12, "line"),
            (13, "items.health_code"),
        ]
    );
    assert_eq!((report.lines, report.imported, report.failed), (13, 2, 11));
    assert_eq!(store.source.count().await.unwrap(), 2);
    let text = format!("{report:?}");
    for value in [canary, &name(1), &resident(1), &phone(7), "blue", "42"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
    assert!(
        text.contains("not UTF-8 at line 7; save as UTF-8"),
        "{text}"
    );
}

#[tokio::test]
async fn a_strict_import_takes_all_or_nothing_and_names_every_bad_line() {
    let store = Store::new().await;
    load(
        &store,
        Format::Ndjson,
        true,
        line(0, &test("negative", "2022-11-10T08:00:00Z")),
    )
    .await
    .unwrap();
    let mut lines: Vec<String> = (0..1500)
        .map(|n| line(n, &test("positive", "2022-11-12T08:00:00Z")))
        .collect();
    lines[1200] = "{}".to_owned();
    lines[1400] = "x".to_owned();
    let report = load(&store, Format::Ndjson, true, lines.join("\n"))
        .await
        .unwrap();
    assert_eq!((report.lines, report.imported, report.failed), (1500, 0, 2));
    assert_eq!(errors(&report), [(1201, "name"), (1401, "line")]);
    assert_eq!(store.source.count().await.unwrap(), 1);
    let old = item(&store, 0, "nucleic_acid").await;
    assert!(matches!(
        old,
        Some(ItemRecord::Test {
            result: TestResult::Negative,
            ..
        })
    ));
    lines[1200] = line(1200, "");
    lines[1400] = line(1400, "");
    let report = load(&store, Format::Ndjson, true, lines.join("\n"))
        .await
        .unwrap();
    assert_eq!((report.imported, report.failed), (1500, 0));
    assert_eq!(store.source.count().await.unwrap(), 1500);
}

#[tokio::test]
async fn later_lines_win_but_for_older_tests_and_what_they_do_not_mention() {
    let store = Store::new().await;
    let first = [
        line(
            0,
            &format!(
                r#"{},"health_code":{{"value":"green"}}"#,
                test("positive", "2022-11-13T08:00:00+08:00")
            ),
        ),
        line(
            0,
            r#""health_code":{"value":"red"},"vaccination":{"value":"complete","doses":2}"#,
        ),
        line(0, &test("negative", "2022-11-12T08:00:00+08:00")),
    ];
    load(&store, Format::Ndjson, false, first.join("\n"))
        .await
        .unwrap();
    let later =
        line(0, &test("negative", "2022-11-11T08:00:00+08:00")).replace(&phone(0), &phone(9));
    load(&store, Format::Ndjson, false, later).await.unwrap();
    let positive = item(&store, 0, "nucleic_acid").await;
    assert!(matches!(
        positive,
        Some(ItemRecord::Test {
            result: TestResult::Positive,
            ..
        })
    ));
    let code = item(&store, 0, "health_code").await;
    assert!(matches!(code, Some(ItemRecord::Status { value, .. }) if value == "red"));
    assert!(item(&store, 0, "vaccination").await.is_some());
    let matches = async |phone: &str| {
        let who = identity(&name(0), &resident(0), phone);
        store.source.matches(&who).await.unwrap()
    };
    assert!(matches(&phone(9)).await);
    assert!(!matches(&phone(0)).await);
}

const HEADER: &str = "name,document_type,document_number,phones,items_nucleic_acid_result,\
                      items_nucleic_acid_sampled_at,items_vaccination_doses,items_vaccination_value";

fn row(n: u32, rest: &str) -> String {
    format!("{},resident_id,{},{rest}", name(n), resident(n))
}

#[tokio::test]
async fn csv_rows_are_read_with_the_numbers_of_their_lines() {
    let store = Store::new().await;
    let rows = [
        HEADER.to_owned(),
        row(
            0,
            &format!(
                "{};{},negative,2022-11-14T07:00:00+08:00,3,booster",
                phone(0),
                phone(7)
            ),
        ),
        row(1, &format!("\"{}\n{}\",negative,,,", phone(1), phone(8))),
        row(2, &format!("{}|{},negative,nonsense,,", phone(2), phone(9))),
        row(3, &format!("{},,,many,booster", phone(3))),
        String::new(),
        row(4, "a\"b,,,,"),
        row(5, &format!("{},,,,", phone(5))),
        row(6, ",,,"),
        row(7, &format!("\"{},,,,", phone(7))),
        row(8, &format!("{},,,,", phone(8))),
    ];
    let report = load(&store, Format::Csv, false, rows.join("\r\n"))
        .await
        .unwrap();
    assert_eq!(
        errors(&report),
        [
            (5, "items_nucleic_acid_sampled_at"),
            (6, "items_vaccination_doses"),
            (8, "line"),
            (10, "line"),
            (11, "line"),
        ],
        "{report:?}"
    );
    assert_eq!((report.lines, report.imported), (9, 4));
    for (n, other) in [(0, 7), (1, 8)] {
        for phone in [phone(n), phone(other)] {
            let who = identity(&name(n), &resident(n), &phone);
            assert!(store.source.matches(&who).await.unwrap(), "{n} {phone}");
        }
    }
    assert!(item(&store, 8, "nucleic_acid").await.is_none());
    assert!(item(&store, 0, "vaccination").await.is_some());
}

#[tokio::test]
async fn a_wrong_header_is_refused_by_its_column() {
    let store = Store::new().await;
    let problem = async |text: &[u8]| {
        let error = load(&store, Format::Csv, false, text).await.unwrap_err();
        error.to_string()
    };
    let first = row(0, &phone(0));
    for (header, expected) in [
        ("", "line 1: the file is empty: no header".to_owned()),
        (
            "name,document_type,document_number,shoe_size",
            "line 1: column 4 has an unknown name: shoe_size".to_owned(),
        ),
        (
            "name,document_type,document_number,王小明",
            "line 1: column 4 has an unknown name: …".to_owned(),
        ),
        (
            "name,document_type,phones",
            "line 1: column document_number is missing".to_owned(),
        ),
        (
            "name,document_type,document_number,name",
            "line 1: column name stands twice".to_owned(),
        ),
        (
            "name,document_type,document_number,items_health_code_result",
            "line 1: column 4 has an unknown name: items_health_code_result".to_owned(),
        ),
    ] {
        assert_eq!(problem(header.as_bytes()).await, expected);
    }
    let error = problem(first.as_bytes()).await;
    assert!(
        error.contains("no header") && !error.contains(&resident(0)),
        "{error}"
    );
    let error = problem(b"\xd0\xd5\xc3\xfb,document_type\n").await;
    assert_eq!(error, "line 1: not UTF-8 at line 1; save as UTF-8");
    let error = load(&store, Format::Csv, false, b"\xff\xfen\0".as_slice()).await;
    assert!(matches!(error, Err(ImportError::Utf16)));
}

#[tokio::test]
async fn a_file_in_gbk_is_told_line_by_line() {
    let store = Store::new().await;
    let mut file = format!("{HEADER}\n").into_bytes();
    file.extend(b"\xcd\xf5\xd0\xa1\xc3\xf7,resident_id,1,,,,,\n");
    file.extend(row(1, &format!("{},,,,", phone(1))).as_bytes());
    let report = load(&store, Format::Csv, false, file).await.unwrap();
    assert_eq!((report.imported, report.failed), (1, 1));
    assert_eq!(
        report.errors[0].problem,
        "not UTF-8 at line 2; save as UTF-8"
    );
}

#[tokio::test]
async fn every_error_is_counted_and_only_the_first_are_kept() {
    let store = Store::new().await;
    let file = "x\n".repeat(5000);
    let seen: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let heard = seen.clone();
    let options = Options {
        format: Format::Ndjson,
        strict: false,
        rules: rules(),
    };
    let report = import(
        &store.source,
        std::io::Cursor::new(file),
        &options,
        move |progress| heard.lock().unwrap().push(*progress),
    )
    .await
    .unwrap();
    assert_eq!((report.failed, report.errors.len()), (5000, 1000));
    let seen = seen.lock().unwrap();
    assert!(seen.is_sorted_by_key(|progress| progress.bytes));
    let last = seen.last().unwrap();
    assert_eq!((last.bytes, last.lines, last.failed), (10_000, 5000, 5000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_order_of_lines_and_files_does_not_change_the_newest_test(
        tests in prop::collection::vec((0u8..30, any::<bool>(), any::<bool>()), 1..7),
        turn in 0usize..7,
        cut in 0usize..7,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let found = runtime.block_on(async {
            let store = Store::new().await;
            let lines: Vec<String> = tests.iter().map(|(day, positive, report)| {
                let time = format!("2022-10-{:02}T08:00:00+08:00", day + 1);
                let result = if *positive { "positive" } else { "negative" };
                let item = if *report {
                    format!(r#""nucleic_acid":{{"result":"{result}","reported_at":"{time}"}}"#)
                } else {
                    test(result, &time)
                };
                line(0, &item)
            }).collect();
            load(&store, Format::Ndjson, false, lines.join("\n")).await.unwrap();
            let one = item(&store, 0, "nucleic_acid").await;
            store.source.remove(&document(&resident(0))).await.unwrap();
            let mut turned = lines.clone();
            turned.rotate_left(turn % lines.len());
            turned.reverse();
            let (first, second) = turned.split_at(cut % lines.len());
            for part in [first, second] {
                load(&store, Format::Ndjson, false, part.join("\n")).await.unwrap();
            }
            (one, item(&store, 0, "nucleic_acid").await)
        });
        prop_assert_eq!(&found.0, &found.1);
    }
}
