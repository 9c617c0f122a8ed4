//! A small world with one of everything that has an id, for tests that go through every route.
use crate::app::{Client, On, Person, Register, TestApp, join_body};
use serde_json::{Value, json};
use tuantibu::{
    config::Config,
    crypto::{Place, Table, token_hash},
    model::id::Id,
    source::faults::Fault,
    store::{
        administrators::{self, InvitationRow},
        passkeys::{self, PasskeyRow},
    },
};

/// One of everything.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) owner: Client,
    pub(crate) register: Register,
    /// Signed in, and in the register.
    pub(crate) member: Client,
    /// The member's id in the register: the authorization.
    pub(crate) authorization: String,
    pub(crate) leave_link: String,
    /// A sign-in of nobody in particular that was begun.
    pub(crate) verification: String,
    /// A join that waits for the source.
    pub(crate) pending: String,
    /// The member's session.
    pub(crate) session: String,
    /// A passkey of nobody here.
    pub(crate) passkey: String,
    /// The owner's id as an administrator of the register.
    pub(crate) administrator: String,
    /// An open invitation of the register, and the secret of its link.
    pub(crate) invitation: String,
    pub(crate) invitation_link: String,
}

/// Who is who in the world.
pub(crate) const OWNER: usize = 900;
pub(crate) const MEMBER: usize = 1;
const SIGNS_IN: usize = 2;
const WAITS: usize = 3;

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Limits that no test of anything else runs into.
pub(crate) fn lift(config: &mut Config) {
    let most = 1_000_000;
    let limits = &mut config.limits;
    for limit in [
        &mut limits.posts_address,
        &mut limits.confirms_address,
        &mut limits.previews_address,
        &mut limits.unknown_codes_address,
        &mut limits.reads_session,
        &mut limits.reports_address_hour,
        &mut limits.creations_person,
        &mut limits.pending_address_hour,
        &mut limits.mismatches_address_hour,
        &mut limits.mismatches_document,
        &mut limits.mismatches_document_address,
        &mut limits.mismatches_phone,
        &mut limits.mismatches_phone_address,
        &mut limits.sms_phone,
    ] {
        *limit = most;
    }
}

impl World {
    pub(crate) async fn start(on: On) -> Self {
        Self::of(TestApp::start_with(on, lift).await).await
    }

    pub(crate) async fn of(app: TestApp) -> Self {
        let owner = Person::number(OWNER);
        app.put(&owner, json!({})).await;
        let owner = app.sign_in(&owner).await;
        let register = app.register(&owner).await;
        let joined = app.member(&register, &Person::number(MEMBER)).await;
        let member = app.client().with(joined["token"].as_str());
        let sessions = member.get("/api/v1/me/sessions").await.expect(200);
        app.put(&Person::number(SIGNS_IN), json!({})).await;
        let started = app
            .client()
            .post("/api/v1/sign-in", Person::number(SIGNS_IN).identity())
            .await
            .expect(202);
        app.source_is(Fault::Down);
        let join = format!("/api/v1/join/{}", register.code);
        let pending = app
            .client()
            .post(&join, join_body(&Person::number(WAITS)))
            .await
            .expect(202);
        app.source_is(Fault::Ok);
        let list = register.path("/administrators");
        let administrators = owner.get(&list).await.expect(200)["administrators"].clone();
        let invitation_link = invited(&app, &owner, &register).await;
        let invitations = owner.get(&list).await.expect(200)["invitations"].clone();
        Self {
            passkey: passkey(&app).await,
            administrator: text(&administrators[0]["id"]),
            invitation: text(&invitations[0]["id"]),
            invitation_link,
            owner,
            member,
            authorization: text(&joined["authorization"]["id"]),
            leave_link: text(&joined["authorization"]["leave_link"]),
            verification: text(&started["verification_id"]),
            pending: text(&pending["pending_id"]),
            session: text(&sessions[0]["id"]),
            register,
            app,
        }
    }

    /// A path of the OpenAPI document with the parts of this world.
    pub(crate) fn path(&self, template: &str) -> String {
        let id = match template {
            path if path.contains("/me/authorizations/") => &self.authorization,
            path if path.contains("/me/sessions/") => &self.session,
            path if path.contains("/me/passkeys/") => &self.passkey,
            path if path.contains("/verifications/") => &self.verification,
            path if path.contains("/pending/") => &self.pending,
            _ => &self.register.id,
        };
        let link = match template {
            path if path.contains("/invitations/") => &self.invitation_link,
            _ => &self.leave_link,
        };
        template
            .replace("{id}", id)
            .replace("{administrator}", &self.administrator)
            .replace("{invitation}", &self.invitation)
            .replace("{member}", &self.authorization)
            .replace("{code}", &self.register.code)
            .replace("{link}", link)
            .replace("{document_number}", &Person::number(50).document)
    }
}

/// Puts a passkey into the database, without the authenticator that it takes; its id.
async fn passkey(app: &TestApp) -> String {
    let (id, person) = (Id([6; 16]), [7; 16]);
    let place = Place {
        table: Table::Passkeys,
        column: "credential",
        row: id.bytes(),
        bound: &person,
    };
    let row = PasskeyRow {
        id: id.bytes().to_vec(),
        person_id: person.to_vec(),
        credential_hash: vec![8; 32],
        credential: app.app.keys.seal(&place, b"{}"),
        sign_count: 0,
        added_at: app.app.now(),
        used_at: None,
        usable_from: app.app.now(),
    };
    let mut tx = app.app.store.write().await.unwrap();
    passkeys::insert(&mut tx, &row).await.unwrap();
    tx.commit().await.unwrap();
    id.to_string()
}

/// Puts an invitation to a register into the database, without the code that it takes; its link.
async fn invited(app: &TestApp, owner: &Client, register: &Register) -> String {
    let me = owner.get("/api/v1/me").await.expect(200);
    let bytes = |id: &str| Id::parse(id).unwrap().bytes().to_vec();
    let link = "AbCdEfGhIjKlMnOpQrStUw".to_owned();
    let row = InvitationRow {
        id: vec![9; 16],
        register_id: bytes(&register.id),
        link_hash: token_hash(&link).to_vec(),
        becomes: 0,
        inviter_id: bytes(&text(&me["person"]["id"])),
        departments: None,
        created_at: app.app.now(),
        expires_at: app.app.now() + 72 * 3_600_000,
    };
    let mut tx = app.app.store.write().await.unwrap();
    administrators::insert_invitation(&mut tx, &row)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    link
}
