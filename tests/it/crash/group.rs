//! One group at work: its owner, register and people, and what the database must hold of them.
use crate::{
    app::{Answer, Person, Register, confirm_path, join_body, terms},
    support::{process::Caller, receiver::Receiver},
    world::text,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many people a group has.
const PEOPLE: usize = 6;

/// Numbers that follow from a seed (splitmix64).
#[derive(Clone, Copy)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below another.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

/// How many changes were acknowledged, and how many were under way at a kill.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) registers: u64,
    pub(crate) joins: u64,
    pub(crate) leaves: u64,
    pub(crate) removals: u64,
    pub(crate) deletions: u64,
    pub(crate) unanswered: u64,
}

impl std::ops::AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.registers += other.registers;
        self.joins += other.joins;
        self.leaves += other.leaves;
        self.removals += other.removals;
        self.deletions += other.deletions;
        self.unanswered += other.unanswered;
    }
}

/// Whether somebody is in the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Outside,
    Inside,
    /// A change was under way when the server was killed.
    Either,
}

struct Member {
    person: Person,
    stands: Stands,
    /// The id in the register.
    id: String,
    /// The leave link and the token, where the last join was acknowledged.
    own: Option<(String, String)>,
}

/// A group.
pub(crate) struct Group {
    owner: Person,
    token: Option<String>,
    register: Option<Register>,
    /// A deletion was under way when the server was killed.
    may_be_deleted: bool,
    deleted: Vec<Register>,
    members: Vec<Member>,
    random: Random,
    pub(crate) done: Done,
}

fn person(group: usize, n: usize) -> Person {
    Person::number(1 + group * (PEOPLE + 1) + n)
}

/// Everybody of so many groups.
pub(crate) fn everybody(groups: usize) -> impl Iterator<Item = Person> {
    (0..groups).flat_map(|group| (0..=PEOPLE).map(move |n| person(group, n)))
}

/// The answer, with what was asked for; `None` where the server is gone.
async fn ask(caller: &Caller, method: &str, path: &str, body: Option<Value>) -> Option<Answer> {
    caller.send(method, path, body).await.ok()
}

/// Confirms with the last code that came.
async fn confirm(caller: &Caller, sms: &Receiver, begun: Answer, person: &Person) -> Option<Value> {
    let path = confirm_path(&begun.expect(202));
    let code = json!({ "code": sms.code(person.phone()) });
    Some(ask(caller, "POST", &path, Some(code)).await?.expect(200))
}

impl Group {
    pub(crate) fn new(number: usize, random: Random) -> Self {
        let members = (1..=PEOPLE).map(|n| Member {
            person: person(number, n),
            stands: Stands::Outside,
            id: String::new(),
            own: None,
        });
        Self {
            owner: person(number, 0),
            token: None,
            register: None,
            may_be_deleted: false,
            deleted: Vec::new(),
            members: members.collect(),
            random,
            done: Done::default(),
        }
    }

    /// One change, acknowledged; `None` where the server was killed over it.
    pub(crate) async fn change(&mut self, caller: &Caller, sms: &Receiver) -> Option<()> {
        let changed = self.try_change(caller, sms).await;
        if changed.is_none() {
            self.done.unanswered += 1;
        }
        changed
    }

    /// The owner, signed in.
    async fn owner(&mut self, caller: &Caller, sms: &Receiver) -> Option<Caller> {
        if self.token.is_none() {
            let body = self.owner.identity();
            let begun = ask(caller, "POST", "/api/v1/sign-in", Some(body)).await?;
            let confirmed = confirm(caller, sms, begun, &self.owner).await?;
            self.token = Some(text(&confirmed["token"]));
        }
        Some(caller.with(self.token.as_deref()))
    }

    async fn try_change(&mut self, caller: &Caller, sms: &Receiver) -> Option<()> {
        let owner = self.owner(caller, sms).await?;
        let Some(register) = self.register.clone() else {
            let made = ask(&owner, "POST", "/api/v1/registers", Some(self.terms())).await?;
            self.register = Some(register_of(&made.expect(201)));
            self.done.registers += 1;
            return Some(());
        };
        if self.random.below(30) == 0 {
            return self.delete(&owner, sms, register).await;
        }
        let at = self.random.below(PEOPLE as u64) as usize;
        let how = self.random.below(3);
        let member = &mut self.members[at];
        if member.stands == Stands::Outside {
            let mut body = join_body(&member.person);
            body["consent"]["items"] = json!(["health_code"]);
            let path = format!("/api/v1/join/{}", register.code);
            let begun = ask(caller, "POST", &path, Some(body)).await?;
            member.stands = Stands::Either;
            let joined = confirm(caller, sms, begun, &member.person).await?;
            let joined_as = &joined["authorization"];
            member.id = text(&joined_as["id"]);
            member.own = Some((text(&joined_as["leave_link"]), text(&joined["token"])));
            member.stands = Stands::Inside;
            self.done.joins += 1;
            return Some(());
        }
        member.stands = Stands::Either;
        match (how, member.own.take()) {
            (0, Some((link, _))) => {
                let path = format!("/api/v1/leave/{link}");
                ask(caller, "POST", &path, Some(json!({})))
                    .await?
                    .expect(200);
                self.done.leaves += 1;
            }
            (1, Some((_, token))) => {
                let path = format!("/api/v1/me/authorizations/{}", member.id);
                let own = caller.with(Some(&token));
                ask(&own, "DELETE", &path, None).await?.expect(200);
                self.done.leaves += 1;
            }
            _ => {
                let path = register.path(&format!("/members/{}", member.id));
                ask(&owner, "DELETE", &path, None).await?.expect(204);
                self.done.removals += 1;
            }
        }
        member.stands = Stands::Outside;
        Some(())
    }

