//! What docs/PERFORMANCE.md tells: the program beside the raw engine, on the same data, in turns.
//!
//! The program under test is a process of its own, which answers over loopback; the load generator
//! is a thread of this one. Both share the machine's processors, as do the raw rounds beside.
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures real time and starts programs"
)]
mod joins;
mod load;
mod mismatch;
mod people;
mod program;
mod raw;
mod reads;
mod refresh;
mod report;
mod start;
mod theirs;
mod world;

use clap::{Parser, ValueEnum};
use program::Program;
use raw::Raw;
use report::Figure;
use std::{path::PathBuf, process::ExitCode, time::Instant};
use world::{Engine, World};

/// Whatever goes wrong ends the bench with its words.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Res<T> = Result<T, Error>;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Bench {
    /// A page of a register's list.
    List,
    /// A register's counts.
    Counts,
    /// The refresh of everybody.
    Refresh,
    /// The same through the SQL source, from a PostgreSQL.
    RefreshSql,
    /// Whether a mismatch's time tells who is known.
    Mismatch,
    /// The start, and the memory.
    Start,
    /// Complete joins.
    Joins,
}

/// What is measured and how long.
#[derive(Parser)]
struct Plan {
    /// What; everything where nothing is said.
    benches: Vec<Bench>,
    /// On which engine; on both where nothing is said.
    #[arg(long)]
    engine: Option<Engine>,
    /// Rounds, of which the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of each round.
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// Members in the database.
    #[arg(long, default_value_t = 110_000)]
    members: usize,
    /// The program to measure in the place of this file run anew.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Where the figures go as JSON too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A PostgreSQL server, as its superuser; a database is made on it.
    #[arg(long, env = "TUANTIBU_TEST_POSTGRES", hide_env_values = true)]
    postgres: Option<String>,
    /// What cargo hands to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        // Run anew as the program.
        Some("demo" | "serve") => return tuantibu::cli::run(),
        Some(program::BARE) => {
            return ended(program::serve_bare(&arguments.next().unwrap_or_default()));
        }
        _ => {}
    }
    ended(measure(&Plan::parse()))
}

fn ended(outcome: Res<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(plan: &Plan) -> Res<()> {
    let engines = match plan.engine {
        Some(engine) => vec![engine],
        None => vec![Engine::Sqlite, Engine::Postgres],
    };
    let mut figures = Vec::new();
    report::head();
    for engine in engines {
        let begun = Instant::now();
        let url = match engine {
            Engine::Sqlite => String::new(),
            Engine::Postgres => {
                let made = raw::postgres::new_database(plan.postgres.as_deref(), "ours");
                tokio::runtime::Runtime::new()?.block_on(made)?
            }
        };
        let wanted = |bench| plan.benches.is_empty() || plan.benches.contains(&bench);
        let more = if wanted(Bench::Joins) {
            joins::people(plan)
        } else {
            0
        };
        let world = World::make(engine, url, plan.members, 1 + more)?;
        let raw = Raw::make(&world)?;
        eprintln!(
            "{}: {} members in {:.1} s",
            engine.name(),
            plan.members,
            begun.elapsed().as_secs_f64()
        );
        let program = program::path(plan.program.as_deref())?;
        let server = Program::demo(&world, &program, &[])?;
        // Joins come last: they add members.
        for bench in Bench::value_variants() {
            if !wanted(*bench) {
                continue;
            }
            let measured: Vec<Figure> = match bench {
                Bench::List => reads::list(plan, &world, &raw, &server)?,
                Bench::Counts => reads::counts(plan, &world, &raw, &server)?,
                Bench::Refresh => refresh::refresh(plan, &world, &raw, &server)?,
                Bench::RefreshSql if plan.postgres.is_none() => Vec::new(),
                Bench::RefreshSql => theirs::refresh(plan, &world, &program)?,
                Bench::Mismatch => mismatch::mismatch(&world, &server)?,
                Bench::Start => start::start(plan, &world, &server)?,
                Bench::Joins => joins::joins(plan, &world, &raw)?,
            };
            for figure in measured {
                figure.print();
                figures.push(figure);
            }
        }
    }
    if let Some(path) = &plan.json {
        report::write(path, &figures)?;
    }
    Ok(())
}
