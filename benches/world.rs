//! A database with members, filled by the program's own functions: persons, authorizations and
//! snapshots are what a join writes, sealed by the database's keys.
use crate::{
    Res,
    load::{Http, alone, request},
    people::{Person, items},
};
use jiff::ToSpan;
use serde_json::{Value, json};
use std::{io::Cursor, net::SocketAddr, ops::Range, path::Path, sync::Arc};
use tokio::{net::TcpListener, runtime::Runtime, sync::watch, task::JoinSet};
use tuantibu::{
    actions::{health, join_terms::CONSENT_VERSION, profile, refresh_health::refresh_health},
    app::{App, Parts, open_embedded},
    cli::serve,
    clock::{Clock, SystemClock},
    config::{Config, SmsKind},
    crypto::{random, token_hash},
    model::{health::Items, id::Id},
    source::{
        Identity,
        import::{Format, Options, import},
        record::{HealthRecord, read_line},
    },
    store::{
        authorizations::{self, AuthorizationRow},
        registers, snapshots,
    },
    web, worker,
};

/// Members of a register.
pub(crate) const REGISTER: usize = 10_000;
/// People of one transaction: SQLite's savepoints grow slow in a long one.
const AT_ONCE: usize = 100;
/// So high a limit is not counted.
const LIFTED: i64 = 1_000_000_000;
const ITEMS: [&str; 3] = ["health_code", "nucleic_acid", "vaccination"];

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    /// SQLite in a file.
    Sqlite,
    /// PostgreSQL over TCP.
    Postgres,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A filled database and who administers it.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) config: Config,
    /// The owner's bearer token.
    pub(crate) token: String,
    /// The first register, of at most [`REGISTER`] members.
    pub(crate) register: String,
    /// The code of a register that nobody has joined.
    pub(crate) empty_code: String,
    /// How many members there are.
    pub(crate) members: usize,
    /// How many people the source knows.
    pub(crate) known: usize,
    /// The moment of the first records.
    pub(crate) base: i64,
    folder: tempfile::TempDir,
}

/// The program in this process, answering over loopback.
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) address: SocketAddr,
    runtime: Runtime,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Starts it as the demo starts, whose SMS can be read; with the chores of a server if wanted.
    pub(crate) fn start(config: Config, chores: bool) -> Res<Self> {
        let runtime = Runtime::new()?;
        let (stop, stopped) = watch::channel(false);
        let (app, address) = runtime.block_on(async {
            let parts = Parts {
                demo: true,
                ..Parts::default()
            };
            let app = App::start(config, parts).await?;
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let address = listener.local_addr()?;
            tokio::spawn(serve::listen(
                listener,
                web::router(app.clone()),
                stopped.clone(),
            ));
            if chores {
                drop(worker::start(&app, &stopped));
            }
            Res::Ok((app, address))
        })?;
        Ok(Self {
            app,
            address,
            runtime,
            stop,
        })
    }

    pub(crate) fn stop(self) {
        let _ = self.stop.send(true);
        self.runtime.block_on(self.app.store.close());
    }

    fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Res<T>> + Send + 'static,
    ) -> Res<T> {
        self.runtime.block_on(async { tokio::spawn(work).await? })
    }
}

