#!/usr/bin/env python3
"""Runs a command beside the servers that the tests talk to, and stops those servers afterwards.

    tests/tools/with_services.py [--durable] COMMAND [ARGUMENT…]

PostgreSQL, MariaDB and a FHIR server start on free loopback ports, with their data in a temporary folder; the
FHIR server gets tests/fixtures/fhir. Where they are, the command finds in TUANTIBU_TEST_…. Everything
started here is stopped by its process id, whether the command succeeds, fails or is interrupted, and the
kernel stops it should this script be killed. Only the standard library is used.

--durable is for measuring: PostgreSQL alone, with its data on a disk and each commit there at once, as in
service.
"""

import contextlib
import glob
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = ROOT / ".tools" / "venv" / "bin"
FIXTURES = ("Patient", "Immunization", "Observation")


class Failure(Exception):
    """Something that whoever runs this can understand and mend."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tail(path, lines=30):
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return f"(no log: {error})"


def wait_until(ready, process, what, log, seconds=60):
    """Waits until `ready()` holds; a process that ended, or the time, is a failure with its log."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        if process.poll() is not None:
            raise Failure(f"{what} ended with {process.returncode}:\n{tail(log)}")
        time.sleep(0.05)
    raise Failure(f"{what} did not answer within {seconds} s:\n{tail(log)}")


