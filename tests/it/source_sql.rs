//! The SQL source against a real PostgreSQL and a real MariaDB that hold an authority's tables.
mod faults;
mod journey;
mod rights;

use crate::{
    on_theirs,
    support::{people::*, their_database::*},
};
use tuantibu::{
    model::health::{ItemRecord, Items, Progress, TestResult},
    source::{Answer, HealthSource},
};

const ITEMS: [&str; 3] = ["health_code", "nucleic_acid", "vaccination"];

/// The values of a person with everything in order, but for the number.
pub(super) fn values(n: u32) -> String {
    format!(
        "'{}', '{}', null, '00', '3', '2022-03-01', {n}",
        name(n),
        phone(n)
    )
}

/// The items of the one who was asked for.
async fn read(source: &dyn HealthSource, n: u32) -> Items {
    match source
        .read(&[ask(&name(n), &resident(n), &ITEMS)])
        .await
        .unwrap()
        .remove(0)
    {
        Answer::Found { items, .. } => items,
        other => panic!("{other:?}"),
    }
}

fn test(items: &Items) -> (TestResult, Option<String>) {
    match &items["nucleic_acid"] {
        Some(ItemRecord::Test {
            result, sampled_at, ..
        }) => (*result, sampled_at.map(|at| at.to_string())),
        other => panic!("{other:?}"),
    }
}

on_theirs! {
    async fn who_stands_there_matches_and_whoever_differs_in_one_field_does_not(theirs: Theirs) {
        theirs.resident(&resident(1), &values(1)).await;
        theirs.resident(&resident(2), "'欧阳·娜娜', '010-62345678', '0086 139-0000-0002；13900000012', null, null, null, 2").await;
        // Two rows of one document: name and phone of different rows are of nobody.
        theirs.resident(&resident(3), &values(3)).await;
        theirs.resident(&resident(3), &values(4)).await;
        for with_batch in [false, true] {
            let source = theirs.source(|config| if with_batch { config.matching = None }).await.unwrap();
            let matches = async |name: &str, number: &str, phone: &str| {
                source.matches(&identity(name, number, phone)).await.unwrap()
            };
            assert!(matches(&name(1), &resident(1), &phone(1)).await);
            assert!(matches("欧阳.娜娜", &resident(2), "13900000002").await);
            assert!(matches("欧阳•娜娜", &resident(2), "13900000012").await);
            assert!(matches(&name(4), &resident(3), &phone(4)).await);
            assert!(!matches(&name(4), &resident(3), &phone(3)).await);
            assert!(!matches(&name(2), &resident(1), &phone(1)).await);
            assert!(!matches(&name(1), &resident(2), &phone(1)).await);
            assert!(!matches(&name(1), &resident(1), &phone(2)).await);
            assert!(!matches(&name(5), &resident(5), &phone(5)).await);
            // Whom the decoy stands for is nobody either.
            assert!(!matches("张三", &resident(5), "13800000000").await);
        }
        let none = theirs.source(|config| {
            config.document_types = [("passport".to_owned(), "02".to_owned())].into();
        });
        let none = none.await.unwrap();
        assert!(!none.matches(&identity(&name(1), &resident(1), &phone(1))).await.unwrap());
    }
}

