//! SQLite's waiting writers share a commit: each is durable when it is told so, and who is dropped
//! half-way is undone alone.
use crate::app::{On, TestApp};
use futures_util::FutureExt;
use std::sync::Arc;
use tuantibu::{
    app::App,
    store::{
        Tx, limits,
        sessions::{self, SessionRow},
    },
};

async fn add(tx: &mut Tx, name: &str) {
    limits::take(tx, name.as_bytes(), 1, i64::MAX)
        .await
        .unwrap();
}

/// How much stands under a name, seen by a connection of its own.
async fn seen(app: &App, name: &str) -> i64 {
    let mut tx = app.store.write().await.unwrap();
    // What stands, and one more; undone by the drop.
    limits::take(&mut tx, name.as_bytes(), 1, i64::MAX)
        .await
        .unwrap()
        - 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_writers_at_once_each_that_committed_stands_and_each_that_was_dropped_does_not() {
    let app = TestApp::start(On::Sqlite).await;
    let writers: Vec<_> = (0..200)
        .map(|n| {
            let app: Arc<App> = app.app.clone();
            tokio::spawn(async move {
                let mut tx = app.store.write().await.unwrap();
                add(&mut tx, "everybody").await;
                add(&mut tx, &format!("writer {n}")).await;
                if n % 3 == 0 {
                    drop(tx);
                } else {
                    tx.commit().await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seen(&app.app, "everybody").await, 133);
    for n in 0..200 {
        let expected = i64::from(n % 3 != 0);
        assert_eq!(
            seen(&app.app, &format!("writer {n}")).await,
            expected,
            "{n}"
        );
    }
}

#[tokio::test]
async fn who_gives_up_while_waiting_for_a_turn_keeps_nobody_out() {
    let app = TestApp::start(On::Sqlite).await;
    let mut first = app.app.store.write().await.unwrap();
    add(&mut first, "first").await;
    let waiting = {
        let app = app.app.clone();
        tokio::spawn(async move {
            let mut tx = app.store.write().await.unwrap();
            add(&mut tx, "given up").await;
            std::future::pending::<()>().await;
        })
    };
    tokio::task::yield_now().await;
    // Whoever has the writer when it is done waits for who stood in the queue by then.
    let first = tokio::spawn(first.commit());
    tokio::task::yield_now().await;
    waiting.abort();
    let _ = waiting.await;
    first.await.unwrap().unwrap();
    let mut last = app.app.store.write().await.unwrap();
    add(&mut last, "last").await;
    last.commit().await.unwrap();
    assert_eq!(seen(&app.app, "first").await, 1);
    assert_eq!(seen(&app.app, "given up").await, 0);
    assert_eq!(seen(&app.app, "last").await, 1);
}

#[tokio::test]
async fn what_is_dropped_first_leaves_the_writer_to_others_and_other_programs() {
    let app = TestApp::start(On::Sqlite).await;
    let mut dropped = app.app.store.write().await.unwrap();
    add(&mut dropped, "dropped").await;
    drop(dropped);
    // Another program's writer waits for the lock, which is given back soon.
    let other = app.another().await;
    let mut tx = other.app.store.write().await.unwrap();
    add(&mut tx, "another program").await;
    tx.commit().await.unwrap();
    assert_eq!(seen(&app.app, "dropped").await, 0);
    assert_eq!(seen(&app.app, "another program").await, 1);
}

#[tokio::test]
async fn nobody_sees_what_is_not_yet_committed() {
    let app = TestApp::start(On::Sqlite).await;
    let hash = [7; 32];
    let row = SessionRow {
        id: vec![1; 16],
        person_id: vec![2; 16],
        scope: 0,
        by_passkey: 0,
        created_at: 0,
        seen_at: 0,
        expires_at: i64::MAX,
    };
    let mut tx = app.app.store.write().await.unwrap();
    sessions::insert(&mut tx, &hash, &row).await.unwrap();
    assert!(app.app.sessions.get(hash).await.unwrap().is_none());
    tx.commit().await.unwrap();
    assert!(app.app.sessions.get(hash).await.unwrap().is_some());
}

#[test]
fn who_is_given_up_during_a_long_statement_writes_nothing_and_keeps_nobody_out() {
    // One thread for what may take long, which is kept busy until whoever asked has given up.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let app = TestApp::start(On::Sqlite).await;
        let mut given_up = app.app.store.write().await.unwrap();
        add(&mut given_up, "given up").await;
        let (go, wait) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || wait.recv());
        let long = limits::forget_over(&mut given_up, 0);
        assert!(long.now_or_never().is_none());
        let more = limits::give_back(&mut given_up, b"given up", 1).await;
        assert!(more.is_err());
        assert!(given_up.commit().await.is_err());
        drop(go);
        let mut next = app.app.store.write().await.unwrap();
        add(&mut next, "next").await;
        next.commit().await.unwrap();
        assert_eq!(seen(&app.app, "given up").await, 0);
        assert_eq!(seen(&app.app, "next").await, 1);
    });
}
