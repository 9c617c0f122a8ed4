//! Complete joins: consent and match, the code of the SMS, everything that a join writes, durable.
//!
//! The server runs in this process, since the code of an SMS is read from the demo's outbox: asked
//! for over HTTP, it would be a third request of each join.
use crate::{
    Plan, Res,
    load::{Http, alone},
    people::Person,
    raw::Raw,
    report::{Figure, Target},
    world::{Server, World, confirm, join},
};
use std::{
    cell::Cell,
    fs::File,
    sync::Mutex,
    time::{Duration, Instant},
};
use tracing_subscriber::EnvFilter;

/// Clients that join at the same time.
const CLIENTS: usize = 32;
/// Nobody has joined so fast that there were not people enough.
const MOST_A_SECOND: f64 = 8000.0;

/// How many people must be known to the source beside the members.
pub(crate) fn people(plan: &Plan) -> usize {
    (plan.rounds as f64 * plan.seconds * MOST_A_SECOND) as usize
}

/// Joins a second.
pub(crate) fn joins(plan: &Plan, world: &World, raw: &Raw) -> Res<Vec<Figure>> {
    log(world)?;
    let server = Server::start(world.config.clone(), true)?;
    // The first of the others owns the registers.
    let next = Cell::new(world.members + 1);
    let target = Target::AtLeast(2500.0);
    let mut figure = Figure::new(format!("joins, x{CLIENTS}"), world.engine, "/s", target);
    for _ in 0..plan.rounds {
        figure.ours(some(&server, world, plan.seconds, &next)?);
        figure.raw("two raw inserts", raw.joins(CLIENTS, plan.seconds)?);
    }
    server.stop();
    Ok(vec![figure])
}

fn some(server: &Server, world: &World, seconds: f64, next: &Cell<usize>) -> Res<f64> {
    alone()?.block_on(async {
        let begun = Instant::now();
        let end = begun + Duration::from_secs_f64(seconds);
        let one = async || -> Res<u64> {
            let mut http = Http::connect(server.address).await?;
            let mut done = 0;
            while Instant::now() < end && next.get() < world.known {
                let person = Person::number(next.replace(next.get() + 1));
                let started = http.expect(&join(&world.empty_code, &person), 202).await?;
                let ask = confirm(&server.app, &started, &person.phone)?;
                let confirmed = http.expect(&ask, 200).await?;
                if !confirmed["authorization"]["leave_link"].is_string()
                    || !confirmed["token"].is_string()
                {
                    return Err(format!("not a join: {confirmed}").into());
                }
                done += 1;
            }
            Ok(done)
        };
        let all = futures_util::future::try_join_all((0..CLIENTS).map(|_| one())).await?;
        Ok(all.iter().sum::<u64>() as f64 / begun.elapsed().as_secs_f64())
    })
}

/// Logs as `serve` does, to a file.
fn log(world: &World) -> Res<()> {
    let file = File::create(world.folder().join("joins.log"))?;
    let filter = EnvFilter::try_new(&world.config.log.filter)?;
    // Of a second engine the first one's log is taken.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Mutex::new(file))
        .try_init();
    Ok(())
}
