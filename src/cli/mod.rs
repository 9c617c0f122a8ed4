//! The command line: what each command does stands in its own file.
mod audit;
mod backup;
pub mod connection;
mod demo;
mod keys;
mod operate;
mod people;
mod person;
mod receipt;
mod refresh;
pub mod serve;
mod source;

use crate::{
    actions::replay_erasures::{Replayed, replay_erasures},
    app::{App, Parts, StartError},
    config::{Config, ConfigError, SmsKind},
    error::Error,
    telemetry,
};
use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

/// 团体簿: a self-hosted group health register.
#[derive(Parser)]
#[command(name = "tuantibu", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Which configuration a command takes.
#[derive(Args, Clone, Default)]
struct Where {
    /// The configuration, a TOML file.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
    /// A folder that the demo made.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything embedded, with sample people; SMS are shown on /demo/sms.
    Demo {
        /// Where to listen; 0.0.0.0:8080 lets a phone in the same network scan the code.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// Where the state is kept; a fresh temporary folder if not said.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Runs the server with its scheduler.
    Serve {
        /// The configuration, a TOML file.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Refreshes everybody now.
    Refresh {
        #[command(flatten)]
        place: Where,
        /// Prints the counts as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Health sources: the embedded one, and the Health Source API.
    Source {
        #[command(subcommand)]
        command: source::SourceCommand,
    },
    /// Registers, for the operator.
    Register {
        #[command(subcommand)]
        command: operate::RegisterCommand,
    },
    /// Persons, for the operator.
    Person {
        #[command(subcommand)]
        command: person::PersonCommand,
    },
    /// Receipts of what was erased.
    Receipt {
        #[command(subcommand)]
        command: receipt::ReceiptCommand,
    },
    /// Sessions, for the operator.
    Sessions {
        #[command(subcommand)]
        command: operate::SessionsCommand,
    },
    /// Text messages.
    Sms {
        #[command(subcommand)]
        command: operate::SmsCommand,
    },
    /// The audit log.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// The keys by which everything is sealed.
    Keys {
        #[command(subcommand)]
        command: keys::KeysCommand,
    },
    /// Writes a consistent copy of a SQLite database to a new file.
    Backup {
        /// The new file; - for standard output.
        file: PathBuf,
        #[command(flatten)]
        place: Where,
    },
    /// Brings a copy of a SQLite database back, and erases again whoever was erased since.
    Restore {
        /// The copy; - for standard input.
        file: PathBuf,
        #[command(flatten)]
        place: Where,
    },
    /// The configuration.
    Config {
        #[command(subcommand)]
        command: operate::ConfigCommand,
    },
}

/// How a command failed: exit code 1, or 2 for wrong usage or configuration.
#[derive(Debug)]
enum Failure {
    /// It was tried and failed.
    Failed(String),
    /// The usage or the configuration is wrong.
    Usage(String),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs the command line; 0, 1 failed, 2 wrong usage or configuration.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = crate::memory::undumped() {
        eprintln!("tuantibu: core dumps cannot be turned off: {error}");
        return ExitCode::from(1);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tuantibu: {error}");
            return ExitCode::from(1);
        }
    };
    match runtime.block_on(dispatch(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(words)) => {
            eprintln!("tuantibu: {words}");
            ExitCode::from(1)
        }
        Err(Failure::Usage(words)) => {
            eprintln!("tuantibu: {words}");
            ExitCode::from(2)
        }
    }
}

async fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo { listen, data } => demo::demo(listen, data).await,
        Command::Serve { config } => {
            let config = Config::load(config.as_deref())?;
            telemetry::start(&config.log).map_err(Failure::Usage)?;
            serve::serve(config).await
        }
        Command::Refresh { place, json } => refresh::refresh(&place, json).await,
        Command::Source { command } => source::source(command).await,
        Command::Register { command } => operate::register(command).await,
        Command::Person { command } => person::person(command).await,
        Command::Receipt { command } => receipt::receipt(command).await,
        Command::Sessions { command } => operate::sessions(command).await,
        Command::Sms { command } => operate::sms(command).await,
        Command::Audit { command } => audit::audit(command).await,
        Command::Keys { command } => keys::keys(command).await,
        Command::Backup { file, place } => backup::backup(&file, &place).await,
        Command::Restore { file, place } => backup::restore(&file, &place).await,
        Command::Config { command } => operate::config(command).await,
    }
}

impl Where {
    /// The configuration that is meant.
    fn load(&self) -> Result<Config, Failure> {
        let config = match &self.data {
            Some(data) => {
                if !data.is_dir() {
                    return Err(Failure::Usage(format!(
                        "--data: {} is no folder",
                        data.display()
                    )));
                }
                Config::load_over(demo::defaults(data), None)?
            }
            None => Config::load(self.config.as_deref())?,
        };
        telemetry::start(&config.log).map_err(Failure::Usage)?;
        Ok(config)
    }

    /// The program's parts, without a server.
    async fn open(&self) -> Result<Arc<App>, Failure> {
        let config = self.without_gateway(self.load()?);
        let (app, _) = start(config, Parts::default()).await?;
        keys::keep_told(app.holder.clone());
        Ok(app)
    }

    /// Commands send nothing: the demo's outbox is its server's alone.
    fn without_gateway(&self, mut config: Config) -> Config {
        if config.sms.kind == SmsKind::Outbox {
            config.sms.kind = SmsKind::None;
        }
        config
    }
}

/// Puts the program together, and where its database is an old copy erases again whoever was erased
/// since it was made: nothing is answered, read or sent before.
async fn start(config: Config, parts: Parts) -> Result<(Arc<App>, Replayed), Failure> {
    let app = App::start(config, parts).await?;
    let replayed = replay_erasures(&app).await?;
    Ok((app, replayed))
}
