-- What was erased, by identifiers that lead to nobody, so that a restored backup is told of it again.
-- kind: 0 an authorization ended, 1 one was narrowed, 2 a register was erased, 3 a code was replaced.
-- keeps: of a narrowed authorization the items that stay, comma-separated.
create table erasures (
  id {blob} primary key,
  kind {int} not null,
  keeps {text},
  at {int} not null
){clustered};
create index erasures_by_time on erasures (at, id);
