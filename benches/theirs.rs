//! The refresh of everybody through the SQL source: the same people in a PostgreSQL of the authority's.
use crate::{
    Plan, Res,
    people::{FAILS_EVERY, Person},
    program::Program,
    raw::postgres::{connect, new_database},
    refresh::{SOME, once},
    report::{Figure, Target},
    world::World,
};
use std::path::Path;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

const BATCH: &str = "select document_number, name, phones, code as items_health_code_value,
    'negative' as items_nucleic_acid_result, sampled as items_nucleic_acid_sampled_at,
    sampled as items_nucleic_acid_reported_at, 'booster' as items_vaccination_value,
    3 as items_vaccination_doses, date '2022-03-01' as items_vaccination_last_on
  from people where document_number = any(:document_numbers)";

/// People refreshed a second through an authority's PostgreSQL, all of them and one in ten changed.
pub(crate) fn refresh(plan: &Plan, world: &World, program: &Path) -> Res<Vec<Figure>> {
    let runtime = Runtime::new()?;
    let (client, reader) = runtime.block_on(fill(plan, world))?;
    let environment = [
        ("TUANTIBU_SOURCE__KIND", "sql"),
        ("TUANTIBU_SOURCE__SQL__URL", &reader),
        ("TUANTIBU_SOURCE__SQL__BATCH", BATCH),
    ];
    let server = Program::demo(world, program, &environment)?;
    let figure = |what: &str| {
        let name = format!("refresh of {} through SQL, {what} changed", world.members);
        Figure::new(name, world.engine, "people/s", Target::AtLeast(200_000.0))
    };
    let (mut all, mut some) = (figure("all"), figure("10 %"));
    for _ in 0..plan.rounds {
        for (every, figure) in [(1, &mut all), (SOME, &mut some)] {
            runtime.block_on(change(&client, every))?;
            figure.ours(once(&server, world.members, world.members.div_ceil(every))?);
        }
    }
    Ok(vec![all, some])
}

/// A minute newer, of every so many-th.
async fn change(client: &Client, every: usize) -> Res<()> {
    let statement = format!(
        "update people set sampled = sampled + interval '1 minute' where n % {every} = 0;
         vacuum analyze people"
    );
    for statement in statement.split(';') {
        client.batch_execute(statement).await?;
    }
    Ok(())
}

/// Makes the database; who writes it, and the URL of the user who reads.
async fn fill(plan: &Plan, world: &World) -> Res<(Client, String)> {
    let url = new_database(plan.postgres.as_deref(), "theirs").await?;
    let client = connect(&url).await?;
    let reader = format!(
        "bench_reader_{}_{}",
        std::process::id(),
        world.engine.name().to_lowercase()
    );
    client
        .batch_execute(&format!(
            "create table people (n int, document_number text primary key, name text, phones text,
                 code text, sampled timestamptz) with (fillfactor = 50);
             create role {reader} login; grant select on people to {reader}"
        ))
        .await?;
    let people: Vec<Person> = (0..world.members).map(Person::number).collect();
    let column = |of: fn(&Person) -> &String| people.iter().map(of).collect::<Vec<_>>();
    let statement = format!(
        "insert into people
         select n - 1, d, name, phone, case when (n - 1) % {FAILS_EVERY} = 0 then 'yellow' else 'green' end,
             timestamptz 'epoch' + $4::bigint * interval '1 millisecond'
         from unnest($1::text[], $2::text[], $3::text[]) with ordinality as t(d, name, phone, n)"
    );
    let columns = [
        column(|person| &person.document),
        column(|person| &person.name),
        column(|person| &person.phone),
    ];
    let [documents, names, phones] = &columns;
    client
        .execute(&statement, &[documents, names, phones, &world.base])
        .await?;
    let (_, place) = url
        .rsplit_once('@')
        .ok_or("--postgres: no user in the URL")?;
    Ok((client, format!("postgres://{reader}@{place}")))
}