impl World {
    /// Makes it: so many members in registers of [`REGISTER`], all of them known to the source, and
    /// some people more who are known to the source alone.
    pub(crate) fn make(engine: Engine, url: String, members: usize, more: usize) -> Res<Self> {
        // Beside what is built, on the disk: a temporary folder may be in memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let config = config(engine, &url, folder.path());
        let mut world = Self {
            engine,
            config: config.clone(),
            token: String::new(),
            register: String::new(),
            empty_code: String::new(),
            members,
            known: members + more,
            base: SystemClock.millis() - 12 * 3_600_000,
            folder,
        };
        let server = Server::start(config, false)?;
        world.import(0..members + more, 0)?;
        let mut ids = Vec::new();
        alone()?.block_on(async {
            let mut http = Http::connect(server.address).await?;
            world.token = sign_in(&server.app, &mut http, &Person::number(members)).await?;
            for n in 0..=members.div_ceil(REGISTER) {
                let ask = request(
                    "POST",
                    "/api/v1/registers",
                    Some(&world.token),
                    Some(&terms(n)),
                );
                let made = http.expect(&ask, 201).await?;
                world.empty_code = text(&made["code"])?;
                ids.push(text(&made["id"])?);
            }
            Res::Ok(())
        })?;
        // The last one stays empty.
        ids.pop();
        world.register = ids[0].clone();
        let (app, base) = (server.app.clone(), world.base);
        server.run(async move {
            let mut left = JoinSet::new();
            for (n, id) in ids.into_iter().enumerate() {
                let id = Id::parse(&id).ok_or("an id")?;
                let people = n * REGISTER..members.min((n + 1) * REGISTER);
                left.spawn(fill(app.clone(), id, people, base));
                // SQLite has one writer, and those who wait too long fail.
                if engine == Engine::Sqlite || left.len() > 1 {
                    left.join_next().await.ok_or("a filling")???;
                }
            }
            while let Some(done) = left.join_next().await {
                done??;
            }
            Ok(())
        })?;
        // What was filled in must be just what a refresh would write.
        let app = server.app.clone();
        let run =
            server.run(async move { Ok(refresh_health(&app, "command", &|_, _| {}).await?) })?;
        if run.unchanged != i64::try_from(members)? || run.updated + run.failed + run.unmatched > 0
        {
            return Err(format!("the filling is not what a join writes: {run:?}").into());
        }
        server.stop();
        Ok(world)
    }

