//! The pages around a passkey; the script between them is the browser tests'.
use super::{Administrator, OWN, Passkey, challenge, sign_in};
use crate::{
    administrators::{form, form_with, page},
    app::{Answer, Client, Person, TestApp},
    on_both,
    world::lift,
};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

/// JSON as the script fills it into a form.
fn fields(values: &Value, more: &[(&str, &str)]) -> String {
    let values = values.as_object().unwrap();
    let mut form = Serializer::new(String::new());
    for (name, value) in values {
        form.append_pair(name, value.as_str().unwrap());
    }
    form.extend_pairs(more).finish()
}

/// Posts what sends a code, and the code; the cookies that a browser keeps are kept.
async fn through(app: &TestApp, client: &Client, who: &Person, first: &str, body: &str) -> Answer {
    let session = format!("__Host-tb_session={}", client.bearer.as_deref().unwrap());
    let begun = form_with(client, first, body, &session).await;
    assert_eq!(
        (begun.status, &begun.headers["location"]),
        (303, &"/me/passkeys/code".parse().unwrap())
    );
    let set = begun.headers.get_all("set-cookie").iter();
    let set = set.map(|line| line.to_str().unwrap().split(';').next().unwrap());
    let cookies = set.fold(session, |all, one| format!("{all}; {one}"));
    let code = app.code(who.phone());
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let place = "/me/passkeys/code";
    let refused = form_with(client, place, &format!("code={wrong}"), &cookies).await;
    assert_eq!(refused.status, 422);
    let done = form_with(client, place, &format!("code={code}"), &cookies).await;
    let again = form_with(client, place, &format!("code={code}"), &cookies).await;
    assert_eq!(again.status, 410, "the code works once");
    done
}

/// What the page of making one gives to its script.
fn options(shown: &str) -> Value {
    let attribute = shown.split("data-options=\"").nth(1).unwrap();
    let attribute = attribute.split('"').next().unwrap();
    serde_json::from_str(&attribute.replace("&#34;", "\"")).unwrap()
}

on_both! {
    async fn a_passkey_is_added_shown_and_removed_on_the_pages(app: TestApp) {
        let app = app.restarted(lift).await;
        let own = Administrator::new(&app, 900).await;
        let (_, mine) = page(&own.client, "/me").await;
        assert!(mine.contains("href=\"/me/passkeys\""));
        let (_, registers) = page(&own.client, "/registers").await;
        assert!(registers.contains("href=\"/me/passkeys\""), "offered");
        let (_, listed) = page(&own.client, "/me/passkeys").await;
        assert!(listed.contains("短信验证码可能被人骗走"), "what an SMS is worth is said");
        let unnamed = form(&own.client, "/me/passkeys/new", "label=").await;
        assert_eq!(unnamed.status, 422);
        let label = "label=%E6%88%91%E7%9A%84%E6%89%8B%E6%9C%BA";
        let shown = through(&app, &own.client, &own.person, "/me/passkeys/new", label).await;
        assert_eq!(shown.status, 200);
        let shown = String::from_utf8(shown.bytes).unwrap();
        let mut passkey = Passkey::new();
        let mut made = passkey.made(&options(&shown));
        made["label"] = json!("我的手机");
        let added = form(&own.client, "/me/passkeys", &fields(&made, &[])).await;
        assert_eq!(added.headers["location"], "/me/passkeys?done=added");
        let again = form(&own.client, "/me/passkeys", &fields(&made, &[])).await;
        assert_eq!(again.status, 422);
        // A second browser, so that there is one to end.
        let (_, sign_in_page) = page(&app.client(), "/sign-in?next=%2Fregisters").await;
        assert!(sign_in_page.contains("data-passkey=\"show\" data-rp=\"register.example\" hidden"));
        let (_, leaving) = page(&app.client(), "/sign-in?purpose=leave").await;
        assert!(!leaving.contains("data-passkey"));
        let shown = passkey.shown(&challenge(&app.client()).await);
        let signed = form(&app.client(), "/sign-in/passkey", &fields(&shown, &[("next", "/registers")])).await;
        assert_eq!((signed.status, &signed.headers["location"]), (303, &"/registers".parse().unwrap()));
        let cookie = signed.headers.get_all("set-cookie").iter().find_map(|line| {
            let line = line.to_str().unwrap();
            line.strip_prefix("__Host-tb_session=").map(|rest| rest.split(';').next().unwrap().to_owned())
        });
        let there = app.client().with(cookie.as_deref());
        let (answer, listed) = page(&there, "/me/passkeys?done=added").await;
        assert_eq!(answer.status, 200);
        assert!(listed.contains("我的手机") && listed.contains("action=\"/me/sessions/others\""));
        let (_, sessions) = page(&there, "/me/sessions").await;
        assert!(sessions.contains("<em class=\"tag\">通行密钥</em>"));
        // Elsewhere than on this site it leads nowhere, and what is refused is a page.
        let elsewhere = passkey.shown(&challenge(&app.client()).await);
        let elsewhere = form(&app.client(), "/sign-in/passkey", &fields(&elsewhere, &[("next", "//evil.example")])).await;
        assert_eq!(elsewhere.headers["location"], "/me");
        let refused = form(&app.client(), "/sign-in/passkey", "id=x").await;
        assert_eq!(refused.status, 422);
        assert!(String::from_utf8(refused.bytes).unwrap().contains("通行密钥不能登录"));
        let id = there.get(OWN).await.expect(200)[0]["id"].as_str().unwrap().to_owned();
        let remove = format!("/me/passkeys/{id}/remove");
        let (_, asked) = page(&there, &remove).await;
        assert!(asked.contains("移除“我的手机”？"));
        let removed = through(&app, &there, &own.person, &remove, "").await;
        assert_eq!(removed.headers["location"], "/me/passkeys?done=removed");
        let (_, listed) = page(&there, "/me/passkeys?done=removed").await;
        assert!(listed.contains("action=\"/me/sessions/others\"") && !listed.contains("我的手机"));
    }
}

