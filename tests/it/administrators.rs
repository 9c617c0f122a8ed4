//! Several administrators: inviting, accepting, handing over, removing, withdrawing.
mod journeys;
mod migration;
mod pages;
mod races;
mod refusals;

use crate::{
    app::{Answer, Client, Person, Register, TestApp},
    world::{OWNER, text},
};
use axum::{body::Body, http::Request};
use serde_json::{Value, json};

/// Who owns a register, and which.
pub(crate) struct Seat {
    pub(crate) owner: Client,
    pub(crate) register: Register,
    person: Person,
}

impl Seat {
    /// Of the tests' usual owner.
    pub(crate) fn of(owner: &Client, register: &Register) -> Self {
        Self::whose(owner, register, OWNER)
    }

    pub(crate) fn whose(owner: &Client, register: &Register, n: usize) -> Self {
        Self {
            owner: owner.clone(),
            register: register.clone(),
            person: Person::number(n),
        }
    }

    /// A register with its owner.
    pub(crate) async fn open(app: &TestApp) -> Self {
        let (owner, register) = crate::app::owned(app).await;
        Self::of(&owner, &register)
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        self.register.path(rest)
    }

    /// A confirmation token for an action on the register.
    pub(crate) async fn token(&self, app: &TestApp, action: &str) -> String {
        let token = self
            .owner
            .confirmation(app, &self.person, action, &self.register);
        token.await
    }

    /// Asks for an invitation; the answer.
    pub(crate) async fn ask(&self, app: &TestApp, departments: Value) -> Answer {
        let token = self.token(app, "add_administrator").await;
        let body = json!({ "departments": departments, "confirmation_token": token });
        self.owner.post(&self.path("/administrators"), body).await
    }

    /// Invites an administrator; the secret of the link.
    pub(crate) async fn invite(&self, app: &TestApp, departments: Value) -> String {
        text(&self.ask(app, departments).await.expect(201)["link"])
    }

    /// Offers the register; the secret of the link.
    pub(crate) async fn hand_over(&self, app: &TestApp) -> String {
        let body = json!({ "confirmation_token": self.token(app, "hand_over").await });
        let made = self.owner.post(&self.path("/hand-over"), body).await;
        text(&made.expect(201)["link"])
    }

    /// Invites somebody who signs in and accepts.
    pub(crate) async fn administrator(
        &self,
        app: &TestApp,
        n: usize,
        departments: Value,
    ) -> Client {
        let link = self.invite(app, departments).await;
        let me = person(app, n).await;
        accept(&me, &link).await.expect(200);
        me
    }

    /// The list as somebody sees it.
    pub(crate) async fn list(&self, client: &Client) -> Value {
        client.get(&self.path("/administrators")).await.expect(200)
    }

    /// The id of an administrator by their name.
    pub(crate) async fn id_of(&self, n: usize) -> String {
        let all = self.list(&self.owner).await["administrators"].clone();
        let all = all.as_array().unwrap();
        let name = Person::number(n).name;
        text(&all.iter().find(|own| own["name"] == name).unwrap()["id"])
    }
}

/// Somebody signed in.
pub(crate) async fn person(app: &TestApp, n: usize) -> Client {
    let person = Person::number(n);
    app.put(&person, json!({})).await;
    app.sign_in(&person).await
}

pub(crate) async fn show(client: &Client, link: &str) -> Answer {
    client.get(&format!("/api/v1/invitations/{link}")).await
}

pub(crate) async fn accept(client: &Client, link: &str) -> Answer {
    let path = format!("/api/v1/invitations/{link}");
    client.post(&path, json!({})).await
}

/// A page as a browser that is signed in asks for it.
pub(crate) async fn page(client: &Client, path: &str) -> (Answer, String) {
    let token = client.bearer.clone().unwrap_or_default();
    let request = Request::get(path).header("cookie", format!("__Host-tb_session={token}"));
    let answer = client.raw(request.body(Body::empty()).unwrap()).await;
    let shown = String::from_utf8(answer.bytes.clone()).unwrap();
    (answer, shown)
}

/// A form as a browser that is signed in posts it.
pub(crate) async fn form(client: &Client, path: &str, body: &str) -> Answer {
    let token = client.bearer.clone().unwrap_or_default();
    form_with(client, path, body, &format!("__Host-tb_session={token}")).await
}

/// The same with more cookies.
pub(crate) async fn form_with(client: &Client, path: &str, body: &str, cookies: &str) -> Answer {
    let request = Request::post(path)
        .header("cookie", cookies)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(Body::from(body.to_owned())).unwrap();
    client.raw(request).await
}
