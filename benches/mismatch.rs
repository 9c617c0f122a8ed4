//! Whether the time of an answer tells who is known: 2,000 sign-ins that do not match, interleaved.
use crate::{
    Error, Res,
    load::{Http, alone, request},
    people::Person,
    program::Program,
    report::{Figure, Target},
    world::World,
};
use serde_json::Value;
use std::time::Instant;

/// Of each kind in all rounds together.
const OF_EACH: usize = 500;
/// People whom nobody knows have numbers from here on.
const STRANGERS: usize = 5_000_000;

/// What does not match.
const KINDS: [&str; 4] = [
    "nobody's document",
    "a member, another name",
    "a member, another phone",
    "known, both others'",
];

/// The median time of each kind beside that of nobody's document, and how well a threshold would
/// tell them apart: 0.5 is a coin.
pub(crate) fn mismatch(world: &World, server: &Program) -> Res<Vec<Figure>> {
    let mut times: [Vec<f64>; 4] = Default::default();
    alone()?.block_on(async {
        let mut http = Http::connect(server.address).await?;
        for n in 0..OF_EACH {
            // Each kind has each place in turn.
            for place in 0..KINDS.len() {
                let kind = (place + n) % KINDS.len();
                // Nobody is asked for twice: what was read a moment ago is read sooner.
                let member = (n * KINDS.len() + kind) % world.members;
                let body = guess(kind, member, n);
                let ask = request("POST", "/api/v1/sign-in", None, Some(&body));
                let begun = Instant::now();
                let (status, _) = http.send(&ask).await?;
                let took = begun.elapsed().as_secs_f64() * 1e6;
                if status != 422 {
                    return Err(format!("{status} for {}", KINDS[kind]).into());
                }
                times[kind].push(took);
            }
        }
        Ok::<_, Error>(())
    })?;
    let mut time = Figure::new(
        format!("mismatch, {}, median of {OF_EACH}", KINDS[0]),
        world.engine,
        "µs",
        Target::None,
    );
    let mut apart = Figure::new(
        "mismatch, told apart from nobody's by its time",
        world.engine,
        "of 1",
        Target::None,
    );
    time.ours(median(&times[0]));
    let mut best: f64 = 0.5;
    for (kind, label) in KINDS.iter().enumerate().skip(1) {
        time.raw(label, median(&times[kind]));
        best = best.max(told_apart(&times[0], &times[kind]));
    }
    apart.ours(best);
    Ok(vec![time, apart])
}

/// The body of a guess.
fn guess(kind: usize, member: usize, n: usize) -> Value {
    let (member, stranger) = (Person::number(member), Person::number(STRANGERS + n));
    let mut body = match kind {
        0 => stranger.identity(),
        _ => member.identity(),
    };
    let other = Person::number(STRANGERS + OF_EACH + n).identity();
    if kind == 1 || kind == 3 {
        body["name"] = other["name"].clone();
    }
    if kind == 2 || kind == 3 {
        body["phone"] = other["phone"].clone();
    }
    body
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// How often somebody is right who calls the slower of two answers the one of the slower kind.
fn told_apart(one: &[f64], other: &[f64]) -> f64 {
    let later = |a: &f64, b: &f64| match a.total_cmp(b) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let sum: f64 = one
        .iter()
        .flat_map(|a| other.iter().map(move |b| later(a, b)))
        .sum();
    let share = sum / (one.len() * other.len()) as f64;
    share.max(1.0 - share)
}
