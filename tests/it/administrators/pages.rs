//! The pages: the link is shown once, signing in leads back, and other sessions can be ended.
use super::{Seat, form, form_with, page, person, show};
use crate::{
    app::{Client, Person, TestApp, terms},
    on_both,
    rows::rows,
    world::lift,
};
use axum::http::HeaderMap;
use serde_json::json;

/// The cookies that an answer sets, as a browser sends them back.
fn cookies(headers: &HeaderMap, own: &str) -> String {
    let set = headers.get_all("set-cookie").iter();
    let set = set.map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned());
    set.fold(own.to_owned(), |all, one| format!("{all}; {one}"))
}

/// Goes through the two posts of an invitation or a hand-over; what the last one shows.
async fn made(app: &TestApp, seat: &Seat, first: &str, body: &str) -> String {
    let session = format!(
        "__Host-tb_session={}",
        seat.owner.bearer.as_deref().unwrap()
    );
    let begun = form_with(&seat.owner, first, body, &session).await;
    assert_eq!(begun.status, 303);
    let place = begun.headers["location"].to_str().unwrap();
    assert_eq!(
        place,
        format!("/registers/{}/administrators/code", seat.register.id)
    );
    let cookies = cookies(&begun.headers, &session);
    let code = app.code(Person::number(900).phone());
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let refused = form_with(&seat.owner, place, &format!("code={wrong}"), &cookies).await;
    assert_eq!(refused.status, 422);
    let done = form_with(&seat.owner, place, &format!("code={code}"), &cookies).await;
    assert_eq!(done.status, 200);
    let again = form_with(&seat.owner, place, &format!("code={code}"), &cookies).await;
    assert_eq!(again.status, 410, "posted once more it shows no link");
    String::from_utf8(done.bytes).unwrap()
}

fn link_in(shown: &str) -> String {
    let at = shown.split("/invitations/").nth(1).unwrap();
    at.chars().take(22).collect()
}

fn pages_of(seat: &Seat) -> String {
    format!("/registers/{}/administrators", seat.register.id)
}

on_both! {
    async fn an_owner_invites_and_hands_over_on_the_pages(app: TestApp) {
        let seat = Seat::open(&app).await;
        let list = pages_of(&seat);
        let shown = made(&app, &seat, &format!("{list}/invite"), "departments=1").await;
        let link = link_in(&shown);
        assert!(shown.contains("<svg xmlns") && shown.contains("后勤"));
        let offered = show(&app.client(), &link).await.expect(200);
        assert_eq!((&offered["becomes"], &offered["limited_to"]), (&json!("administrator"), &json!(["后勤"])));
        let hand_over = format!("/registers/{}/hand-over", seat.register.id);
        let shown = made(&app, &seat, &hand_over, "").await;
        let offered = show(&app.client(), &link_in(&shown)).await.expect(200);
        assert_eq!((&offered["becomes"], &offered["limited_to"]), (&json!("owner"), &json!(null)));
        let (_, listed) = page(&seat.owner, &list).await;
        assert!(!listed.contains(&link), "shown once");
        assert_eq!(listed.matches("/withdraw\"").count(), 2);
        let id = seat.list(&seat.owner).await["invitations"][0]["id"].as_str().unwrap().to_owned();
        let withdraw = format!("/registers/{}/invitations/{id}/withdraw", seat.register.id);
        assert_eq!(form(&app.client(), &withdraw, "").await.status, 303, "to signing in");
        assert_eq!(form(&seat.owner, &withdraw, "").await.status, 303);
        assert_eq!(seat.list(&seat.owner).await["invitations"].as_array().unwrap().len(), 1);
    }
}

on_both! {
    async fn departments_that_changed_meanwhile_are_chosen_anew(app: TestApp) {
        let seat = Seat::open(&app).await;
        let session = format!("__Host-tb_session={}", seat.owner.bearer.as_deref().unwrap());
        let first = format!("{}/invite", pages_of(&seat));
        let begun = form_with(&seat.owner, &first, "departments=1", &session).await;
        let cookies = cookies(&begun.headers, &session);
        // The second is another one now: nobody is let into what was not chosen.
        let changed = json!({ "departments": ["一年级组", "财务", "后勤"] });
        seat.owner.patch(&seat.path(""), changed).await.expect(200);
        let code = app.code(Person::number(900).phone());
        let place = format!("{}/code", pages_of(&seat));
        let answer = form_with(&seat.owner, &place, &format!("code={code}"), &cookies).await;
        assert_eq!(answer.status, 410);
        assert_eq!(rows(&app).await.count("invitations"), 0);
    }
}

on_both! {
    async fn who_is_not_the_owner_gets_no_page_of_inviting(app: TestApp) {
        let seat = Seat::open(&app).await;
        let other = seat.administrator(&app, 901, json!(null)).await;
        let list = pages_of(&seat);
        let (answer, shown) = page(&other, &list).await;
        assert_eq!(answer.status, 200);
        assert!(shown.contains(&Person::number(900).name) && !shown.contains("/invite\""));
        assert!(!shown.contains("/hand-over\""));
        let owners = seat.id_of(900).await;
        let code = format!("{list}/code");
        for path in [
            format!("{list}/invite"), code, format!("/registers/{}/hand-over", seat.register.id),
            format!("{list}/{owners}/remove"),
        ] {
            assert_eq!(page(&other, &path).await.0.status, 404, "{path}");
            assert_eq!(form(&other, &path, "").await.status, 404, "{path}");
        }
        let last = page(&seat.owner, &format!("{list}/{owners}/remove")).await.0;
        assert_eq!(last.status, 409);
        // Resigning leads to one's own registers.
        let own = seat.id_of(901).await;
        assert_eq!(page(&other, &format!("{list}/{own}/remove")).await.0.status, 200);
        let gone = form(&other, &format!("{list}/{own}/remove"), "").await;
        assert_eq!(gone.headers["location"], "/registers");
        assert_eq!(page(&other, &list).await.0.status, 404);
    }
}

