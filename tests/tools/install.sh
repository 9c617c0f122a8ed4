#!/usr/bin/env bash
# Installs what `make test` needs and is missing: Debian's packages (as root; otherwise it says which),
# a Python environment, the npm packages of the browser tests and of the SMS centre, and cargo-deny, all
# under .tools/ and tests/{browser,smpp}/node_modules. A stamp of the files that pin them makes a second run instant.
set -euo pipefail
cd "$(dirname "$0")/../.."

CARGO_DENY=0.20.2
TOOLS=.tools
STAMP=$TOOLS/installed

pinned() {
  cat tests/tools/install.sh tests/requirements.txt tests/{browser,smpp}/package-lock.json | sha256sum
}

# Each line: a Debian package, and a pattern of a file that tells that it, or its like, is there.
missing_packages() {
  while read -r package file; do
    compgen -G "$file" >/dev/null || echo "$package"
  done <<'PACKAGES'
postgresql /usr/lib/postgresql/*/bin/initdb
mariadb-server /usr/sbin/mariadbd
chromium /usr/bin/chromium
curl /usr/bin/curl
openssl /usr/bin/openssl
zbar-tools /usr/bin/zbarimg
librsvg2-bin /usr/bin/rsvg-convert
libfaketime /usr/lib/*/faketime/libfaketime.so.1
fonts-noto-cjk /usr/share/fonts/*/noto/NotoSansCJK-Regular.ttc
fonts-hanazono /usr/share/fonts/*/hanazono/HanaMinB.ttf
util-linux /usr/bin/setpriv
PACKAGES
  # A database client alone brings some of the programs, not the server.
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || echo postgresql
  command -v cc >/dev/null || echo build-essential
  command -v git >/dev/null || echo git
  command -v npm >/dev/null || echo npm
  python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

install_packages() {
  local missing
  missing=$(missing_packages | sort -u | paste -sd' ')
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "install: missing and to be installed by root: apt-get install $missing" >&2
    return 1
  fi
  echo "install: $missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of words
  apt-get install -y -qq --no-install-recommends $missing >"$TOOLS/apt.log" 2>&1 ||
    { tail -n 30 "$TOOLS/apt.log" >&2; return 1; }
  missing=$(missing_packages | sort -u | paste -sd' ')
  [ -z "$missing" ] || { echo "install: still missing: $missing" >&2; return 1; }
}

install_python() {
  echo "install: Python packages"
  rm -rf "$TOOLS/venv"
  python3 -m venv "$TOOLS/venv"
  "$TOOLS/venv/bin/pip" install --quiet --disable-pip-version-check --no-input \
    --require-hashes --requirement tests/requirements.txt
}

install_npm() {
  echo "install: npm packages"
  local folder
  for folder in tests/browser tests/smpp; do
    (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error)
  done
}

install_cargo_deny() {
  local have
  have=$("$TOOLS/bin/cargo-deny" --version 2>/dev/null || true)
  [ "$have" != "cargo-deny $CARGO_DENY" ] || return 0
  echo "install: cargo-deny $CARGO_DENY, some minutes"
  # Unoptimised: it reads one lock file, and builds in half the time.
  CARGO_PROFILE_DEV_DEBUG=false CARGO_TARGET_DIR="$PWD/$TOOLS/build" cargo install --quiet --locked \
    --profile dev --root "$TOOLS" --version "$CARGO_DENY" cargo-deny
  rm -rf "$TOOLS/build"
}

for program in cargo rustfmt cargo-clippy python3 node; do
  command -v "$program" >/dev/null || { echo "install: $program is missing" >&2; exit 1; }
done
[ "$(node --print 'process.versions.node.split(".")[0]')" -ge 20 ] ||
  { echo "install: Node 20 or newer is needed, this is $(node --version)" >&2; exit 1; }

mkdir -p "$TOOLS"
# Two runs in one tree wait for each other.
exec 9>"$TOOLS/lock"
flock 9
install_packages
if [ ! -d tests/browser/node_modules ] || [ ! -d tests/smpp/node_modules ] || [ "$(cat "$STAMP" 2>/dev/null)" != "$(pinned)" ]; then
  rm -f "$STAMP"
  install_python
  install_npm
  install_cargo_deny
  pinned >"$STAMP"
fi
