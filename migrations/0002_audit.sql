-- The audit log's chain. What the columns of an entry mean is told in docs/adr/0011-the-audit-chain.md.

-- settled: entries bear all of the server's numbers below it; null in entries of version 1.
-- addressed: whether an address was recorded, which stays true once it is erased.
alter table audit_events add column settled {int};
alter table audit_events add column addressed {int};
alter table audit_events add column address {blob};
create index audit_addresses on audit_events (at) where address is not null;

-- An entry's place in the chain, and the MAC over it, the entry and the link before.
create table audit_chain (
  position {int} primary key,
  server {blob} not null,
  number {int} not null,
  link {blob} not null,
  unique (server, number)
){rows};

-- Where to look for entries that are not in the chain yet: nobody relies on it for anything else.
create table audit_servers (
  server {blob} primary key,
  seen_at {int} not null
){clustered};

-- How far the chain was pruned. numbers: of each server that has entries left, the last pruned.
create table audit_checkpoint (
  id {int} primary key,
  position {int} not null,
  link {blob} not null,
  numbers {text} not null,
  at {int} not null,
  mac {blob} not null
){rows};
