//! Registers from their making to their end, through the actions.
use jiff::Timestamp;
use std::{net::Ipv4Addr, sync::Arc};
use tempfile::TempDir;
use tuantibu::{
    actions::{
        Actor, Session, change_register::ChangedRegister, change_register::change_register,
        code_image::ImageFormat, code_image::code_image, create_register::NewRegister,
        create_register::create_register, delete_register::Cause, delete_register::Erasure,
        delete_register::RegisterDeletion, delete_register::delete_register,
        delete_register::erase_register, export_register::ExportFormat,
        export_register::ExportRequest, export_register::begin_export,
        list_registers::list_registers, operator, replace_code::replace_code,
        report_register::Report, report_register::report_own, report_register::report_register,
        show_register::show_register,
    },
    app::{App, Parts},
    clock::ManualClock,
    config::Config,
    crypto::token_hash,
    error::Error,
    model::{
        address::AddressProblem,
        id::Id,
        register::{AskedItem, TypedRequirement},
    },
    sheet::Sheet,
    store::{
        authorizations::{self, AuthorizationRow},
        persons, registers, sessions, verifications,
    },
    texts::Lang,
};

struct Scene {
    app: Arc<App>,
    clock: Arc<ManualClock>,
    _folder: TempDir,
}

/// An app of its own.
async fn scene(change: impl FnOnce(&mut Config)) -> Scene {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut config = Config::default();
    config.database.url = format!("sqlite:{}", at("t.db").display());
    config.keys.file = at("root.key");
    config.source.url = at("source.db").display().to_string();
    config.server.public_url = "https://health.example.cn".to_owned();
    change(&mut config);
    let now: Timestamp = "2022-11-15T10:00:00+08:00".parse().unwrap();
    let clock = Arc::new(ManualClock::new(now));
    let parts = Parts {
        clock: clock.clone(),
        ..Parts::default()
    };
    Scene {
        app: App::start(config, parts).await.unwrap(),
        clock,
        _folder: folder,
    }
}

