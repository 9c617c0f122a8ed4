//! Passkeys of administrators: added after a fresh code, shown to sign in, removed, and refused in
//! every way in which they are not what they seem.
mod authenticator;
mod journeys;
mod pages;
mod refusals;
mod required;

pub(crate) use authenticator::Passkey;

use crate::{
    app::{Answer, Client, Person, Register, TestApp, confirm_path},
    world::text,
};
use serde_json::{Value, json};

pub(crate) const CHALLENGE: &str = "/api/v1/sign-in/passkey/challenge";
pub(crate) const SIGN_IN: &str = "/api/v1/sign-in/passkey";
pub(crate) const OWN: &str = "/api/v1/me/passkeys";

/// Somebody who administers a register.
pub(crate) struct Administrator {
    pub(crate) client: Client,
    pub(crate) person: Person,
    pub(crate) register: Register,
}

impl Administrator {
    pub(crate) async fn new(app: &TestApp, n: usize) -> Self {
        let client = crate::administrators::person(app, n).await;
        Self {
            register: app.register(&client).await,
            client,
            person: Person::number(n),
        }
    }

    /// A confirmation token for one's own passkeys.
    pub(crate) async fn token(&self, app: &TestApp, action: &str) -> String {
        token(app, &self.client, &self.person, action).await
    }

    /// What a passkey is made of, after a fresh code.
    pub(crate) async fn asked(&self, app: &TestApp) -> Value {
        let body = json!({ "confirmation_token": self.token(app, "add_passkey").await });
        let path = format!("{OWN}/challenge");
        self.client.post(&path, body).await.expect(201)
    }

    /// Adds a passkey; its id.
    pub(crate) async fn add(&self, app: &TestApp, passkey: &mut Passkey) -> String {
        let made = passkey.made(&self.asked(app).await);
        text(&self.client.post(OWN, made).await.expect(201)["id"])
    }

    /// A new passkey that was added.
    pub(crate) async fn passkey(&self, app: &TestApp) -> Passkey {
        let mut passkey = Passkey::new();
        self.add(app, &mut passkey).await;
        passkey
    }

    /// Removes a passkey by its id.
    pub(crate) async fn remove(&self, app: &TestApp, id: &str) -> Answer {
        let body = json!({ "confirmation_token": self.token(app, "remove_passkey").await });
        let path = format!("{OWN}/{id}");
        self.client.send("DELETE", &path, Some(body)).await
    }
}

/// A confirmation token for somebody's own passkeys.
pub(crate) async fn token(app: &TestApp, client: &Client, who: &Person, action: &str) -> String {
    let asked = json!({ "action": action });
    let started = client.post("/api/v1/me/confirmations", asked).await;
    let started = started.expect(202);
    let code = json!({ "code": app.code(who.phone()) });
    let confirmed = client.post(&confirm_path(&started), code).await.expect(200);
    text(&confirmed["confirmation_token"])
}

/// What an authenticator is asked with.
pub(crate) async fn challenge(client: &Client) -> Value {
    client.post(CHALLENGE, json!({})).await.expect(201)
}

/// Signs in with a passkey; the answer.
pub(crate) async fn show(client: &Client, passkey: &mut Passkey) -> Answer {
    let shown = passkey.shown(&challenge(client).await);
    client.post(SIGN_IN, shown).await
}

/// Signs in with a passkey; the caller with the new session.
pub(crate) async fn sign_in(client: &Client, passkey: &mut Passkey) -> Client {
    let session = show(client, passkey).await.expect(200);
    client.with(session["token"].as_str())
}

/// How many passkeys there are in all.
pub(crate) async fn count(app: &TestApp) -> usize {
    crate::rows::rows(app).await.count("passkeys")
}

/// What the audit log tells, in order.
pub(crate) async fn actions(app: &TestApp) -> Vec<String> {
    let text = "select action from audit_events order by number";
    if app.is_sqlite() {
        let database = app.sqlite();
        let mut statement = database.prepare(text).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        return rows.map(Result::unwrap).collect();
    }
    let pool = sqlx::PgPool::connect(&app.config.database.url)
        .await
        .unwrap();
    sqlx::query_scalar(text).fetch_all(&pool).await.unwrap()
}
