-- Passkeys of administrators. credential: name, credential id and public key, sealed; found by the
-- SHA-256 of the credential id, which is at least 128 random bits.
create table passkeys (
  id {blob} primary key,
  person_id {blob} not null,
  credential_hash {blob} not null unique,
  credential {blob} not null,
  sign_count {int} not null,
  added_at {int} not null,
  used_at {int},
  usable_from {int} not null
){clustered};
create index passkeys_by_person on passkeys (person_id);

-- Challenges that wait for an answer. With a session and an id: for adding that passkey.
create table passkey_challenges (
  challenge_hash {blob} primary key,
  session_id {blob},
  passkey_id {blob},
  expires_at {int} not null
){clustered};

alter table sessions add column by_passkey {int} not null default 0;
