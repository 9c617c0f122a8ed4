#!/usr/bin/env bash
# Does in a fresh clone of HEAD what a newcomer does: `make demo`, and opens it. Cargo's build folder is
# shared, to spare the time; all else comes out of the clone. (`make test` in it would run this again.)
set -euo pipefail
cd "$(dirname "$0")/../.."

CARGO_TARGET_DIR=$(cargo metadata --format-version 1 --no-deps --offline |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
export CARGO_TARGET_DIR
temporary=$(mktemp -d)
demo=
stop() {
  status=$?
  trap - EXIT
  if [ -n "$demo" ] && kill -0 "$demo" 2>/dev/null; then
    # make hands the signal on to the program.
    kill -TERM "$demo"
    for _ in $(seq 100); do kill -0 "$demo" 2>/dev/null || break; sleep 0.1; done
    if kill -0 "$demo" 2>/dev/null; then
      echo "fresh clone: make demo did not stop within 10 s" >&2
      kill -KILL "$demo"
      status=1
    fi
  fi
  [ "$status" = 0 ] || tail -n 40 "$temporary/demo.log" >&2 2>/dev/null || true
  rm -rf "$temporary"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

git clone --quiet --no-hardlinks "$PWD" "$temporary/clone"
address=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
make --no-print-directory -C "$temporary/clone" demo LISTEN="$address" >"$temporary/demo.log" 2>&1 &
demo=$!
python3 tests/tools/visit.py "$address" "$demo"
# Whoever starts it stops it: the port must be free again, or something was left running.
kill -TERM "$demo"
wait "$demo" || true
demo=
if python3 -c 'import socket, sys; h, p = sys.argv[1].split(":"); sys.exit(socket.socket().connect_ex((h, int(p))) != 0)' "$address"; then
  echo "fresh clone: something still answers at $address" >&2
  exit 1
fi
[ -z "$(git -C "$temporary/clone" status --porcelain)" ] ||
  { echo "fresh clone: make demo left files that git does not ignore" >&2; exit 1; }
echo "fresh clone: make demo answered"
