//! The operator's commands: registers, sessions, backup, configuration.
use super::{Failure, Where};
use crate::{
    actions::{operator, sms_outcomes},
    app::App,
    config::{Administrators, Config},
    model::id::Id,
};
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum RegisterCommand {
    /// Lists registers.
    List {
        /// Only those that somebody reported.
        #[arg(long)]
        reported: bool,
        #[command(flatten)]
        place: Where,
    },
    /// Shows one.
    Show(One),
    /// Freezes one: nobody joins any more.
    Freeze(One),
    /// Takes the freeze back.
    Unfreeze(One),
    /// Vouches for the organisation's name.
    Vouch(One),
    /// Takes it back.
    Unvouch(One),
}

/// A register, by its id or its registration code.
#[derive(clap::Args)]
pub(super) struct One {
    /// The id or the registration code.
    // One of 64 begins with a hyphen.
    #[arg(value_name = "ID-OR-CODE", allow_hyphen_values = true)]
    which: String,
    #[command(flatten)]
    place: Where,
}

#[derive(Subcommand)]
pub(super) enum SessionsCommand {
    /// Ends the sessions of one person, or all.
    End {
        /// The person's id, as the log names it.
        #[arg(
            value_name = "PERSON",
            required_unless_present = "all",
            allow_hyphen_values = true
        )]
        person: Option<String>,
        /// Everybody's.
        #[arg(long, conflicts_with = "person")]
        all: bool,
        #[command(flatten)]
        place: Where,
    },
}

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Checks the configuration and says what holds.
    Check {
        #[command(flatten)]
        place: Where,
    },
}

pub(super) async fn register(command: RegisterCommand) -> Result<(), Failure> {
    match command {
        RegisterCommand::List { reported, place } => {
            let app = place.open().await?;
            for register in operator::list(&app, reported).await? {
                println!("{}", json(&register)?);
            }
        }
        RegisterCommand::Show(one) => {
            let app = one.place.open().await?;
            println!("{}", json(&operator::show(&app, &one.which).await?)?);
        }
        RegisterCommand::Freeze(one) => freeze(&one, true).await?,
        RegisterCommand::Unfreeze(one) => freeze(&one, false).await?,
        RegisterCommand::Vouch(one) => vouch(&one, true).await?,
        RegisterCommand::Unvouch(one) => vouch(&one, false).await?,
    }
    Ok(())
}

async fn freeze(one: &One, frozen: bool) -> Result<(), Failure> {
    let app = one.place.open().await?;
    println!(
        "{}",
        json(&operator::set_frozen(&app, &one.which, frozen).await?)?
    );
    Ok(())
}

async fn vouch(one: &One, vouched: bool) -> Result<(), Failure> {
    let app = one.place.open().await?;
    println!(
        "{}",
        json(&operator::set_vouched(&app, &one.which, vouched).await?)?
    );
    Ok(())
}

pub(super) async fn sessions(command: SessionsCommand) -> Result<(), Failure> {
    let SessionsCommand::End {
        person,
        all: _,
        place,
    } = command;
    let person = person
        .map(|text| Id::parse(&text).ok_or_else(|| Failure::Usage("PERSON: not an id".into())))
        .transpose()?;
    let app = place.open().await?;
    println!("ended {}", operator::end_sessions(&app, person).await?);
    Ok(())
}

pub(super) async fn config(command: ConfigCommand) -> Result<(), Failure> {
    let ConfigCommand::Check { place } = command;
    let config: Config = place.load()?;
    let app = place.open().await?;
    println!("database: {}", app.store.engine());
    let source = app.source.kind();
    let seen = app.source.check().await;
    let mut works = seen.is_ok();
    match seen {
        Ok(seen) if seen.is_empty() => println!("source: {source}"),
        Ok(seen) => println!("source: {source}: {}", seen.join("; ")),
        Err(error) => println!("source: {source}: does not work: {error}"),
    }
    for (gateway, seen) in app.sms.check().await {
        match seen {
            Ok(seen) => println!("sms: {gateway}: {}", seen.join("; ")),
            Err(reason) if gateway == "none" => println!("sms: none; {reason}"),
            Err(reason) => {
                works = false;
                println!("sms: {gateway}: does not work: {reason}");
            }
        }
    }
    println!(
        "administrators: {}",
        assurance(&app, config.auth.administrators)
    );
    if config.server.public_url.is_empty() {
        println!("server.public_url: not set; serve refuses to start");
    }
    println!(
        "refresh: {} {}",
        config.refresh.at.join(" "),
        config.refresh.zone
    );
    if works {
        Ok(())
    } else {
        Err(Failure::Failed("a connector does not work".to_owned()))
    }
}

#[derive(Subcommand)]
pub(super) enum SmsCommand {
    /// Counts what became of texts, by state, gateway and reason: JSON lines without a number or text.
    Status {
        /// Of how many days, at most those that they are kept for.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=7))]
        days: i64,
        #[command(flatten)]
        place: Where,
    },
}

pub(super) async fn sms(command: SmsCommand) -> Result<(), Failure> {
    let SmsCommand::Status { days, place } = command;
    let app = place.open().await?;
    for count in sms_outcomes::counts(&app, days).await? {
        println!("{}", json(&count)?);
    }
    Ok(())
}

/// What signing in as an administrator is worth here (NIST SP 800-63B, GB/T 22239-2019).
fn assurance(app: &App, administrators: Administrators) -> &'static str {
    match (administrators, app.passkeys.is_some()) {
        (Administrators::Required, _) => {
            "a passkey is required: a key and who unlocks it, two factors, one of them cryptographic; \
             AAL2, and what GB/T 22239-2019 level 3 asks of signing in"
        }
        (Administrators::Offered, true) => {
            "a passkey is offered, a code by SMS does: no more than AAL1 is claimed; \
             auth.administrators = \"required\" claims AAL2"
        }
        (Administrators::Offered, false) => {
            "a code by SMS: no more than AAL1; passkeys need a server.public_url \
             of a domain over https"
        }
        (Administrators::Off, _) => "a code by SMS: no more than AAL1",
    }
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Failed(error.to_string()))
}
