-- Several keys a purpose. suite: 1 AES, 2 SM. state: 0 pending, 1 active, 2 old, 3 unneeded,
-- 4 destroyed; the wrapped key of a destroyed one is empty. changed_at: since when it stands so.
alter table keys add column suite {int} not null default 1;
alter table keys add column state {int} not null default 1;
alter table keys add column changed_at {int} not null default 0;

-- Which state of the keys each running program holds: none becomes active before all have it.
create table key_holders (
  server {blob} primary key,
  version {int} not null,
  seen_at {int} not null
){clustered};
