#!/usr/bin/env bash
# sbom.sh FILE: the list of parts of the program (CycloneDX 1.5, JSON) as Cargo.lock has them, for every
# platform; checked to hold each package that the program is built of.
set -euo pipefail
cd "$(dirname "$0")/../.."

CARGO_CYCLONEDX=0.5.9
TOOLS=${TOOLS:-$PWD/.tools}
out=$1

if [ "$("$TOOLS/bin/cargo-cyclonedx" cyclonedx --version 2>/dev/null | grep -o '[0-9.]*$')" != "$CARGO_CYCLONEDX" ]; then
  echo "sbom: cargo-cyclonedx $CARGO_CYCLONEDX, some minutes"
  CARGO_PROFILE_DEV_DEBUG=false CARGO_TARGET_DIR="$TOOLS/build" cargo install --quiet --locked \
    --profile dev --root "$TOOLS" --version "$CARGO_CYCLONEDX" cargo-cyclonedx
  rm -rf "$TOOLS/build"
fi

# It writes a file beside the manifest of each member of the workspace.
trap 'rm -f ./*.cdx.json benches/*.cdx.json fuzz/*.cdx.json' EXIT
# The time and the number of a list are those of the commit: made twice, it is the same.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) \
  "$TOOLS/bin/cargo-cyclonedx" cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --target all
mkdir -p "$(dirname "$out")"
sed "s|file://$PWD|file:///tuantibu|g" tuantibu_bin.cdx.json >"$out"

cargo tree --locked --edges normal,build --target all --prefix none --format '{p}' |
  python3 -c '
import json, sys
listed = {(one["name"], one["version"]) for one in json.load(open(sys.argv[1]))["components"]}
built = {tuple(line.split()[:2]) for line in sys.stdin if line.strip()}
built = {(name, version.removeprefix("v")) for name, version in built} - {("tuantibu", "0.1.0")}
missing = sorted(built - listed)
if missing:
    sys.exit(f"sbom: not listed: {missing}")
print(f"sbom: {len(listed)} parts in {sys.argv[1]}")
' "$out"
