//! The list and the counts of a register of 10,000.
use crate::{
    Plan, Res,
    load::{Http, alone, request, steady},
    people::FAILS_EVERY,
    program::Program,
    raw::Raw,
    report::{Figure, Target},
    world::{REGISTER, World},
};
use serde_json::Value;

/// Rows of a page.
pub(crate) const PAGE: usize = 50;

/// A page of those who do not meet, at 1 and at 32 connections.
pub(crate) fn list(plan: &Plan, world: &World, raw: &Raw, server: &Program) -> Res<Vec<Figure>> {
    let members = world.members.min(REGISTER);
    let fails = members.div_ceil(FAILS_EVERY);
    let path = format!("/api/v1/registers/{}/members?verdict=fails", world.register);
    let check = |body: &Value| {
        let rows = body["members"].as_array().ok_or("no members")?;
        let failing = rows
            .iter()
            .all(|row| row["verdict"] == "fails" && row["name"].is_string());
        match body["total"] == fails && rows.len() == PAGE.min(fails) && failing {
            true => Ok(()),
            false => Err(format!("not the list that was asked for: {body}").into()),
        }
    };
    let name = |n| format!("list of {PAGE} of {members}, those who fail, x{n}");
    measure(
        plan,
        world,
        server,
        &path,
        check,
        name,
        |connections, seconds| raw.pages(connections, seconds),
    )
}

/// The counts, at 1 and at 32 connections.
pub(crate) fn counts(plan: &Plan, world: &World, raw: &Raw, server: &Program) -> Res<Vec<Figure>> {
    let members = world.members.min(REGISTER);
    let path = format!("/api/v1/registers/{}/summary", world.register);
    let check = |body: &Value| {
        let right = body["members"] == members
            && body["verdicts"]["fails"] == members.div_ceil(FAILS_EVERY)
            && body["items"]["nucleic_acid"]["days"].is_object();
        match right {
            true => Ok(()),
            false => Err(format!("not the counts that were asked for: {body}").into()),
        }
    };
    let name = |n| format!("counts of {members}, x{n}");
    measure(
        plan,
        world,
        server,
        &path,
        check,
        name,
        |connections, seconds| raw.counts(connections, seconds),
    )
}

fn measure(
    plan: &Plan,
    world: &World,
    server: &Program,
    path: &str,
    check: impl Fn(&Value) -> Res<()>,
    name: impl Fn(usize) -> String,
    sql: impl Fn(usize, f64) -> Res<f64>,
) -> Res<Vec<Figure>> {
    let ask = request("GET", path, Some(&world.token), None);
    // Every answer must be as long as the first, which is looked at as a whole: where it differs at
    // all, it is in times of the same length and in the sealed cursor.
    let length = alone()?.block_on(async {
        let mut http = Http::connect(server.address).await?;
        check(&http.expect(&ask, 200).await?)?;
        let (_, body) = http.send(&ask).await?;
        Res::Ok(body.len())
    })?;
    let bare = Program::bare(length)?;
    let mut figures = Vec::new();
    for connections in [1, 32] {
        let target = if connections == 32 {
            Target::AtLeast(15_000.0)
        } else {
            Target::None
        };
        let mut figure = Figure::new(name(connections), world.engine, "/s", target);
        for _ in 0..plan.rounds {
            let right = |body: &[u8]| body.len() == length;
            figure.ours(steady(
                server.address,
                &ask,
                connections,
                plan.seconds,
                right,
            )?);
            figure.raw(
                "bare axum, as many bytes",
                steady(bare.address, &ask, connections, plan.seconds, right)?,
            );
            figure.raw("raw SQL, no HTTP", sql(connections, plan.seconds)?);
        }
        figures.push(figure);
    }
    Ok(figures)
}
