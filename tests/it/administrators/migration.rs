//! A register of before there were ids is one like any other.
use super::{Seat, person};
use crate::{app::TestApp, on_both, world::text};
use serde_json::json;

/// The schema as it was before the migration, with its rows.
const BEFORE: &[&str] = &[
    "drop table invitations",
    "create table old_administrators as \
     select register_id, person_id, role, departments, added_at from register_administrators",
    "drop table register_administrators",
    "alter table old_administrators rename to register_administrators",
    "delete from _sqlx_migrations where version = 4",
];

on_both! {
    async fn administrators_of_before_are_there_with_ids_of_their_own(app: TestApp) {
        let seat = Seat::open(&app).await;
        let second = app.register(&seat.owner).await;
        app.app.store.close().await;
        for statement in BEFORE {
            if app.is_sqlite() {
                app.sqlite().execute_batch(statement).unwrap();
            } else {
                let pool = sqlx::PgPool::connect(&app.config.database.url).await.unwrap();
                sqlx::query(*statement).execute(&pool).await.unwrap();
                pool.close().await;
            }
        }
        let app = app.restarted(|_| {}).await;
        let owner = app.client().with(seat.owner.bearer.as_deref());
        let [first, second] = [Seat::of(&owner, &seat.register), Seat::of(&owner, &second)];
        let mut ids = Vec::new();
        for seat in [&first, &second] {
            let all = seat.list(&owner).await;
            assert_eq!(all["administrators"].as_array().unwrap().len(), 1);
            assert_eq!((&all["administrators"][0]["role"], &all["administrators"][0]["self"]),
                (&json!("owner"), &json!(true)));
            ids.push(text(&all["administrators"][0]["id"]));
        }
        assert_ne!(ids[0], ids[1], "an id for each register");
        let link = first.invite(&app, json!(null)).await;
        super::accept(&person(&app, 901).await, &link).await.expect(200);
    }
}