on_theirs! {
    async fn a_batch_answers_each_in_order_and_a_bad_row_fails_its_person_alone(theirs: Theirs) {
        for n in 0..40 {
            theirs.resident(&resident(n), &values(n)).await;
        }
        for (n, change) in [
            (3, "full_name = '另外的人'"),
            (5, "code = 'purple'"),
            (6, "last_dose = '0000-00-00'"),
            (7, "full_name = ''"),
            (8, "doses = '-1'"),
            (9, "id_no = '110100'"),
            (10, "code = null, doses = null"),
        ] {
            theirs.run(&format!("update residents set {change} where version = {n}")).await;
        }
        let source = theirs.source(|_| {}).await.unwrap();
        // More than a batch of theirs, and somebody twice.
        let order: Vec<u32> = (0..1200).map(|n| n * 7 % 60).collect();
        let asks: Vec<_> = order.iter().map(|n| ask(&name(*n), &resident(*n), &ITEMS)).collect();
        let answers = source.read(&asks).await.unwrap();
        assert_eq!(answers.len(), asks.len());
        for (n, answer) in order.iter().zip(&answers) {
            match n {
                3 | 9 | 40.. => assert_eq!(answer, &Answer::NotMatched, "{n}"),
                5..=8 => assert_eq!(answer, &Answer::Failed, "{n}"),
                _ => {
                    let Answer::Found { phones, items } = answer else { panic!("{n}: {answer:?}") };
                    assert_eq!(phones[0].e164(), format!("+86{}", phone(*n)));
                    assert_eq!(items.len(), 3);
                    assert_eq!(items["nucleic_acid"], None);
                    assert_eq!(items["health_code"].is_none(), *n == 10);
                }
            }
        }
        // Nothing but what is asked for can be in the way, and is told.
        let few = source.read(&[ask(&name(5), &resident(5), &["vaccination"])]).await.unwrap();
        let Answer::Found { items, .. } = &few[0] else { panic!("{few:?}") };
        assert_eq!(items.len(), 1);
        assert_eq!(items["vaccination"], Some(ItemRecord::Immunization {
            value: Progress::Booster,
            doses: Some(3),
            last_on: Some("2022-03-01".parse().unwrap()),
        }));
        assert!(source.read(&[]).await.unwrap().is_empty());
    }
}

on_theirs! {
    async fn of_several_rows_the_newest_test_counts_whatever_their_order(theirs: Theirs) {
        for n in 1..=7 {
            theirs.resident(&resident(n), &values(n)).await;
        }
        for (n, result, sampled) in [
            (1, "2", "2022-11-12 08:00:00"), (1, "1", "2022-11-13 08:00:00"), (1, "9", "2022-11-14 08:00:00"),
            (2, "1", "2022-11-13 08:00:00"), (2, "2", "2022-11-12 08:00:00"),
            (3, "1", "2022-11-13 08:00:00"), (3, "2", "2022-11-13 08:00:00"),
            (4, "3", "2022-11-13 08:00:00"), (4, "1", "2022-11-12 08:00:00"),
            (5, "1", "2022-11-15 00:00:00"), (6, "2", "2022-11-15 00:00:00"),
        ] {
            theirs.test(&resident(n), result, sampled).await;
        }
        let source = theirs.source(|_| {}).await.unwrap();
        let on = |day: u32| Some(format!("2022-11-{day}T00:00:00Z"));
        assert_eq!(test(&read(&source, 1).await), (TestResult::Negative, on(13)));
        assert_eq!(test(&read(&source, 2).await), (TestResult::Negative, on(13)));
        assert_eq!(test(&read(&source, 3).await), (TestResult::Positive, on(13)));
        assert_eq!(test(&read(&source, 4).await), (TestResult::Unknown, on(13)));
        // A day that has not begun is no good result, and a bad one stays.
        assert_eq!(test(&read(&source, 5).await).0, TestResult::Unknown);
        assert_eq!(test(&read(&source, 6).await).0, TestResult::Positive);
        assert_eq!(read(&source, 7).await["nucleic_acid"], None);
        // A second row of a person: of other items the newer record, then the worse.
        theirs.resident(&resident(1), "'王伟', null, null, '10', '2', '2021-03-01', 1").await;
        theirs.run("update residents set full_name = '王伟'").await;
        let source = theirs.source(|_| {}).await.unwrap();
        let both = source.read(&[ask("王伟", &resident(1), &ITEMS)]).await.unwrap();
        let Answer::Found { phones, items } = &both[0] else { panic!("{both:?}") };
        assert_eq!(phones.len(), 1);
        assert!(matches!(&items["health_code"], Some(ItemRecord::Status { value, .. }) if value == "red"));
        assert!(matches!(&items["vaccination"], Some(ItemRecord::Immunization { doses: Some(3), .. })));
    }
}