on_both! {
    async fn an_invitations_page_leads_through_signing_in_and_back(app: TestApp) {
        let seat = Seat::open(&app).await;
        let link = seat.invite(&app, json!(["后勤"])).await;
        let path = format!("/invitations/{link}");
        let sign_in = format!("/sign-in?next=%2Finvitations%2F{link}");
        let (answer, shown) = page(&app.client(), &path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(shown.contains(terms()["organisation"].as_str().unwrap()) && shown.contains("后勤"));
        assert!(!shown.contains(&Person::number(900).name), "masked");
        assert!(shown.contains(&sign_in) && !shown.contains("<form method=\"post\" action=\"/invitations"));
        // Posted without a session, it leads to signing in, and nothing is accepted.
        let posted = form(&app.client(), &path, "").await;
        assert_eq!((posted.status, posted.headers["location"].to_str().unwrap()), (303, &*sign_in));
        show(&app.client(), &link).await.expect(200);

        let who = Person::number(901);
        app.put(&who, json!({})).await;
        let browser = app.client();
        let typed = serde_html(&who, &path);
        let begun = form_with(&browser, "/sign-in", &typed, "x=y").await;
        assert_eq!(begun.headers["location"], "/verify");
        let code = app.code(who.phone());
        let cookies = cookies(&begun.headers, "x=y");
        let back = form_with(&browser, "/verify", &format!("code={code}"), &cookies).await;
        assert_eq!(back.headers["location"], path.as_str());
        // Nowhere else than to this site.
        for evil in ["https://evil.example/", "//evil.example/", "/\\evil.example/"] {
            app.clock.advance(61);
            let begun = form_with(&browser, "/sign-in", &serde_html(&who, evil), "x=y").await;
            let cookies = self::cookies(&begun.headers, "x=y");
            let code = app.code(who.phone());
            let back = form_with(&browser, "/verify", &format!("code={code}"), &cookies).await;
            assert_eq!(back.headers["location"], "/me", "{evil}");
        }
        let (answer, shown) = page(&app.client(), "/invitations/AAAAAAAAAAAAAAAAAAAAAA").await;
        assert_eq!(answer.status, 410);
        assert!(shown.contains("这个邀请已失效"));
    }
}

on_both! {
    async fn a_member_reads_of_an_administrator_who_is_gone_that_they_looked(app: TestApp) {
        let seat = Seat::open(&app).await;
        let joined = app.member(&seat.register, &Person::number(1)).await;
        let member = app.client().with(joined["token"].as_str());
        app.clock.advance(60);
        let other = seat.administrator(&app, 901, json!(null)).await;
        other.get(&seat.path("/members")).await.expect(200);
        assert!(!page(&member, "/me").await.1.contains("已离开的管理员"));
        let path = seat.path(&format!("/administrators/{}", seat.id_of(901).await));
        seat.owner.delete(&path).await.expect(204);
        let log = member.get("/api/v1/me/access-log").await.expect(200);
        assert_eq!((&log[0]["action"], &log[0]["administrator_masked"]), (&json!("viewed"), &json!("")));
        assert!(page(&member, "/me").await.1.contains("已离开的管理员"));
    }
}

/// The form of signing in.
fn serde_html(who: &Person, next: &str) -> String {
    let identity = who.identity();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in identity.as_object().unwrap() {
        form.append_pair(name, value.as_str().unwrap());
    }
    form.append_pair("next", next).finish()
}

async fn is_signed_in(client: &Client) -> bool {
    client.get("/api/v1/me").await.status == 200
}

on_both! {
    async fn who_took_on_a_role_may_end_the_other_sessions(app: TestApp) {
        let app = app.restarted(lift).await;
        let seat = Seat::open(&app).await;
        for link in [seat.invite(&app, json!(null)).await, seat.hand_over(&app).await] {
            let old = person(&app, 901).await;
            let me = person(&app, 901).await;
            let (_, shown) = page(&me, &format!("/invitations/{link}")).await;
            assert!(shown.contains(&Person::number(901).name), "who accepts on a shared computer");
            let done = form(&me, &format!("/invitations/{link}"), "").await;
            assert_eq!(done.status, 200);
            let shown = String::from_utf8(done.bytes).unwrap();
            assert!(shown.contains("action=\"/me/sessions/others\""));
            assert!(is_signed_in(&old).await, "offered, not done unasked");
            let ended = form(&me, "/me/sessions/others", "").await;
            assert_eq!(ended.headers["location"], "/me/sessions?ended=others");
            assert!(!is_signed_in(&old).await && is_signed_in(&me).await);
            assert!(is_signed_in(&seat.owner).await, "nobody else's");
            let sessions = me.get("/api/v1/me/sessions").await.expect(200);
            assert_eq!(sessions.as_array().unwrap().len(), 1);
        }
        let link = Seat::whose(&person(&app, 901).await, &seat.register, 901).invite(&app, json!(null)).await;
        let alone = person(&app, 902).await;
        let done = form(&alone, &format!("/invitations/{link}"), "").await;
        let shown = String::from_utf8(done.bytes).unwrap();
        assert!(!shown.contains("/me/sessions/others"), "there is no other");
    }
}