    /// Imports the records of some people; a later `change` is newer.
    pub(crate) fn import(&self, people: impl Iterator<Item = usize>, change: i64) -> Res<()> {
        let mut lines = String::new();
        let mut count = 0;
        for n in people {
            lines += &Person::number(n).record(&items(n, self.base, change));
            lines.push('\n');
            count += 1;
        }
        let config = self.config.clone();
        Runtime::new()?.block_on(async {
            let (source, _) = open_embedded(&config, &Parts::default()).await?;
            let rules = source.rules(tuantibu::clock::date(SystemClock.millis(), &config.zone()?));
            let options = Options {
                format: Format::Ndjson,
                strict: false,
                rules,
            };
            let report = import(&source, Cursor::new(lines), &options, |_| {}).await?;
            source.close().await;
            match report.imported == count && report.failed == 0 {
                true => Ok(()),
                false => Err(format!("the import failed: {report:?}").into()),
            }
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The configuration of what is measured: everything as it comes but for the limits, which are
/// lifted, and the hour of the refresh, so that none begins by itself.
fn config(engine: Engine, url: &str, folder: &Path) -> Config {
    let mut config = Config::default();
    config.server.public_url = "https://register.example".into();
    config.database.url = match engine {
        Engine::Sqlite => format!("sqlite:{}", folder.join("tuantibu.db").display()),
        Engine::Postgres => url.to_owned(),
    };
    config.keys.file = folder.join("root.key");
    config.source.url = folder.join("source.db").display().to_string();
    config.sms.kind = SmsKind::Outbox;
    let zone = config.zone().ok();
    let now =
        zone.map(|zone| tuantibu::clock::timestamp(SystemClock.millis()).to_zoned_datetime(zone));
    if let Some(later) = now.and_then(|now| now.checked_add(12.hours()).ok()) {
        config.refresh.at = vec![later.strftime("%H:%M").to_string()];
    }
    let limits = &mut config.limits;
    for limit in [
        &mut limits.mismatches_document_address,
        &mut limits.mismatches_document,
        &mut limits.mismatches_phone_address,
        &mut limits.mismatches_phone,
        &mut limits.mismatches_address_hour,
        &mut limits.posts_address,
        &mut limits.confirms_address,
        &mut limits.sms_site_hour,
        &mut limits.previews_address,
        &mut limits.unknown_codes_address,
        &mut limits.creations_person,
        &mut limits.reads_session,
    ] {
        *limit = LIFTED;
    }
    limits.members_register = 100_000;
    config
}

/// Signs in; the token.
async fn sign_in(app: &App, http: &mut Http, person: &Person) -> Res<String> {
    let ask = request("POST", "/api/v1/sign-in", None, Some(&person.identity()));
    let started = http.expect(&ask, 202).await?;
    let confirmed = http
        .expect(&confirm(app, &started, &person.phone)?, 200)
        .await?;
    text(&confirmed["token"])
}

/// The request that confirms what was started, with the code that went out.
pub(crate) fn confirm(app: &App, started: &Value, phone: &str) -> Res<Vec<u8>> {
    let demo = app.demo.as_ref().ok_or("no demo")?;
    let code = demo.outbox.code(phone).ok_or("no code went out")?;
    let id = started["verification_id"]
        .as_str()
        .ok_or("no verification")?;
    let path = format!("/api/v1/verifications/{id}/confirm");
    Ok(request("POST", &path, None, Some(&json!({ "code": code }))))
}

/// A join that consents to everything.
pub(crate) fn join(code: &str, person: &Person) -> Vec<u8> {
    let mut body = person.identity();
    body["consent"] = json!({
        "accepted": true, "version": CONSENT_VERSION, "items": ITEMS, "sharing": "details",
    });
    request("POST", &format!("/api/v1/join/{code}"), None, Some(&body))
}

fn text(value: &Value) -> Res<String> {
    Ok(value.as_str().ok_or("a text is missing")?.to_owned())
}

fn terms(n: usize) -> Value {
    json!({
        "organisation": format!("青禾实验小学{n}"),
        "contact": "010-62345678",
        "street_code": "110108011",
        "purpose": "2022 年秋季学期师生健康登记",
        "items": [
            { "item": "health_code", "required": true },
            { "item": "nucleic_acid", "required": true },
            { "item": "vaccination", "required": false },
        ],
        "requirements": [
            { "item": "health_code", "allowed": ["green"] },
            { "item": "nucleic_acid", "max_days": 3 },
        ],
        "departments": ["一年级组", "后勤"],
    })
}

/// Joins people to a register.
async fn fill(app: Arc<App>, register: Id, people: Range<usize>, base: i64) -> Res<()> {
    for start in people.clone().step_by(AT_ONCE) {
        let some = start..people.end.min(start + AT_ONCE);
        fill_some(&app, register, some, base).await?;
    }
    Ok(())
}

/// Joins people to a register, in one transaction.
async fn fill_some(app: &App, register: Id, people: Range<usize>, base: i64) -> Res<()> {
    let source = app
        .demo
        .as_ref()
        .and_then(|demo| demo.sample.clone())
        .ok_or("no source")?;
    let rules = source.rules(app.today());
    let now = app.now();
    let count = i64::try_from(people.len())?;
    let mut tx = app.store.write().await?;
    for n in people {
        let line = Person::number(n).record(&items(n, base, 0));
        let record = HealthRecord::check(&read_line(&line)?, &rules)?;
        let phone = record.phones.first().cloned().ok_or("a phone")?;
        let identity = Identity {
            name: record.name,
            document: record.document,
            phone,
        };
        let person = profile::put_person(app, &mut tx, &identity).await?.id;
        let link = random::token(&*app.random, 16);
        let row = AuthorizationRow {
            register_id: register.bytes().to_vec(),
            person_id: person.bytes().to_vec(),
            id: random::id(&*app.random).bytes().to_vec(),
            guardian_id: None,
            items: ITEMS.join(","),
            sharing: 0,
            requirements_version: 1,
            consent_version: CONSENT_VERSION.to_owned(),
            consented_at: now,
            department: Some(["一年级组", "后勤"][n % 2].to_owned()),
            joined_at: now - i64::try_from(n)? * 1000,
            leave_hash: token_hash(&link).to_vec(),
        };
        authorizations::upsert(&mut tx, &row).await?;
        let items: Items = record
            .items
            .into_iter()
            .map(|(id, item)| (id, Some(item)))
            .collect();
        let snapshot = health::row_of(app, person, &items, now)?;
        snapshots::put(&mut tx, person.bytes(), &snapshot, &row.items).await?;
    }
    let row = registers::get(&mut tx, register.bytes())
        .await?
        .ok_or("no register")?;
    let open = registers::Open {
        most: 100_000,
        code_hash: &row.code_hash,
        today: "",
    };
    registers::add_member(&mut tx, register.bytes(), count, &open).await?;
    tx.commit().await?;
    Ok(())
}
