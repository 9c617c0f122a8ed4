//! What is kept in memory is never old: whatever changes what a register shows is seen by the very
//! next request, of whichever kind, at every server, though the one before was answered from memory.
use crate::{
    app::{Client, On, Person, Register, TestApp, join_body, owned},
    on_both,
    probe::Probe,
    world::{lift, text},
};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tuantibu::{
    actions::refresh_health::refresh_health,
    app::App,
    model::{id::Id, view::View},
};

/// Everything that is answered from the kept view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surface {
    List,
    Summary,
    Member,
    Search,
    Export,
}

const SURFACES: [Surface; 5] = [
    Surface::List,
    Surface::Summary,
    Surface::Member,
    Surface::Search,
    Surface::Export,
];

/// Through which of the two servers something is done; both are looked at through the first.
const EITHER: &[usize] = &[0, 1];
/// What the clock does, it does at every server.
const CLOCK: &[usize] = &[0];

/// A register, its owner at two servers, and how many joined so far.
struct Desk {
    servers: [TestApp; 2],
    owners: Mutex<[Client; 2]>,
    register: Register,
}

/// Somebody who joined.
struct Joined {
    person: Person,
    id: String,
    me: Client,
}

impl Desk {
    async fn open(app: TestApp) -> Self {
        let first = app
            .restarted(|config| {
                lift(config);
                config.limits.exports_day = 1_000_000;
            })
            .await;
        let (owner, register) = owned(&first).await;
        let second = first.another().await;
        let desk = Self {
            owners: Mutex::new([owner.clone(), owner]),
            servers: [first, second],
            register,
        };
        desk.sign_in().await;
        desk
    }

    /// Signs the owner in at each server, as after hours away.
    async fn sign_in(&self) {
        let owner = Person::number(900);
        let [first, second] = &self.servers;
        let owners = [first.sign_in(&owner).await, second.sign_in(&owner).await];
        *self.owners.lock().unwrap() = owners;
    }

    fn owner(&self, server: usize) -> Client {
        self.owners.lock().unwrap()[server].clone()
    }

    async fn join(&self, n: usize) -> Joined {
        let person = Person::number(n);
        let app = &self.servers[0];
        let joined = app.member(&self.register, &person).await;
        Joined {
            id: text(&joined["authorization"]["id"]),
            me: app.client().with(joined["token"].as_str()),
            person,
        }
    }

    /// What a surface of a server says, without what each answer has anew.
    async fn says(&self, server: usize, surface: Surface, who: &Joined) -> String {
        let owner = self.owner(server);
        let path = |rest: &str| self.register.path(rest);
        let mut answer = match surface {
            Surface::List => owner.get(&path("/members?limit=200")).await,
            Surface::Summary => owner.get(&path("/summary")).await,
            Surface::Member => owner.get(&path(&format!("/members/{}", who.id))).await,
            Surface::Search => {
                let name = json!({ "name": who.person.name });
                owner.post(&path("/members/search"), name).await
            }
            Surface::Export => {
                let administrator = Person::number(900);
                let app = &self.servers[server];
                let token = owner
                    .confirmation(app, &administrator, "export", &self.register)
                    .await;
                let body = json!({
                    "format": "csv", "purpose": "开学检查", "confirmation_token": token,
                });
                let file = owner.post(&path("/exports"), body).await;
                assert_eq!(file.status, 200);
                let file = String::from_utf8(file.bytes).unwrap();
                // The rows alone: what stands above them holds the time of the export.
                let rows = file.lines().filter(|line| line.contains("138****"));
                return rows.collect::<Vec<_>>().join("\n");
            }
        };
        if let Some(problem) = answer.body.as_object_mut() {
            problem.remove("instance");
        }
        format!("{} {}", answer.status, answer.body)
    }

    /// The view that a server keeps.
    async fn kept(&self, server: usize) -> Arc<View> {
        let id = Id::parse(&self.register.id).unwrap();
        let app: &App = &self.servers[server].app;
        app.views.get(&id).await.expect("a view is kept")
    }

    /// What a server says that keeps nothing.
    async fn cold(&self, surface: Surface, who: &Joined) -> String {
        self.servers[1].app.views.invalidate_all();
        self.says(1, surface, who).await
    }

    /// Has both servers keep their view, and answer from it.
    async fn warm(&self, who: &Joined) {
        for server in 0..2 {
            self.says(server, Surface::List, who).await;
            let kept = self.kept(server).await;
            self.says(server, Surface::List, who).await;
            let again = self.kept(server).await;
            assert!(Arc::ptr_eq(&kept, &again), "answered from memory");
        }
    }

