//! The refresh of everybody, with all of them changed at the source and with one in ten.
use crate::{
    Plan, Res,
    load::{Http, alone, request},
    program::Program,
    raw::Raw,
    report::{Figure, Target},
    world::{Engine, World},
};
use std::time::Instant;

/// One in so many changed.
pub(crate) const SOME: usize = 10;

/// People refreshed a second.
pub(crate) fn refresh(plan: &Plan, world: &World, raw: &Raw, server: &Program) -> Res<Vec<Figure>> {
    let members = world.members;
    let wanted = match world.engine {
        Engine::Sqlite => 150_000.0,
        Engine::Postgres => 90_000.0,
    };
    let figure = |what: &str, times: f64| {
        let name = format!("refresh of {members}, {what} changed");
        Figure::new(
            name,
            world.engine,
            "people/s",
            Target::AtLeast(wanted * times),
        )
    };
    let mut all = figure("all", 1.0);
    let mut some = figure("10 %", 2.0);
    for round in 0..plan.rounds {
        let change = 2 * i64::try_from(round)?;
        world.import(0..members, change + 1)?;
        all.ours(once(server, members, members)?);
        all.raw("raw updates in bulk", raw.update(1, change + 1)?);
        world.import((0..members).step_by(SOME), change + 2)?;
        some.ours(once(server, members, members.div_ceil(SOME))?);
        some.raw("raw updates in bulk", raw.update(SOME, change + 2)?);
    }
    Ok(vec![all, some])
}

/// One refresh, which must find so many changed, and all the others not.
pub(crate) fn once(server: &Program, members: usize, changed: usize) -> Res<f64> {
    alone()?.block_on(async {
        let mut http = Http::connect(server.address).await?;
        let begun = Instant::now();
        let run = http
            .expect(&request("POST", "/demo/refresh", None, None), 200)
            .await?;
        let seconds = begun.elapsed().as_secs_f64();
        match run["updated"] == changed && run["unchanged"] == members - changed {
            true => Ok(members as f64 / seconds),
            false => Err(format!("not the refresh that was asked for: {run}").into()),
        }
    })
}
