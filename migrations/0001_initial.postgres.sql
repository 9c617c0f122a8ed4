-- Only PostgreSQL: room in each page for updates in place (HOT), which halves a refresh's cost.
alter table snapshots set (fillfactor = 50);
alter table sms_gates set (fillfactor = 70);
alter table counters set (fillfactor = 70);
alter table refresh_shards set (fillfactor = 50);
alter table registers set (fillfactor = 70);

-- Two functions that SQLite has, so that one text of a bulk statement serves both engines.
create function json_each(list text) returns table (key bigint, value text)
  language sql immutable parallel safe as
  $$ select ordinality - 1, element from json_array_elements_text(list::json) with ordinality as t (element, ordinality) $$;
create function unhex(digits text) returns bytea
  language sql immutable parallel safe as $$ select decode(digits, 'hex') $$;
