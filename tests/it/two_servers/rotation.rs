//! Keys are rotated under two processes: one is killed half-way, and what it left is ended.
use super::{
    PEOPLE, filled,
    pair::{LIFTED, Pair, list, until},
};
use crate::app::Person;
use sqlx::PgPool;

/// Persons whose profiles the tenth key sealed.
const ANEW: &str = "select count(*) from persons where get_byte(profile, 5) = 10";

async fn execute(pool: &PgPool, text: &'static str) {
    sqlx::query(text).execute(pool).await.unwrap();
}

/// Whoever was killed was not seen for a minute; who lives says so again within five seconds.
const LONG_AGO: &str = "update key_holders set seen_at = seen_at - 60000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_killed_while_sealing_anew_leaves_it_to_the_next_and_people_join_meanwhile() {
    let mut pair = Pair::start_with(LIFTED, 3).await;
    let pool = PgPool::connect(&pair.database).await.unwrap();
    let (_, at_b, register) = filled(&pair).await;
    let rotated = pair.command(&["keys", "rotate", "--purpose", "data"]);
    assert!(rotated.status.success(), "{rotated:?}");
    // Sealing anew is slow enough to be killed in the midst of it.
    execute(
        &pool,
        "create function slow() returns trigger language plpgsql as \
         $$ begin perform pg_sleep(0.1); return new; end $$",
    )
    .await;
    execute(
        &pool,
        "create trigger slow before update of profile on persons for each row execute function slow()",
    )
    .await;
    until("the first cells", async || {
        (pair.number(ANEW).await > 2).then_some(())
    })
    .await;
    pair.a.kill();
    let half = pair.number(ANEW).await;
    assert!((1..=PEOPLE as i64).contains(&half), "{half}");
    pair.join(&pair.b, &register, &Person::number(700)).await;
    assert_eq!(list(&at_b, &register).await.len(), PEOPLE + 1);
    execute(&pool, LONG_AGO).await;
    until("the end of it", async || {
        let left = "select count(*) from persons where get_byte(profile, 5) = 1";
        let unneeded = "select count(*) from keys where purpose = 'data' and state = 3";
        (pair.number(left).await == 0 && pair.number(unneeded).await == 1).then_some(())
    })
    .await;
    assert_eq!(list(&at_b, &register).await.len(), PEOPLE + 1);
    // An hour later it is gone, and who starts then opens everything.
    execute(&pool, "update keys set changed_at = changed_at - 4000000").await;
    until("the old key's end", async || {
        let gone = "select count(*) from keys where state = 4 and length(wrapped) = 0";
        (pair.number(gone).await == 1).then_some(())
    })
    .await;
    pair.restart_a().await;
    let at_a = pair.a.caller().with(at_b.bearer.as_deref());
    assert_eq!(list(&at_a, &register).await.len(), PEOPLE + 1);
}