    /// Prepares somebody, warms, changes, and looks: for each surface anew, since the first look
    /// mends what is kept. What it says must differ from before, and be what a server says that
    /// keeps nothing.
    async fn next_request_sees(
        &self,
        through: &[usize],
        prepare: impl AsyncFn(usize) -> Joined,
        change: impl AsyncFn(&TestApp, &Client, &Joined, usize),
        expect: impl Fn(Surface, &str, usize),
    ) {
        let mut round = 0;
        for server in through {
            for surface in SURFACES {
                round += 1;
                let what = format!("{surface:?}, changed through server {server}");
                let who = prepare(round).await;
                self.warm(&who).await;
                let kept = self.kept(0).await;
                let before = self.says(0, surface, &who).await;
                let again = self.kept(0).await;
                assert!(Arc::ptr_eq(&kept, &again), "{what}: answered from memory");
                change(&self.servers[*server], &self.owner(*server), &who, round).await;
                let after = self.says(0, surface, &who).await;
                assert_ne!(before, after, "{what}");
                assert_eq!(after, self.cold(surface, &who).await, "{what}");
                expect(surface, &after, round);
            }
        }
    }
}

fn is_gone(surface: Surface, says: &str) {
    match surface {
        Surface::List => assert!(says.contains("\"total\":0"), "{says}"),
        Surface::Summary => assert!(says.contains("\"members\":0"), "{says}"),
        Surface::Member => assert!(says.starts_with("404"), "{says}"),
        Surface::Search => assert!(says.contains("\"members\":[]"), "{says}"),
        Surface::Export => assert_eq!(says, ""),
    }
}

/// A red or a green code, by turns.
fn colour(round: usize) -> &'static str {
    ["green", "red"][round % 2]
}

on_both! {
    async fn a_leave_is_seen_by_the_very_next_request(app: TestApp) {
        let desk = Desk::open(app).await;
        desk.next_request_sees(
            EITHER,
            async |round| desk.join(round).await,
            async |server, _, who, _| {
                let me = server.client().with(who.me.bearer.as_deref());
                me.delete(&format!("/api/v1/me/authorizations/{}", who.id)).await.expect(200);
            },
            |surface, says, _| is_gone(surface, says),
        ).await;
    }
}

on_both! {
    async fn a_removal_is_seen_by_the_very_next_request(app: TestApp) {
        let desk = Desk::open(app).await;
        desk.next_request_sees(
            EITHER,
            async |round| desk.join(round).await,
            async |_, owner, who, _| {
                owner.delete(&desk.register.path(&format!("/members/{}", who.id))).await.expect(204);
            },
            |surface, says, _| is_gone(surface, says),
        ).await;
    }
}

on_both! {
    async fn a_new_member_is_seen_by_the_very_next_request(app: TestApp) {
        let desk = Desk::open(app).await;
        for server in EITHER {
            for surface in [Surface::List, Surface::Summary, Surface::Search, Surface::Export] {
                let n = 10 * (server + 1) + surface as usize;
                let first = desk.join(100 + n).await;
                // Looked for by name before they are there.
                let new = Joined { person: Person::number(n), ..first };
                desk.warm(&new).await;
                let before = desk.says(0, surface, &new).await;
                desk.servers[*server].member(&desk.register, &new.person).await;
                let after = desk.says(0, surface, &new).await;
                assert_ne!(before, after, "{surface:?}, joined through server {server}");
                assert_eq!(after, desk.cold(surface, &new).await, "{surface:?}");
            }
        }
    }
}

on_both! {
    async fn a_changed_requirement_is_seen_by_the_very_next_request(app: TestApp) {
        let desk = Desk::open(app).await;
        desk.next_request_sees(
            EITHER,
            async |round| desk.join(round).await,
            async |_, owner, _, round| {
                let allowed = json!({ "requirements": [
                    { "item": "health_code", "allowed": [colour(round)] },
                ]});
                owner.patch(&desk.register.path(""), allowed).await.expect(200);
            },
            |surface, says, round| if surface == Surface::Member {
                let verdict = ["meets", "fails"][round % 2];
                assert!(says.contains(&format!("\"verdict\":\"{verdict}\"")), "{says}");
            },
        ).await;
    }
}

on_both! {
    async fn a_changed_consent_is_seen_by_the_very_next_request(app: TestApp) {
        let desk = Desk::open(app).await;
        desk.next_request_sees(
            EITHER,
            async |round| desk.join(round).await,
            async |server, _, who, round| {
                let mut consent = join_body(&who.person)["consent"].clone();
                if round % 2 == 0 {
                    consent["sharing"] = json!("verdict");
                } else {
                    consent["items"] = json!(["health_code", "nucleic_acid"]);
                }
                let me = server.client().with(who.me.bearer.as_deref());
                let path = format!("/api/v1/me/authorizations/{}", who.id);
                me.patch(&path, consent).await.expect(200);
            },
            |surface, says, round| if surface == Surface::Member {
                let state = ["verdict_only", "not_shared"][round % 2];
                assert!(says.contains(&format!("\"state\":\"{state}\"")), "{says}");
            },
        ).await;
    }
}

