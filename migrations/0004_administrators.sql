-- Administrators get an id of their own in each register, by which they are listed and removed.
create table administrators_with_ids (
  register_id {blob} not null,
  person_id {blob} not null,
  id {blob} not null unique,
  role {int} not null,
  departments {text},
  added_at {int} not null,
  primary key (register_id, person_id)
){clustered};
insert into administrators_with_ids (register_id, person_id, id, role, departments, added_at)
  select register_id, person_id, {random}, role, departments, added_at from register_administrators;
drop table register_administrators;
alter table administrators_with_ids rename to register_administrators;
create index administrators_by_person on register_administrators (person_id);

-- Open invitations: who has the link may accept. becomes: 0 administrator, 1 owner. One that was
-- used or withdrawn is deleted at once.
create table invitations (
  id {blob} primary key,
  register_id {blob} not null,
  link_hash {blob} not null unique,
  becomes {int} not null,
  inviter_id {blob} not null,
  departments {text},
  created_at {int} not null,
  expires_at {int} not null
){clustered};
create index invitations_by_register on invitations (register_id);