on_both! {
    async fn anothers_passkey_and_a_members_pages_are_not_there(app: TestApp) {
        let own = Administrator::new(&app, 900).await;
        let other = Administrator::new(&app, 901).await;
        let id = own.add(&app, &mut Passkey::new()).await;
        let joined = app.member(&own.register, &Person::number(1)).await;
        let member = app.client().with(joined["token"].as_str());
        for path in ["/me/passkeys", "/me/passkeys/new"] {
            assert_eq!(page(&member, path).await.0.status, 404, "{path}");
        }
        assert_eq!(form(&member, "/me/passkeys/new", "label=x").await.status, 404);
        assert_eq!(form(&member, "/me/passkeys", "label=x").await.status, 404);
        let remove = format!("/me/passkeys/{id}/remove");
        for client in [&other.client, &member] {
            assert_eq!(page(client, &remove).await.0.status, 404);
            assert_eq!(form(client, &remove, "").await.status, 404);
        }
        let (_, mine) = page(&member, "/me").await;
        assert!(!mine.contains("/me/passkeys"));
        assert_eq!(super::count(&app).await, 1);
    }
}

on_both! {
    async fn where_a_passkey_is_required_the_pages_lead_to_it(app: TestApp) {
        let app = app.restarted(|config| {
            lift(config);
            config.auth.administrators = tuantibu::config::Administrators::Required;
        }).await;
        let own = Administrator::new(&app, 900).await;
        let path = format!("/registers/{}", own.register.id);
        let (refused, shown) = page(&own.client, &path).await;
        assert!(refused.status == 403 && shown.contains("href=\"/me/passkeys\""));
        let (_, listed) = page(&own.client, "/me/passkeys").await;
        assert!(!listed.contains("data-passkey"), "there is none to show");
        let mut passkey = own.passkey(&app).await;
        let by_code = app.sign_in(&own.person).await;
        let (_, listed) = page(&by_code, "/me/passkeys").await;
        assert!(listed.contains("data-passkey=\"show\""));
        assert_eq!(page(&sign_in(&app.client(), &mut passkey).await, &path).await.0.status, 200);
    }
}