on_both! {
    async fn a_value_that_a_refresh_changed_is_seen_by_the_very_next_request(app: TestApp) {
        let desk = Desk::open(app).await;
        desk.next_request_sees(
            EITHER,
            async |round| {
                let joined = desk.join(round).await;
                let app = &desk.servers[0];
                let mut items = app.healthy();
                items["health_code"]["value"] = json!("red");
                app.put(&joined.person, items).await;
                joined
            },
            async |server, _, _, _| {
                let run = refresh_health(&server.app, "test", &|_, _| {}).await.unwrap();
                assert_eq!(run.updated, 1);
            },
            |surface, says, _| if surface == Surface::Member {
                assert!(says.contains("\"value\":\"red\""), "{says}");
            },
        ).await;
    }
}

on_both! {
    async fn a_refresh_that_changed_no_value_is_seen_by_its_time_in_the_very_next_request(app: TestApp) {
        let desk = Desk::open(app).await;
        desk.next_request_sees(
            EITHER,
            async |round| desk.join(round).await,
            async |server, _, _, _| {
                server.clock.advance(60);
                let run = refresh_health(&server.app, "test", &|_, _| {}).await.unwrap();
                assert_eq!(run.updated, 0);
            },
            |_, _, _| {},
        ).await;
    }
}

on_both! {
    async fn midnight_is_seen_by_the_very_next_request(app: TestApp) {
        let desk = Desk::open(app).await;
        desk.next_request_sees(
            CLOCK,
            async |round| {
                let app = &desk.servers[0];
                app.at(&format!("2022-11-{}T23:59:59+08:00", 14 + round));
                desk.sign_in().await;
                let person = Person::number(round);
                let mut items = app.healthy();
                let sampled = format!("2022-11-{}T08:00:00+08:00", 11 + round);
                items["nucleic_acid"]["sampled_at"] = json!(sampled);
                app.put(&person, items).await;
                let joined = app.join(&desk.register, &person).await;
                Joined {
                    id: text(&joined["authorization"]["id"]),
                    me: app.client(),
                    person,
                }
            },
            async |server, _, _, _| server.clock.advance(1),
            |surface, says, _| if surface == Surface::Member {
                assert!(says.contains("\"days\":4") && says.contains("\"fails\""), "{says}");
            },
        ).await;
    }
}

on_both! {
    async fn a_value_that_turns_24_hours_old_is_seen_by_the_very_next_request(app: TestApp) {
        let desk = Desk::open(app).await;
        desk.next_request_sees(
            CLOCK,
            async |round| {
                let joined = desk.join(round).await;
                // Past midnight, which ends a view too.
                desk.servers[0].clock.advance(24 * 3600 - 1);
                desk.sign_in().await;
                joined
            },
            async |server, _, _, _| server.clock.advance(1),
            |surface, says, _| if surface == Surface::Member {
                assert!(says.contains("\"state\":\"stale\""), "{says}");
            },
        ).await;
    }
}

/// One more than there are shards, so that two of one shard are read one after the other.
const PEOPLE: usize = 65;

async fn is_seen_before_the_shard_is_done(on: On) {
    let (app, probe) = Probe::start(on, |config| {
        lift(config);
        config.refresh.batch = 1;
        config.refresh.at_once = 1;
    })
    .await;
    let (owner, register) = owned(&app).await;
    for n in 1..=PEOPLE {
        let person = Person::number(n);
        app.member(&register, &person).await;
        app.put(&person, json!({ "health_code": { "value": "red" } }))
            .await;
    }
    let red = async || {
        let query = "/members?limit=200&item=health_code&value=red";
        let page = owner.get(&register.path(query)).await.expect(200);
        page["members"].as_array().unwrap().len()
    };
    probe.hold();
    let running = app.app.clone();
    let run = tokio::spawn(async move { refresh_health(&running, "test", &|_, _| {}).await });
    for read in 0..PEOPLE {
        probe.held().await;
        // Each reading is held: between two of one shard nothing happens but one batch's commit.
        assert_eq!(red().await, read);
        assert_eq!(red().await, read);
        if read + 1 < PEOPLE {
            probe.hold();
        }
        probe.release();
    }
    run.await.unwrap().unwrap();
    assert_eq!(red().await, PEOPLE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_batch_wrote_is_seen_before_its_shard_is_done_on_sqlite() {
    is_seen_before_the_shard_is_done(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_batch_wrote_is_seen_before_its_shard_is_done_on_postgres() {
    is_seen_before_the_shard_is_done(On::Postgres).await;
}