@contextlib.contextmanager
def running(what, command, log, stop_signal, become=(), **options):
    """A process of its own session, so that Ctrl-C in the terminal reaches only the command."""
    # The kernel stops it should this script be killed; asked for last, as a change of user forgets it.
    command = [*become, "setpriv", "--pdeathsig", stop_signal.name.removeprefix("SIG"), *command]
    with open(log, "ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, **options
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(stop_signal)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                print(f"{what} did not stop in 15 s and is killed", file=sys.stderr)
                process.kill()
                process.wait()


def postgres_programs():
    """The newest PostgreSQL whose server programs are all there: Debian keeps them off the PATH."""
    folders = sorted(
        glob.glob("/usr/lib/postgresql/*/bin"),
        key=lambda folder: int("".join(filter(str.isdigit, folder.split("/")[-2])) or 0),
        reverse=True,
    )
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(os.path.dirname(os.path.realpath(on_path)))
    for folder in folders:
        if all(os.access(os.path.join(folder, name), os.X_OK) for name in ("initdb", "postgres")):
            return folder
    raise Failure("PostgreSQL's initdb and postgres are missing: run tests/tools/install.sh")


def unprivileged(folder):
    """PostgreSQL refuses root, so root hands the folder to `nobody` and becomes it."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "nobody", "nogroup")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


@contextlib.contextmanager
def postgres(temporary, durable=False):
    programs = postgres_programs()
    home = temporary / "pg"
    home.mkdir(mode=0o700)
    become = unprivileged(home)
    data, log = home / "data", temporary / "postgres.log"
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": str(home)}
    made = subprocess.run(
        [*become, f"{programs}/initdb", "--pgdata", data, "--username=postgres", "--auth=trust",
         "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
        cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if made.returncode != 0:
        raise Failure(f"initdb failed:\n{made.stdout}{made.stderr}")
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(home),
        "max_connections": "400",
        "shared_buffers": "128MB",
    }
    if not durable:
        # A crash of the machine may lose what the tests wrote.
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    for attempt in range(3):
        port = free_port()
        command = [f"{programs}/postgres", "-D", data, "-p", str(port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
        options = {"become": become, "cwd": home, "env": environment}
        with running("PostgreSQL", command, log, signal.SIGINT, **options) as process:
            try:
                wait_until(lambda: accepts(port, home), process, "PostgreSQL", log)
            except Failure:
                # Somebody else may have taken the port meanwhile.
                if attempt == 2 or process.poll() is None:
                    raise
                continue
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
            return


def accepts(port, home):
    """Whether PostgreSQL takes connections: it answers a startup message with `R`, authentication."""
    if not (home / "data" / "postmaster.pid").exists():
        return False
    body = b"\x00\x03\x00\x00user\x00postgres\x00database\x00postgres\x00\x00"
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            connection.sendall((len(body) + 4).to_bytes(4, "big") + body)
            return connection.recv(1) == b"R"
    except OSError:
        return False


@contextlib.contextmanager
def mariadb(temporary):
    """MariaDB whose `root` has no password and comes from this machine alone."""
    home = temporary / "mariadb"
    home.mkdir(mode=0o700)
    become = unprivileged(home)
    data, log = home / "data", temporary / "mariadb.log"
    server, installer = program("/usr/sbin/mariadbd"), program("mariadb-install-db")
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin", "LC_ALL": "C.UTF-8", "HOME": str(home)}
    made = subprocess.run(
        [*become, installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
         "--skip-test-db", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0"],
        cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if made.returncode != 0:
        raise Failure(f"mariadb-install-db failed:\n{made.stdout}{made.stderr}")
    for attempt in range(3):
        port = free_port()
        command = [
            server, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1",
            f"--socket={home}/s", f"--pid-file={home}/pid", "--skip-name-resolve", "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--max-connections=200",
            "--character-set-server=utf8mb4",
        ]
        options = {"become": become, "cwd": home, "env": environment}
        with running("MariaDB", command, log, signal.SIGTERM, **options) as process:
            try:
                wait_until(lambda: greets(port), process, "MariaDB", log)
            except Failure:
                if attempt == 2 or process.poll() is None:
                    raise
                continue
            yield f"mysql://root@127.0.0.1:{port}"
            return


def greets(port):
    """Whether MariaDB takes connections: it speaks first, by a packet of protocol 10."""
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            return connection.recv(5)[4:] == b"\n"
    except OSError:
        return False


def fetch(url, body=None, timeout=120):
    """One request past any proxy of the environment; the answer's JSON."""
    request = urllib.request.Request(
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"accept": "application/fhir+json", "content-type": "application/fhir+json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=timeout) as answer:
        return json.load(answer)


def answers(url):
    try:
        fetch(url, timeout=5)
        return True
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def fhir(temporary):
    program = VENV / "sekmet"
    if not program.exists():
        raise Failure("the FHIR server is missing: run tests/tools/install.sh")
    home = temporary / "fhir"
    home.mkdir()
    log = temporary / "fhir.log"
    # It keeps a log of every exchange and plays a hospital that answers orders: neither is wanted.
    (home / "settings.yaml").write_text(
        "data_dir: data\nlog_inbound: false\nsimulator: {enabled: false}\nfacility_name: tests\n"
    )
    for attempt in range(3):
        port = free_port()
        base = f"http://127.0.0.1:{port}/fhir"
        environment = {**os.environ, "SEKMET_BASE_URL": base, "SEKMET_CONFIG": str(home / "settings.yaml")}
        command = [program, "serve", "--host", "127.0.0.1", "--port", str(port)]
        with running("the FHIR server", command, log, signal.SIGTERM, cwd=home, env=environment) as process:
            try:
                wait_until(lambda: answers(f"{base}/metadata"), process, "the FHIR server", log)
            except Failure:
                if attempt == 2 or process.poll() is None:
                    raise
                continue
            load(base)
            yield base
            return


def load(base):
    """Puts the fixtures in by their ids, 100 to a transaction, and counts that all are there."""
    for kind in FIXTURES:
        path = ROOT / "tests" / "fixtures" / "fhir" / f"{kind}.ndjson"
        resources = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        for start in range(0, len(resources), 100):
            entries = [
                {"resource": each, "request": {"method": "PUT", "url": f"{kind}/{each['id']}"}}
                for each in resources[start : start + 100]
            ]
            try:
                fetch(base, {"resourceType": "Bundle", "type": "transaction", "entry": entries})
            except urllib.error.HTTPError as error:
                raise Failure(f"{path.name} was refused: {error.read().decode()[:2000]}") from error
        total = fetch(f"{base}/{kind}?_summary=count")["total"]
        if total != len(resources):
            raise Failure(f"{kind}: {total} at the server instead of {len(resources)}")


def faketime():
    for pattern in ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1"):
        for path in glob.glob(pattern):
            return path
    raise Failure("libfaketime is missing: run tests/tools/install.sh")


def program(name):
    path = shutil.which(name)
    if path is None:
        raise Failure(f"{name} is missing: run tests/tools/install.sh")
    return path


def run(command, environment):
    process = subprocess.Popen(command, env=environment)
    try:
        return process.wait()
    except BaseException:
        # Interrupted: give it the time to clean up after itself.
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


def main(command):
    durable = command[:1] == ["--durable"]
    command = command[durable:]
    if not command:
        print(__doc__, file=sys.stderr)
        return 2

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupted(number, _frame):
        # Once is enough: a second one must not end the stopping half-way.
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in signals:
        signal.signal(number, interrupted)
    with contextlib.ExitStack() as stack:
        # /tmp may be in memory.
        place = "/var/tmp" if durable else None
        temporary = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tuantibu-", dir=place)))
        # `nobody` has to pass through to its own folder.
        temporary.chmod(0o711)
        try:
            environment = dict(os.environ)
            if not durable:
                environment |= {
                    "TUANTIBU_TEST_PYTHON": program(str(VENV / "python")),
                    "TUANTIBU_TEST_NODE": program("node"),
                    "TUANTIBU_TEST_ZBARIMG": program("zbarimg"),
                    "TUANTIBU_TEST_FAKETIME_LIB": faketime(),
                    "TUANTIBU_TEST_FHIR": stack.enter_context(fhir(temporary)),
                    "TUANTIBU_TEST_MARIADB": stack.enter_context(mariadb(temporary)),
                }
            environment["TUANTIBU_TEST_POSTGRES"] = stack.enter_context(postgres(temporary, durable))
        except Failure as failure:
            print(f"with_services: {failure}", file=sys.stderr)
            return 1
        status = run(command, environment)
        return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
