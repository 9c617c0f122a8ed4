//! Two `serve` processes on one PostgreSQL: what one does the other sees, what one leaves half-way
//! the other ends, and nothing is done or counted twice.
mod hospital;
mod joins;
mod pair;
mod rotation;
mod sharing;

use crate::{
    app::{Person, Register},
    rows::assert_whole_at,
};
use pair::{Caller, LIFTED, Pair, list, until};
use std::collections::BTreeSet;

/// How many people the refreshes read.
const PEOPLE: usize = 24;

/// A register at both servers, with members who joined through either by turns.
async fn filled(pair: &Pair) -> (Caller, Caller, Register) {
    let owner = pair.sign_in(&pair.a, &Person::number(900)).await;
    let register = pair.register(&owner).await;
    for n in 1..=PEOPLE {
        let server = [&pair.a, &pair.b][n % 2];
        pair.join(server, &register, &Person::number(n)).await;
    }
    let at_b = pair.b.caller().with(owner.bearer.as_deref());
    (owner, at_b, register)
}

async fn positive(owner: &Caller, register: &Register) -> usize {
    let rows = list(owner, register).await;
    assert_eq!(rows.len(), PEOPLE);
    rows.iter()
        .filter(|row| row["items"]["nucleic_acid"]["result"] == "positive")
        .count()
}

fn everybody() -> BTreeSet<String> {
    (1..=PEOPLE).map(|n| Person::number(n).document).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_is_due_is_run_once_and_shared_by_both() {
    let pair = Pair::start(LIFTED).await;
    let (at_a, at_b, register) = filled(&pair).await;
    for (round, read) in [[PEOPLE as i64, 0, 0, 0], [0, PEOPLE as i64, 0, 0]]
        .into_iter()
        .enumerate()
    {
        if round == 0 {
            pair.hospital.turn();
        }
        // Each waits with its first person until the other has begun as well.
        pair.hospital.hold(&[("a", 0), ("b", 0)]);
        pair.is_due().await;
        pair.hospital.held("a").await;
        pair.hospital.held("b").await;
        assert_eq!(
            pair.number("select count(*) from refresh_runs where finished_at is null")
                .await,
            1
        );
        pair.hospital.release("a");
        pair.hospital.release("b");
        let runs = 2 + round as i64;
        assert_eq!(pair.finished(runs).await, read);
        // Both have looked for what is due since the run before, and neither has run it again.
        assert_eq!(pair.number("select count(*) from refresh_runs").await, runs);
        let asked = [pair.hospital.asked("a"), pair.hospital.asked("b")];
        assert!(asked.iter().all(|asked| !asked.is_empty()), "shared");
        let all: Vec<String> = asked.concat();
        assert_eq!(all.len(), PEOPLE, "nobody is read twice");
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), everybody());
        for owner in [&at_a, &at_b] {
            assert_eq!(positive(owner, &register).await, PEOPLE);
        }
    }
    assert_whole_at(&pair.database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_killed_during_a_refresh_leaves_it_to_the_other_and_each_person_counts_once() {
    let mut pair = Pair::start_with(LIFTED, 3).await;
    let (_, owner, register) = filled(&pair).await;
    assert_eq!(positive(&owner, &register).await, 0);
    pair.hospital.turn();
    // A reads four people and is held with the fifth; B is held with its first.
    pair.hospital.hold(&[("a", 4), ("b", 0)]);
    pair.is_due().await;
    pair.hospital.held("a").await;
    pair.hospital.held("b").await;
    let done =
        "select cast(sum(updated + unchanged + failed + unmatched) as bigint) from refresh_shards";
    assert_eq!(pair.number(done).await, 4);
    let open = "select count(*) from refresh_runs where finished_at is null";
    assert_eq!(pair.number(open).await, 1);
    assert_eq!(
        positive(&owner, &register).await,
        4,
        "seen before the run is over"
    );
    let by_a = pair.hospital.answered("a");
    let lost = pair.hospital.asked("a").pop().unwrap();
    assert_eq!((by_a.len(), by_a.contains(&lost)), (4, false));
    pair.a.kill();
    pair.hospital.release("b");
    assert_eq!(pair.finished(2).await, [PEOPLE as i64, 0, 0, 0]);
    assert_eq!(pair.number("select count(*) from refresh_runs").await, 2);
    // B read everybody but those whom A had written, and whom A was killed with once more.
    let mut by_b = pair.hospital.answered("b");
    by_b.sort_unstable();
    let written: BTreeSet<String> = by_a.into_iter().collect();
    let wanted: Vec<String> = everybody().difference(&written).cloned().collect();
    assert_eq!(by_b, wanted);
    assert!(by_b.contains(&lost));
    assert_eq!(positive(&owner, &register).await, PEOPLE);
    assert_whole_at(&pair.database).await;
    // Back again, it shares the next.
    pair.hospital.hold(&[("a", 0), ("b", 0)]);
    pair.restart_a().await;
    pair.is_due().await;
    pair.hospital.held("a").await;
    pair.hospital.held("b").await;
    pair.hospital.release("a");
    pair.hospital.release("b");
    assert_eq!(pair.finished(3).await, [0, PEOPLE as i64, 0, 0]);
    // Either chains what all of them wrote, the killed one too.
    let waiting = "select count(*) from audit_events e where not exists (select 1 from audit_chain c \
                   where c.server = e.server and c.number = e.number)";
    until("the audit chain", async || {
        (pair.number(waiting).await == 0).then_some(())
    })
    .await;
    let servers = "select count(distinct server) from audit_chain";
    assert!(pair.number(servers).await >= 2);
    assert!(pair.command(&["audit", "verify"]).status.success());
}
