-- By which key an entry, a link or the checkpoint was made; null: by the first, before there were others.
alter table audit_events add column mac_key {int};
alter table audit_chain add column mac_key {int};
alter table audit_checkpoint add column mac_key {int};

-- Whether what a program keeps outside the database is not sealed and hashed by the active keys yet.
alter table key_holders add column adopts {int} not null default 0;