on_theirs! {
    async fn a_time_without_offset_is_their_zones_and_one_with_a_moment_is_none_s(theirs: Theirs) {
        theirs.resident(&resident(1), &values(1)).await;
        let reported = theirs.either("'2022-11-13 20:00:00-05:00'", "from_unixtime(1668387600)");
        theirs.run(&format!(
            "insert into tests values ('{}', '1', '2022-11-14 08:00:00', {reported})", resident(1)
        )).await;
        let reported = Some("2022-11-14T01:00:00Z".parse().unwrap());
        for (zone, sampled) in [
            (None, "2022-11-14T00:00:00Z"),
            (Some("UTC"), "2022-11-14T08:00:00Z"),
            (Some("Asia/Urumqi"), "2022-11-14T02:00:00Z"),
        ] {
            if sampled > "2022-11-14T01:00:00Z" {
                theirs.run("update tests set reported = null").await;
            }
            let source = theirs.source(|config| config.zone = zone.map(str::to_owned)).await.unwrap();
            let items = read(&source, 1).await;
            let Some(ItemRecord::Test { sampled_at, reported_at, .. }) = &items["nucleic_acid"] else {
                panic!("{items:?}")
            };
            assert_eq!(sampled_at.unwrap().to_string(), sampled);
            if zone.is_none() {
                assert_eq!(*reported_at, reported);
            }
        }
        let refused = theirs.source(|config| config.zone = Some("Mars/Olympus".into())).await.unwrap_err();
        assert!(refused.contains("source.sql.zone"), "{refused}");
    }
}

on_theirs! {
    async fn a_query_whose_columns_have_the_usual_names_needs_no_mapping(theirs: Theirs) {
        theirs.resident(&resident(1), &values(1)).await;
        theirs.test(&resident(1), "1", "2022-11-14 08:00:00").await;
        let numbers = theirs.either("= any(:document_numbers)", "in (:document_numbers)");
        let source = theirs.source(|config| {
            config.batch = format!(
                "select r.id_no as document_number, full_name as name, mobile as phones, 'x' as more,
                    case code when '00' then 'green' else 'red' end as items_health_code_value,
                    case result when '1' then 'negative' when '2' then 'positive' end as items_nucleic_acid_result,
                    sampled as items_nucleic_acid_sampled_at
                 from residents r left join tests t on t.id_no = r.id_no where r.id_no {numbers}"
            );
            config.matching = None;
            (config.changes, config.cursor, config.sample) = (None, None, None);
            config.columns = tuantibu::config::SqlColumns::default();
            config.items.clear();
        });
        let source = source.await.unwrap();
        assert!(source.matches(&identity(&name(1), &resident(1), &phone(1))).await.unwrap());
        let items = read(&source, 1).await;
        assert_eq!(test(&items), (TestResult::Negative, Some("2022-11-14T00:00:00Z".to_owned())));
        assert_eq!(items["vaccination"], None);
        assert_eq!(source.cursor().await.unwrap(), None);
        assert!(source.changes("1").await.unwrap().is_none());
        let seen = source.check().await.unwrap();
        assert!(seen.contains(&"items: health_code, nucleic_acid".to_owned()), "{seen:?}");
    }
}

on_theirs! {
    async fn changes_name_whoever_changed_since_the_cursor_and_nobody_else(theirs: Theirs) {
        for n in 1..=9 {
            theirs.resident(&resident(n), &values(n)).await;
        }
        let keys = crate::support::keys();
        let source = theirs.source_with(keys.clone(), |_| {}).await.unwrap();
        let cursor = source.cursor().await.unwrap().unwrap();
        assert_eq!(cursor, "9");
        let none = source.changes(&cursor).await.unwrap().unwrap();
        theirs.run("update residents set version = 10 where version in (3, 5)").await;
        // As it is written there is not as it is held here.
        theirs.run("insert into residents (id_no, version) values ('no number', 11)").await;
        let some = source.changes(&cursor).await.unwrap().unwrap();
        for n in 1..=9 {
            let hash = keys.document_hash(&document(&resident(n)));
            assert!(!none.touch(&hash), "{n}");
            assert_eq!(some.touch(&hash), [3, 5].contains(&n), "{n}");
        }
        assert!(none.touch(b"of another length"));
        assert!(source.changes("no cursor of theirs").await.is_err() || theirs.engine == Engine::MariaDb);
    }
}