    async fn delete(&mut self, owner: &Caller, sms: &Receiver, register: Register) -> Option<()> {
        let action = json!({ "action": "delete_register", "register_id": register.id });
        let begun = ask(owner, "POST", "/api/v1/me/confirmations", Some(action)).await?;
        let confirmed = confirm(owner, sms, begun, &self.owner).await?;
        let body = json!({
            "organisation": terms()["organisation"],
            "confirmation_token": confirmed["confirmation_token"],
        });
        self.may_be_deleted = true;
        let answer = ask(owner, "DELETE", &register.path(""), Some(body)).await?;
        answer.expect(200);
        self.is_deleted(register);
        self.done.deletions += 1;
        Some(())
    }

    fn is_deleted(&mut self, register: Register) {
        self.register = None;
        self.may_be_deleted = false;
        // Nothing needed the owner's profile any more.
        self.token = None;
        self.deleted.push(register);
        for member in &mut self.members {
            (member.stands, member.own) = (Stands::Outside, None);
        }
    }

    fn terms(&self) -> Value {
        let mut terms = terms();
        terms["items"] = json!([{ "item": "health_code", "required": true }]);
        terms["requirements"] = json!([]);
        terms["departments"] = json!([]);
        terms
    }

    /// After a start: everything that was acknowledged is as it was left, and what was under way is
    /// one or the other.
    pub(crate) async fn settle(&mut self, caller: &Caller, sms: &Receiver) {
        let owner = self.owner(caller, sms).await.unwrap();
        let own = owner.get("/api/v1/registers").await.expect(200);
        let own: Vec<String> = own
            .as_array()
            .unwrap()
            .iter()
            .map(|own| text(&own["id"]))
            .collect();
        match self.register.clone() {
            Some(register) if own != [register.id.as_str()] => {
                assert!(
                    self.may_be_deleted && own.is_empty(),
                    "a register is gone: {own:?}"
                );
                self.is_deleted(register);
            }
            Some(_) => self.may_be_deleted = false,
            None => {
                // One that was made when the server was killed, or none.
                assert!(own.len() <= 1, "registers came back: {own:?}");
                if let Some(id) = own.first() {
                    let path = format!("/api/v1/registers/{id}");
                    self.register = Some(register_of(&owner.get(&path).await.expect(200)));
                }
            }
        }
        for register in &self.deleted {
            let path = format!("/api/v1/join/{}", register.code);
            assert_eq!(caller.get(&path).await.status, 410, "deleted, and back");
        }
        let there = match &self.register {
            Some(register) => members(&owner, register).await,
            None => BTreeMap::new(),
        };
        for member in &mut self.members {
            let id = there.get(&member.person.name);
            match member.stands {
                Stands::Inside => assert!(id.is_some(), "an acknowledged join is not there"),
                Stands::Outside => assert_eq!(id, None, "who is outside is back"),
                Stands::Either => {
                    member.own = None;
                    member.stands = if id.is_some() {
                        Stands::Inside
                    } else {
                        Stands::Outside
                    };
                }
            }
            member.id = id.cloned().unwrap_or_default();
        }
        let inside = self
            .members
            .iter()
            .filter(|member| member.stands == Stands::Inside);
        assert_eq!(there.len(), inside.count(), "somebody else is there");
    }
}

fn register_of(shown: &Value) -> Register {
    Register {
        id: text(&shown["id"]),
        code: text(&shown["code"]),
    }
}

/// The ids of a list by name.
async fn members(owner: &Caller, register: &Register) -> BTreeMap<String, String> {
    let page = owner
        .get(&register.path("/members?limit=200"))
        .await
        .expect(200);
    let rows = page["members"].as_array().unwrap();
    rows.iter()
        .map(|row| (text(&row["name"]), text(&row["id"])))
        .collect()
}
