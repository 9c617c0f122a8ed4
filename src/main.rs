//! The command line of tuantibu.
use std::process::ExitCode;

fn main() -> ExitCode {
    tuantibu::cli::run()
}
