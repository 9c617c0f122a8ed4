#!/usr/bin/env python3
"""run.py PROGRAM [MORE…]: holds the served OpenAPI document against the running program.

Starts the demo on a free loopback port with its data in a temporary folder, signs in through
/demo/sms, and lets schemathesis ask whatever the document allows and forbids. MORE goes to
schemathesis. Everything started here is stopped by its process id."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SCHEMATHESIS = HERE.parents[1] / ".tools" / "venv" / "bin" / "schemathesis"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# What one caller may do in a minute or a day is held elsewhere; here it would only hide the answers.
LIFTED = (
    "posts_address confirms_address previews_address unknown_codes_address reads_session reveals_hour "
    "reveals_day reports_address_hour creations_person pending_address_hour mismatches_address_hour "
    "mismatches_document mismatches_document_address mismatches_phone mismatches_phone_address sms_phone "
    "registers_administrator sms_site_hour exports_day"
).split()
TERMS = {
    "organisation": "青禾实验小学",
    "contact": "010-62345678",
    "street_code": "110108011",
    "purpose": "师生健康登记",
    "items": [{"item": "health_code", "required": True}],
    "requirements": [{"item": "health_code", "allowed": ["green"]}],
    "departments": ["一年级组", "后勤"],
}


def ask(address, method, path, body=None, token=None):
    headers = {"content-type": "application/json"} if body is not None else {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, headers, method=method)
    with OPENER.open(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def code(address, phone):
    sent = ask(address, "GET", f"/demo/sms?phone={phone}")
    return next(message["code"] for message in sent if message.get("code"))


def confirm(address, started, phone, token=None):
    path = f"/api/v1/verifications/{started['verification_id']}/confirm"
    return ask(address, "POST", path, {"code": code(address, phone)}, token)


def sign_in(address, person):
    started = ask(address, "POST", "/api/v1/sign-in", person)
    return confirm(address, started, person["phone"])["token"]


def identity(name, document, phone):
    return {"name": name, "document_type": "resident_id", "document_number": document, "phone": phone}


def world(address, people):
    """An owner with a register, a member in it and a join that waits; somebody whose sessions may end."""
    owner, member, passer = (identity(*people[at]) for at in (0, 1, 3))
    token = sign_in(address, owner)
    register = ask(address, "POST", "/api/v1/registers", TERMS, token)
    preview = ask(address, "GET", f"/api/v1/join/{register['code']}")
    consent = {
        "accepted": True,
        "version": preview["consent"]["version"],
        "items": ["health_code"],
        "sharing": "details",
    }
    started = ask(address, "POST", f"/api/v1/join/{register['code']}", member | {"consent": consent})
    joined = confirm(address, started, member["phone"])
    waits = identity(*people[4])
    ask(address, "PUT", "/demo/faults", {"source": "down"})
    pending = ask(address, "POST", f"/api/v1/join/{register['code']}", waits | {"consent": consent})
    ask(address, "PUT", "/demo/faults", {"source": "ok"})
    return {
        "address": address,
        "token": token,
        "member_token": joined["token"],
        "register": register["id"],
        "code": register["code"],
        "member": joined["authorization"]["id"],
        "passer": passer,
        "link": joined["authorization"]["leave_link"],
        "pending": pending["pending_id"],
    }


def started(program, folder, port):
    environment = {**os.environ, "TUANTIBU_LOG__FILTER": "warn"}
    environment |= {f"TUANTIBU_LIMITS__{name.upper()}": "1000000" for name in LIFTED}
    environment["TUANTIBU_LIMITS__SESSIONS_PERSON"] = "1000"
    environment["TUANTIBU_LIMITS__RESEND_SECONDS"] = "0"
    # Browsers make passkeys for a domain alone, and where they do not they are not there.
    environment["TUANTIBU_SERVER__PUBLIC_URL"] = f"http://localhost:{port}"
    return subprocess.Popen(
        [program, "demo", "--listen", f"127.0.0.1:{port}", "--data", folder / "data"],
        env=environment, stdin=subprocess.DEVNULL, stdout=open(folder / "out", "w"), stderr=subprocess.STDOUT,
    )


def wait_for(process, folder, address):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"the demo ended: {(folder / 'out').read_text()}")
        try:
            OPENER.open(f"{address}/readyz", timeout=5).read()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("the demo is not ready within a minute")


def people(folder):
    """The sample people as the demo tells them: name, document, phone."""
    lines = [line.split() for line in (folder / "out").read_text().splitlines()]
    return [line[:3] for line in lines if len(line) > 3 and line[1].startswith("110100")]


def walked(address, people):
    """Every operation, once, as it is meant; by schemathesis too, so in its Python."""
    from walk import walk

    walk(address, people)


def main(program, *more):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="tuantibu-document-") as name:
        folder = pathlib.Path(name)
        demo = started(pathlib.Path(program).resolve(), folder, port)
        try:
            wait_for(demo, folder, address)
            walked(address, people(folder))
            known = world(address, people(folder))
            (folder / "world.json").write_text(json.dumps(known))
            environment = {**os.environ, "TUANTIBU_WORLD": str(folder / "world.json")}
            environment |= {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
            environment |= {"TUANTIBU_URL": address, "TUANTIBU_TOKEN": known["token"], "NO_PROXY": "127.0.0.1"}
            command = [
                os.environ.get("SCHEMATHESIS", SCHEMATHESIS), "--config-file", HERE / "schemathesis.toml",
                "run", f"{address}/api/v1/openapi.json", *more,
            ]
            status = subprocess.call(command, env=environment, cwd=folder)
            if demo.poll() is not None:
                sys.exit("the demo ended meanwhile")
            log = (folder / "out").read_text()
            if "ERROR" in log:
                sys.exit(f"an answer failed:\n{log[-3000:]}")
            return status
        finally:
            demo.terminate()
            demo.wait(30)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
