-- One text for both engines. Placeholders: {blob} {int} {text} are the column types, {rows} and
-- {clustered} close a table. Times are milliseconds since the Unix epoch; identifiers, hashes and
-- sealed cells are bytes.

-- Keys wrapped by the root key, which stands outside the database.
create table keys (
  id {int} primary key,
  purpose {text} not null,
  wrapped {blob} not null,
  created_at {int} not null
){rows};

-- A person: found by keyed hashes, read by opening one sealed profile (name, document, phone).
create table persons (
  id {blob} primary key,
  document_hash {blob} not null unique,
  phone_hash {blob} not null,
  profile {blob} not null,
  created_at {int} not null,
  updated_at {int} not null
){clustered};
create index persons_by_phone on persons (phone_hash);

-- What was last read of a person: the union of the items of live authorisations.
-- miss: 0 read, 1 the source failed for this person, 2 the source knows no such person.
-- seen_at: the data time, kept while miss is not 0; otherwise the newer of read_at and the shard's.
-- covers: the items that authorizations cover, sorted, comma-separated; whoever changes an
-- authorization sets it, and a refresh writes only where it still is what was asked for.
create table snapshots (
  person_id {blob} primary key,
  fingerprint {blob},
  miss {int} not null,
  covers {text} not null,
  read_at {int},
  seen_at {int},
  items {blob}
){clustered};

create table registers (
  id {blob} primary key,
  version {int} not null,
  organisation {text} not null,
  administrator_title {text},
  contact {blob} not null,
  street_code {text} not null,
  purpose {text} not null,
  items {text} not null,
  departments {text} not null,
  ends_on {text},
  requirements_version {int} not null,
  code_hash {blob} not null unique,
  code {blob} not null,
  frozen {int} not null,
  vouched {int} not null,
  joined_ever {int} not null,
  members {int} not null,
  created_at {int} not null,
  opened_at {int} not null
){rows};

-- Requirements as they stood: who shares the verdict alone is judged by those consented to.
create table register_requirements (
  register_id {blob} not null,
  version {int} not null,
  body {text} not null,
  created_at {int} not null,
  primary key (register_id, version)
){clustered};

-- role: 0 administrator, 1 owner.
create table register_administrators (
  register_id {blob} not null,
  person_id {blob} not null,
  role {int} not null,
  departments {text},
  added_at {int} not null,
  primary key (register_id, person_id)
){clustered};
create index administrators_by_person on register_administrators (person_id);

create table replaced_codes (
  code_hash {blob} primary key,
  replaced_at {int} not null
){clustered};

-- sharing: 0 details, 1 the verdict alone.
create table authorizations (
  register_id {blob} not null,
  person_id {blob} not null,
  id {blob} not null unique,
  guardian_id {blob},
  items {text} not null,
  sharing {int} not null,
  requirements_version {int} not null,
  consent_version {text} not null,
  consented_at {int} not null,
  department {text},
  joined_at {int} not null,
  leave_hash {blob} not null unique,
  primary key (register_id, person_id)
){clustered};
create index authorizations_by_person on authorizations (person_id, register_id);
create index authorizations_by_guardian on authorizations (guardian_id);

-- A shard of people: when its last complete reading began, where the source's changes stood then
-- (cursor), when its last attempt failed, and how far the present run has come.
create table refresh_shards (
  shard {int} primary key,
  version {int} not null,
  read_at {int},
  cursor {text},
  failed_at {int},
  failing_since {int},
  run_id {blob},
  began_at {int},
  reached {blob},
  done {int} not null,
  lease_owner {blob},
  lease_until {int} not null,
  updated {int} not null,
  unchanged {int} not null,
  failed {int} not null,
  unmatched {int} not null
){rows};

create table refresh_runs (
  id {blob} primary key,
  cause {text} not null,
  cursor {text},
  started_at {int} not null,
  finished_at {int},
  updated {int} not null,
  unchanged {int} not null,
  failed {int} not null,
  unmatched {int} not null
){clustered};

create table leases (
  name {text} primary key,
  owner {blob} not null,
  until {int} not null
){clustered};

-- state: 0 open, 2 ended; a used one is deleted. matched: 0 for a decoy whose code nobody was sent.
create table verifications (
  id_hash {blob} primary key,
  kind {int} not null,
  matched {int} not null,
  payload {blob} not null,
  phone_hash {blob} not null,
  flow_hash {blob},
  session_id {blob},
  wrong_tries {int} not null,
  state {int} not null,
  created_at {int} not null,
  expires_at {int} not null
){clustered};

-- Outgoing SMS. A code's text is never stored, only the MAC of its digits.
-- kind: 0 code, 1 invitation. state: 0 reserved, 1 sent, 2 failed, 3 unknown.
create table sms_messages (
  id {blob} primary key,
  kind {int} not null,
  verification_hash {blob},
  phone {blob} not null,
  state {int} not null,
  code_salt {blob},
  code_mac {blob},
  reserved_at {int} not null,
  recorded_at {int},
  reason {text}
){clustered};
create index sms_by_verification on sms_messages (verification_hash);
create index sms_by_time on sms_messages (reserved_at);

-- The gate before a phone: one unused code a minute, so many a day.
create table sms_gates (
  phone_hash {blob} primary key,
  last_at {int} not null,
  waiting {int} not null,
  verification_hash {blob} not null,
  day {text} not null,
  sent {int} not null,
  sent_to_leave {int} not null
){clustered};

-- Counters of limits: the key is a keyed hash of what is counted.
create table counters (
  counter {blob} primary key,
  bucket {int} not null,
  amount {int} not null,
  expires_at {int} not null
){clustered};

-- scope: 0 everything, 1 leaving only.
create table sessions (
  token_hash {blob} primary key,
  id {blob} not null unique,
  person_id {blob} not null,
  scope {int} not null,
  created_at {int} not null,
  seen_at {int} not null,
  expires_at {int} not null
){clustered};
create index sessions_by_person on sessions (person_id);

create table confirmation_tokens (
  token_hash {blob} primary key,
  session_id {blob} not null,
  action {text} not null,
  register_id {blob},
  expires_at {int} not null
){clustered};

-- Joins that wait for a source that is down (待比对). state: 0 waits, 1 matched and invited.
create table pending_joins (
  id_hash {blob} primary key,
  register_id {blob} not null,
  payload {blob} not null,
  state {int} not null,
  created_at {int} not null,
  expires_at {int} not null
){clustered};
create index pending_by_register on pending_joins (register_id);

create table jobs (
  id {blob} primary key,
  kind {text} not null,
  payload {blob} not null,
  due_at {int} not null,
  attempts {int} not null
){clustered};
create index jobs_by_time on jobs (due_at);

create table audit_events (
  server {blob} not null,
  number {int} not null,
  at {int} not null,
  actor {blob},
  action {text} not null,
  register_id {blob},
  subject {blob},
  detail {text},
  mac {blob} not null,
  primary key (server, number)
){clustered};
create index audit_by_register on audit_events (register_id, at);

create table reports (
  id {blob} primary key,
  register_id {blob} not null,
  reason {blob} not null,
  at {int} not null
){clustered};
