//! A server that is killed under load: every join that was acknowledged is there, none is half.
use super::pair::{Caller, LIFTED, Pair, list, until};
use crate::{
    app::{Person, Register},
    rows::assert_whole_at,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::collections::BTreeSet;

/// How many join at the same time.
const PEOPLE: usize = 60;
/// After how many acknowledged joins the server is killed.
const KILLED_AFTER: usize = 15;
/// How many of A's joins get as far as the hospital's answer.
const READ: usize = 35;

async fn names(owner: &Caller, register: &Register) -> BTreeSet<String> {
    let rows = list(owner, register).await;
    let name = |row: &serde_json::Value| row["name"].as_str().unwrap().to_owned();
    rows.iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_join_outlives_the_server_that_is_killed_and_none_is_half() {
    let mut pair = Pair::start(LIFTED).await;
    let owner = pair.sign_in(&pair.b, &Person::number(900)).await;
    let register = pair.register(&owner).await;
    let mut begun = Vec::new();
    for n in 1..=PEOPLE {
        let server = [&pair.a, &pair.b][n % 2];
        let (path, code) = pair.begin(server, &register, &Person::number(n)).await;
        begun.push((n, path, code));
    }
    // All confirm through A, which answers some and is killed amidst the others: some wait for the
    // hospital, some write.
    pair.hospital.hold(&[("a", READ)]);
    let mut confirms: FuturesUnordered<_> = begun
        .iter()
        .map(|(n, path, code)| {
            let caller = pair.a.caller();
            async move { (*n, caller.send("POST", path, Some(code.clone())).await) }
        })
        .collect();
    let (mut acknowledged, mut broken) = (BTreeSet::new(), BTreeSet::new());
    while let Some((n, answer)) = confirms.next().await {
        match answer {
            Ok(answer) => {
                answer.expect(200);
                acknowledged.insert(n);
            }
            Err(_) => {
                broken.insert(n);
            }
        }
        if acknowledged.len() == KILLED_AFTER && broken.is_empty() {
            pair.a.kill();
        }
    }
    drop(confirms);
    assert_eq!(acknowledged.len() + broken.len(), PEOPLE);
    assert!(acknowledged.len() >= KILLED_AFTER && !broken.is_empty());
    assert_whole_at(&pair.database).await;
    let there = names(&owner, &register).await;
    for n in &acknowledged {
        assert!(there.contains(&Person::number(*n).name), "{n} was told so");
    }
    // Who got no answer tries again at B: either they had joined, or they do now.
    let caller = pair.b.caller();
    for (n, path, code) in &begun {
        if acknowledged.contains(n) {
            continue;
        }
        let again = caller.post(path, code.clone()).await;
        if there.contains(&Person::number(*n).name) {
            assert_eq!(again.problem(410), "verification_ended");
        } else {
            again.expect(200);
        }
    }
    // And others join through B.
    for n in 101..=105 {
        pair.join(&pair.b, &register, &Person::number(n)).await;
    }
    let everybody: BTreeSet<String> = (1..=PEOPLE)
        .chain(101..=105)
        .map(|n| Person::number(n).name)
        .collect();
    assert_eq!(names(&owner, &register).await, everybody);
    let rows = "select count(*) from authorizations";
    assert_eq!(pair.number(rows).await, everybody.len() as i64);
    assert_whole_at(&pair.database).await;
    assert!(pair.command(&["audit", "verify"]).status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_between_the_rows_of_a_join_leaves_none_of_them() {
    let mut pair = Pair::start(LIFTED).await;
    let owner = pair.sign_in(&pair.b, &Person::number(900)).await;
    let register = pair.register(&owner).await;
    let mut begun = Vec::new();
    for n in 1..=5 {
        begun.push(pair.begin(&pair.a, &register, &Person::number(n)).await);
    }
    let persons = "select count(*) from persons";
    assert_eq!(pair.number(persons).await, 1, "the owner");
    // A join's last rows are the audit event and the session: nobody gets as far as that.
    let mut lock = pair.pool.begin().await.unwrap();
    sqlx::query("lock table audit_events in share row exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let caller = pair.a.caller();
    let confirms = begun.iter().map(|(path, code)| {
        let (caller, path, code) = (caller.clone(), path.clone(), code.clone());
        tokio::spawn(async move { caller.send("POST", &path, Some(code)).await })
    });
    let confirms: Vec<_> = confirms.collect();
    until("a join that waits to be audited", async || {
        let waiting = "select count(*) from pg_locks where not granted \
                       and relation = 'audit_events'::regclass";
        (pair.number(waiting).await > 0).then_some(())
    })
    .await;
    pair.a.kill();
    lock.rollback().await.unwrap();
    for confirm in confirms {
        assert!(confirm.await.unwrap().is_err(), "nobody was told");
    }
    // The same codes still serve, at B: nothing was written, and nothing is locked.
    let caller = pair.b.caller();
    for (path, code) in &begun {
        caller.post(path, code.clone()).await.expect(200);
    }
    assert_eq!(names(&owner, &register).await.len(), begun.len());
    assert_eq!(pair.number(persons).await, 1 + begun.len() as i64);
    assert_whole_at(&pair.database).await;
}