impl Scene {
    /// Somebody who is signed in.
    async fn person(&self, number: u8) -> Actor {
        let mut tx = self.app.store.write().await.unwrap();
        let id = [number; 16];
        let now = self.app.now();
        persons::upsert(&mut tx, &id, &[number; 32], &[number; 32], b"profile", now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Actor {
            address: Ipv4Addr::new(192, 0, 2, number).into(),
            session: Some(Session {
                id: Id([number + 100; 16]),
                person: Id(id),
                leave_only: false,
                by_passkey: false,
            }),
            flow: None,
            lang: Lang::default(),
        }
    }

    async fn token(&self, actor: &Actor, action: &str, register: &str) -> String {
        let token = format!("token for {action} of {register}");
        let mut tx = self.app.store.write().await.unwrap();
        let register = Id::parse(register).unwrap();
        sessions::insert_token(
            &mut tx,
            &token_hash(&token),
            actor.session.unwrap().id.bytes(),
            action,
            Some(register.bytes()),
            self.app.now() + 300_000,
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        token
    }

    async fn join(&self, register: Id, actor: &Actor, department: Option<&str>) -> Id {
        let person = actor.session.unwrap().person;
        let mut tx = self.app.store.write().await.unwrap();
        let row = registers::get(&mut tx, register.bytes()).await.unwrap();
        let code_hash = row.unwrap().code_hash;
        let open = registers::Open {
            most: 1000,
            code_hash: &code_hash,
            today: "2022-01-01",
        };
        let joined = registers::add_member(&mut tx, register.bytes(), 1, &open).await;
        assert!(joined.unwrap().is_some());
        let row = AuthorizationRow {
            register_id: register.bytes().to_vec(),
            person_id: person.bytes().to_vec(),
            id: vec![person.0[0]; 16],
            guardian_id: None,
            items: "nucleic_acid".to_owned(),
            sharing: 0,
            requirements_version: 1,
            consent_version: "1".to_owned(),
            consented_at: self.app.now(),
            department: department.map(str::to_owned),
            joined_at: self.app.now(),
            leave_hash: vec![person.0[0]; 32],
        };
        authorizations::upsert(&mut tx, &row).await.unwrap();
        tx.commit().await.unwrap();
        Id([person.0[0]; 16])
    }

    async fn is_there(&self, actor: &Actor) -> bool {
        let mut tx = self.app.store.read().await.unwrap();
        let person = actor.session.unwrap().person;
        persons::by_id(&mut tx, person.bytes())
            .await
            .unwrap()
            .is_some()
    }
}

fn school() -> NewRegister {
    NewRegister {
        organisation: "海淀区第一小学".to_owned(),
        contact: "校医室 010-62345678 转 8001".to_owned(),
        street_code: "110108011".to_owned(),
        purpose: "返校核验".to_owned(),
        items: vec![AskedItem {
            item: "nucleic_acid".to_owned(),
            required: true,
        }],
        requirements: vec![TypedRequirement {
            item: "nucleic_acid".to_owned(),
            max_days: Some(3),
            ..TypedRequirement::default()
        }],
        departments: Some(vec!["一年级".to_owned(), "二年级".to_owned()]),
        ..NewRegister::default()
    }
}

fn change(json: serde_json::Value) -> ChangedRegister {
    serde_json::from_value(json).unwrap()
}

fn fields(error: Error) -> Vec<(String, &'static str)> {
    match error {
        Error::Invalid(errors) => errors.into_iter().map(|e| (e.field, e.code)).collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_register_is_made_and_shown_to_its_owner_alone() {
    let scene = scene(|_| {}).await;
    let app = &*scene.app;
    let (owner, stranger) = (scene.person(1).await, scene.person(2).await);
    let made = create_register(app, &owner, &school()).await.unwrap();
    assert_eq!(made.code.len(), 22);
    let address = format!("https://health.example.cn/j/{}", made.code);
    assert_eq!(made.join_url, address);
    assert_eq!((made.role, made.members, made.waiting), ("owner", 0, 0));
    assert_eq!(made.street, "北京市海淀区中关村街道");
    assert_eq!(made.contact_dial.as_deref(), Some("01062345678"));
    assert_eq!(made.code_warning, None);
    assert_eq!(made.created_at, "2022-11-15T10:00:00+08:00");

    let id = Id::parse(&made.id).unwrap();
    let shown = show_register(app, &owner, id).await.unwrap();
    assert_eq!(
        serde_json::to_value(&shown).unwrap(),
        serde_json::to_value(&made).unwrap()
    );
    let listed = list_registers(app, &owner).await.unwrap();
    assert_eq!(listed[0].join_url, address);
    for format in [ImageFormat::Svg, ImageFormat::Png] {
        let image = code_image(app, &owner, id, format).await.unwrap();
        let again = code_image(app, &owner, id, format).await.unwrap();
        assert!(!image.bytes.is_empty() && image == again);
    }

    assert!(list_registers(app, &stranger).await.unwrap().is_empty());
    let other = Id([9; 16]);
    for id in [id, other] {
        let tries = [
            show_register(app, &stranger, id).await.err(),
            change_register(app, &stranger, id, &change(serde_json::json!({})))
                .await
                .err(),
            replace_code(app, &stranger, id).await.err(),
            delete_register(app, &stranger, id, &RegisterDeletion::default())
                .await
                .err(),
            code_image(app, &stranger, id, ImageFormat::Png).await.err(),
        ];
        assert!(tries.iter().all(|t| matches!(t, Some(Error::NotFound))));
    }
    let nobody = Actor {
        session: None,
        ..owner.clone()
    };
    let mut leaving = owner.clone();
    leaving.session.as_mut().unwrap().leave_only = true;
    for actor in [nobody, leaving] {
        let refused = create_register(app, &actor, &school()).await.err();
        assert!(matches!(refused, Some(Error::NotSignedIn)));
    }
}

#[tokio::test]
async fn creations_and_registers_are_bounded_and_an_erased_person_makes_none() {
    let scene = scene(|config| {
        config.limits.registers_administrator = 2;
        config.limits.creations_person = 4;
        config.server.public_url = "http://192.168.1.5:8080".to_owned();
    })
    .await;
    let app = &*scene.app;
    let owner = scene.person(1).await;
    let made = create_register(app, &owner, &school()).await.unwrap();
    assert_eq!(made.code_warning, Some(AddressProblem::Private));
    let id = Id::parse(&made.id).unwrap();
    create_register(app, &owner, &school()).await.unwrap();
    let refused = create_register(app, &owner, &school()).await.err();
    assert!(matches!(refused, Some(Error::TooManyRegisters)));
    replace_code(app, &owner, id).await.unwrap();
    replace_code(app, &owner, id).await.unwrap();
    let refused = replace_code(app, &owner, id).await.err();
    assert!(matches!(
        refused,
        Some(Error::TooManyAttempts { today: true, .. })
    ));
    let mut gone = owner.clone();
    gone.session.as_mut().unwrap().person = Id([9; 16]);
    let refused = create_register(app, &gone, &school()).await.err();
    assert!(matches!(refused, Some(Error::NotSignedIn)));
}

#[tokio::test]
async fn a_change_keeps_what_members_joined_under() {
    let scene = scene(|_| {}).await;
    let app = &*scene.app;
    let (owner, member) = (scene.person(1).await, scene.person(2).await);
    let made = create_register(app, &owner, &school()).await.unwrap();
    let id = Id::parse(&made.id).unwrap();
    operator::set_vouched(app, &made.code, true).await.unwrap();
    let renamed = change(serde_json::json!({
        "organisation": "海淀区第二小学", "ends_on": "2023-01-31", "administrator_title": "校医"
    }));
    let new = change_register(app, &owner, id, &renamed).await.unwrap();
    assert_eq!(new.organisation, "海淀区第二小学");
    assert!(!new.vouched, "the operator vouched for another name");
    let nothing = change(serde_json::json!({ "ends_on": null, "administrator_title": "" }));
    let new = change_register(app, &owner, id, &nothing).await.unwrap();
    assert_eq!((new.ends_on, new.administrator_title), (None, None));

    scene.join(id, &member, None).await;
    let late = change(serde_json::json!({ "organisation": "x", "purpose": "y" }));
    let refused = change_register(app, &owner, id, &late).await.err().unwrap();
    let wanted = [("organisation", "fixed"), ("purpose", "fixed")];
    assert_eq!(fields(refused), wanted.map(|(f, c)| (f.to_owned(), c)));

    let more = change(serde_json::json!({
        "organisation": "海淀区第二小学",
        "items": [
            { "item": "nucleic_acid", "required": true },
            { "item": "health_code", "required": false }
        ],
        "requirements": [{ "item": "health_code", "allowed": ["green", "green"] }]
    }));
    let new = change_register(app, &owner, id, &more).await.unwrap();
    assert_eq!((new.requirements_version, new.members), (2, 1));
    assert_eq!(new.requirements_history.len(), 2);
    assert!(new.fixed);
    let shown = show_register(app, &owner, id).await.unwrap();
    assert_eq!(
        serde_json::to_value(&shown.requirements).unwrap(),
        serde_json::json!([{ "item": "health_code", "allowed": ["green"] }])
    );
    let unknown = serde_json::from_value::<ChangedRegister>(serde_json::json!({ "owner_id": 1 }));
    assert!(unknown.is_err());
}

#[tokio::test]
async fn a_limited_administrator_counts_their_departments() {
    let scene = scene(|_| {}).await;
    let app = &*scene.app;
    let (owner, limited) = (scene.person(1).await, scene.person(2).await);
    let made = create_register(app, &owner, &school()).await.unwrap();
    let id = Id::parse(&made.id).unwrap();
    let mut tx = app.store.write().await.unwrap();
    let person = limited.session.unwrap().person;
    let departments = Some("[\"一年级\"]");
    registers::insert_administrator(
        &mut tx,
        person.bytes(),
        id.bytes(),
        person.bytes(),
        0,
        departments,
        0,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    for (number, department) in [(3, Some("一年级")), (4, Some("二年级")), (5, None)] {
        let member = scene.person(number).await;
        scene.join(id, &member, department).await;
    }
    let shown = show_register(app, &limited, id).await.unwrap();
    assert_eq!((shown.role, shown.members), ("administrator", 1));
    assert_eq!(list_registers(app, &limited).await.unwrap()[0].members, 1);
    assert_eq!(list_registers(app, &owner).await.unwrap()[0].members, 3);
    let refused = replace_code(app, &limited, id).await.err();
    assert!(matches!(refused, Some(Error::NotFound)));
}

#[tokio::test]
async fn deletion_needs_the_name_and_a_fresh_code_and_erases() {
    let scene = scene(|_| {}).await;
    let app = &*scene.app;
    let (owner, busy) = (scene.person(1).await, scene.person(2).await);
    let made = create_register(app, &owner, &school()).await.unwrap();
    let other = create_register(app, &busy, &school()).await.unwrap();
    let id = Id::parse(&made.id).unwrap();
    scene.join(id, &busy, None).await;
    let only_here = scene.person(3).await;
    scene.join(id, &only_here, None).await;
    let token = scene.token(&owner, "delete_register", &made.id).await;
    let deletion = |organisation: &str, token: &str| RegisterDeletion {
        organisation: organisation.to_owned(),
        confirmation_token: token.to_owned(),
    };
    let wrong = delete_register(app, &owner, id, &deletion("海淀区第一中学", &token)).await;
    let wanted = [("organisation".to_owned(), "different")];
    assert_eq!(fields(wrong.err().unwrap()), wanted);
    let export = scene.token(&owner, "export", &made.id).await;
    for bad in ["", &export] {
        let refused = delete_register(app, &owner, id, &deletion("海淀区第一小学", bad)).await;
        assert!(matches!(refused, Err(Error::ConfirmationRequired)));
    }
    let receipt = delete_register(app, &owner, id, &deletion(" 海淀区第一小学 ", &token)).await;
    let receipt = receipt.unwrap();
    assert!(receipt.erased.contains(&"own_profile"));
    assert_eq!(receipt.at, "2022-11-15T10:00:00+08:00");
    assert!(!scene.is_there(&owner).await && !scene.is_there(&only_here).await);
    assert!(scene.is_there(&busy).await, "administers another register");
    let shown = show_register(app, &owner, id).await.err();
    assert!(matches!(shown, Some(Error::NotFound)));
    let report = Report {
        reason: "x".to_owned(),
    };
    let replaced = report_register(app, &busy, &made.code, &report).await;
    assert!(matches!(replaced, Err(Error::CodeReplaced)));
    assert!(operator::show(app, &other.id).await.is_ok());
}

#[tokio::test]
async fn an_ended_register_is_erased_by_the_worker_and_twice_is_once() {
    let scene = scene(|_| {}).await;
    let app = &*scene.app;
    let owner = scene.person(1).await;
    let new = NewRegister {
        ends_on: Some("2022-11-15".to_owned()),
        ..school()
    };
    let made = create_register(app, &owner, &new).await.unwrap();
    let id = Id::parse(&made.id).unwrap();
    for number in 2..=250 {
        let member = scene.person(number.min(150)).await;
        scene.join(id, &member, None).await;
    }
    scene.clock.advance(24 * 60 * 60);
    let gone = show_register(app, &owner, id).await.err();
    assert!(matches!(gone, Some(Error::NotFound)));
    let mut tx = app.store.read().await.unwrap();
    let today = app.today().to_string();
    let ended = registers::ended(&mut tx, &today, 0, 10).await.unwrap();
    assert_eq!(ended, [(id.bytes().to_vec(), 1)]);
    drop(tx);
    let erasure = erase_register(app, id, Cause::Ended).await.unwrap();
    assert_eq!(erasure.members, 149);
    assert_eq!(erasure.administrators, [owner.session.unwrap().person]);
    let again = erase_register(app, id, Cause::Ended).await.unwrap();
    assert_eq!(again, Erasure::default());
    let mut tx = app.store.read().await.unwrap();
    let waiting = verifications::count_pending(&mut tx, id.bytes(), 0).await;
    assert_eq!(waiting.unwrap(), 0);
}

#[tokio::test]
async fn reports_reach_the_operator_who_can_freeze() {
    let scene = scene(|config| config.limits.reports_address_hour = 3).await;
    let app = &*scene.app;
    let (owner, member) = (scene.person(1).await, scene.person(2).await);
    let made = create_register(app, &owner, &school()).await.unwrap();
    let id = Id::parse(&made.id).unwrap();
    let own = scene.join(id, &member, None).await;
    assert!(operator::list(app, true).await.unwrap().is_empty());
    let report = |reason: &str| Report {
        reason: reason.to_owned(),
    };
    let empty = report_register(app, &member, &made.code, &report(" \n")).await;
    assert_eq!(
        fields(empty.err().unwrap()),
        [("reason".to_owned(), "required")]
    );
    let unknown = report_register(app, &member, "nothing", &report("x")).await;
    assert!(matches!(unknown, Err(Error::NotFound)));
    report_register(app, &member, &made.code, &report("冒用\n校名"))
        .await
        .unwrap();
    scene.clock.advance(1);
    report_own(app, &member, own, &report("多收"))
        .await
        .unwrap();
    let much = report_register(app, &member, &made.code, &report("x")).await;
    assert!(matches!(much, Err(Error::TooManyAttempts { .. })));
    let others = report_own(app, &owner, own, &report("x")).await;
    assert!(matches!(others, Err(Error::NotFound)));

    let listed = operator::list(app, true).await.unwrap();
    assert_eq!((listed.len(), listed[0].reports), (1, 2));
    for name in [&made.id, &made.code, &made.join_url] {
        let frozen = operator::set_frozen(app, name, true).await.unwrap();
        assert!(frozen.register.frozen);
        assert_eq!(frozen.reasons[0].reason, "冒用 校名");
        let thawed = operator::set_frozen(app, name, false).await.unwrap();
        assert!(!thawed.register.frozen);
    }
    operator::set_frozen(app, &made.id, true).await.unwrap();
    assert!(show_register(app, &owner, id).await.unwrap().frozen);
    assert!(matches!(
        operator::show(app, "nothing").await,
        Err(Error::NotFound)
    ));
    assert_eq!(operator::end_sessions(app, Some(id)).await.unwrap(), 0);
    assert_eq!(operator::end_sessions(app, None).await.unwrap(), 0);
}

#[tokio::test]
async fn an_export_needs_purpose_code_and_a_turn() {
    let scene = scene(|_| {}).await;
    let app = &*scene.app;
    let owner = scene.person(1).await;
    let made = create_register(app, &owner, &school()).await.unwrap();
    let id = Id::parse(&made.id).unwrap();
    let request = |purpose: &str, token: &str| ExportRequest {
        format: ExportFormat::Csv,
        purpose: purpose.to_owned(),
        confirmation_token: token.to_owned(),
    };
    let token = scene.token(&owner, "export", &made.id).await;
    let blank = begin_export(app, &owner, id, &request(" ", &token)).await;
    assert_eq!(
        fields(blank.err().unwrap()),
        [("purpose".to_owned(), "required")]
    );
    let both = app.exports.clone().try_acquire_many_owned(2).unwrap();
    let busy = begin_export(app, &owner, id, &request("报送", &token)).await;
    assert!(matches!(busy.err(), Some(Error::Busy { .. })));
    drop(both);
    let export = begin_export(app, &owner, id, &request("报送", &token)).await;
    let export = export.ok().unwrap();
    assert_eq!(app.exports.available_permits(), 1);
    let sheet = Sheet {
        stamp: vec![("用途".to_owned(), export.purpose.clone())],
        ..Sheet::default()
    };
    let file = export.write(sheet).await.unwrap();
    assert_eq!(file.name, "tuantibu-2022-11-15.csv");
    assert!(String::from_utf8(file.bytes).unwrap().contains("报送"));
    assert_eq!(app.exports.available_permits(), 2);
    let again = begin_export(app, &owner, id, &request("报送", &token)).await;
    assert!(matches!(again.err(), Some(Error::ConfirmationRequired)));
}
