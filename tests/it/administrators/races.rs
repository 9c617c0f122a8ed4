//! At the same time: one acceptance, one owner, no limit passed.
use super::{Seat, accept, person};
use crate::{
    app::TestApp,
    on_both,
    rows::{assert_whole, rows},
    world::{lift, text},
};
use futures_util::future::{join, join_all};
use serde_json::json;

const ROUNDS: usize = 6;

on_both! {
    async fn of_two_acceptances_at_once_one_wins(app: TestApp) {
        let app = app.restarted(lift).await;
        let seat = Seat::open(&app).await;
        for n in 0..ROUNDS {
            let [first, second] = [person(&app, 910 + 2 * n).await, person(&app, 911 + 2 * n).await];
            let link = seat.invite(&app, json!(null)).await;
            let (a, b) = join(accept(&first, &link), accept(&second, &link)).await;
            let mut statuses = [a.status, b.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 410], "{} {}", a.body, b.body);
            assert_eq!(rows(&app).await.count("register_administrators"), n + 2);
            assert_whole(&app).await;
        }
    }
}

on_both! {
    async fn ten_acceptances_of_a_hand_over_at_once_leave_one_owner(app: TestApp) {
        let app = app.restarted(lift).await;
        let seat = Seat::open(&app).await;
        let link = seat.hand_over(&app).await;
        let mut clients = Vec::new();
        for n in 0..10 {
            clients.push(person(&app, 910 + n).await);
        }
        let answers = join_all(clients.iter().map(|client| accept(client, &link))).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        let lost = answers.iter().filter(|answer| answer.status == 410).count();
        assert_eq!((won, lost), (1, 9));
        assert_whole(&app).await;
    }
}

on_both! {
    async fn an_acceptance_and_a_withdrawal_at_once_are_one_or_the_other(app: TestApp) {
        let app = app.restarted(|config| {
            lift(config);
            config.limits.administrators_register = 100;
        }).await;
        let seat = Seat::open(&app).await;
        for n in 0..ROUNDS {
            let me = person(&app, 910 + n).await;
            let link = seat.invite(&app, json!(null)).await;
            let id = text(&seat.list(&seat.owner).await["invitations"][0]["id"]);
            let path = seat.path(&format!("/invitations/{id}"));
            let (accepted, withdrawn) = join(accept(&me, &link), seat.owner.delete(&path)).await;
            let won = accepted.status == 200;
            match accepted.status {
                200 => assert_eq!(withdrawn.problem(404), "not_found"),
                _ => {
                    assert_eq!(accepted.problem(410), "invitation_ended");
                    withdrawn.expect(204);
                }
            }
            let is_in = me.get(&seat.path("")).await.status == 200;
            assert_eq!(is_in, won);
            assert_whole(&app).await;
        }
    }
}

on_both! {
    async fn a_hand_over_and_a_removal_at_once_leave_one_owner(app: TestApp) {
        let app = app.restarted(lift).await;
        for n in 0..ROUNDS {
            let owner = person(&app, 900).await;
            let register = app.register(&owner).await;
            let seat = Seat::of(&owner, &register);
            let other = seat.administrator(&app, 910 + n, json!(null)).await;
            let path = seat.path(&format!("/administrators/{}", seat.id_of(910 + n).await));
            let link = seat.hand_over(&app).await;
            let (accepted, removed) = join(accept(&other, &link), owner.delete(&path)).await;
            assert_whole(&app).await;
            match (accepted.status, removed.status) {
                // Removed, and taken over as one who comes from outside; or erased before.
                (200 | 401, 204) => {}
                // Taken over first: who asked to remove is the owner no more.
                (200, 404) => {
                    let all = seat.list(&other).await;
                    assert_eq!(all["administrators"].as_array().unwrap().len(), 2);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

on_both! {
    async fn two_invitations_at_once_pass_no_limit(app: TestApp) {
        let app = app.restarted(|config| {
            lift(config);
            config.limits.administrators_register = 2;
        }).await;
        let seat = Seat::open(&app).await;
        let mut bodies = Vec::new();
        for _ in 0..4 {
            let token = seat.token(&app, "add_administrator").await;
            bodies.push(json!({ "confirmation_token": token }));
        }
        let path = seat.path("/administrators");
        let answers = join_all(bodies.into_iter().map(|body| seat.owner.post(&path, body))).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        let full = answers.iter().filter(|answer| answer.status == 422).count();
        assert_eq!((made, full), (1, 3));
        assert_eq!(rows(&app).await.count("invitations"), 1);
    }
}

on_both! {
    async fn two_hand_overs_at_once_leave_one_link(app: TestApp) {
        let app = app.restarted(lift).await;
        let seat = Seat::open(&app).await;
        let mut bodies = Vec::new();
        for _ in 0..4 {
            bodies.push(json!({ "confirmation_token": seat.token(&app, "hand_over").await }));
        }
        let path = seat.path("/hand-over");
        let answers = join_all(bodies.into_iter().map(|body| seat.owner.post(&path, body))).await;
        assert!(answers.iter().all(|answer| answer.status == 201));
        assert_eq!(rows(&app).await.count("invitations"), 1);
    }
}

on_both! {
    async fn somebodys_last_register_is_accepted_once(app: TestApp) {
        let app = app.restarted(|config| {
            lift(config);
            config.limits.registers_administrator = 8;
        }).await;
        let [owner, me] = [person(&app, 900).await, person(&app, 901).await];
        let mut links = Vec::new();
        for n in 0..8 {
            let register = app.register(&owner).await;
            links.push(Seat::of(&owner, &register).invite(&app, json!(null)).await);
            if n > 0 {
                app.register(&me).await;
            }
        }
        // Of all that are left one is accepted, and given up again.
        while !links.is_empty() {
            let answers = join_all(links.iter().map(|link| accept(&me, link))).await;
            let count = |status| answers.iter().filter(|answer| answer.status == status).count();
            assert_eq!((count(200), count(422)), (1, links.len() - 1));
            let won = answers.iter().position(|answer| answer.status == 200).unwrap();
            let path = format!("/api/v1/registers/{}/administrators", text(&answers[won].body["register_id"]));
            let all = me.get(&path).await.expect(200)["administrators"].clone();
            me.delete(&format!("{path}/{}", text(&all[1]["id"]))).await.expect(204);
            links.remove(won);
            assert_whole(&app).await;
        }
    }
}
