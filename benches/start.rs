//! From the start of the process to the first answer, and its memory.
use crate::{
    Plan, Res,
    program::{self, Program},
    report::{Figure, Target},
    world::World,
};
use std::time::Duration;

/// Starts, at the least.
const STARTS: usize = 11;
/// Until a program that nobody asks is at rest.
const REST: Duration = Duration::from_secs(3);

/// Start and memory; `worked` is a program that has done what was measured before.
pub(crate) fn start(plan: &Plan, world: &World, worked: &Program) -> Res<Vec<Figure>> {
    let path = program::path(plan.program.as_deref())?;
    let engine = world.engine;
    let mut starts = Figure::new("start to first answer", engine, "ms", Target::Below(15.0));
    for _ in 0..plan.rounds.max(STARTS) {
        let (_program, took) = Program::serve(world, &path)?;
        starts.ours(took.as_secs_f64() * 1000.0);
    }
    let name = format!("memory at rest, {} members", world.members);
    let mut rest = Figure::new(name, engine, "MiB", Target::Below(25.0));
    let (program, _) = Program::serve(world, &path)?;
    std::thread::sleep(REST);
    rest.ours(program.memory()?);
    let mut after = Figure::new("memory after the work above", engine, "MiB", Target::None);
    after.ours(worked.memory()?);
    Ok(vec![starts, rest, after])
}
