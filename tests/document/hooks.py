"""What schemathesis cannot know: the ids of one register with a member in it, and whose session ends."""

import json
import os
import pathlib

import schemathesis
from run import TERMS, ask, sign_in
from schemathesis import GenerationMode

WORLD = json.loads(pathlib.Path(os.environ["TUANTIBU_WORLD"]).read_text())
ADDRESS = WORLD["address"]
OWN = {"code": WORLD["code"], "member": WORLD["member"]}
# What the same id would take away is asked for with another.
READ_ALONE = {"/leave/{link}": "link", "/api/v1/leave/{link}": "link", "/api/v1/pending/{id}": "pending"}
NOWHERE = "AAAAAAAAAAAAAAAAAAAAAA"


@schemathesis.hook
def before_call(context, case, kwargs):
    path, method = case.operation.path, case.operation.method.upper()
    if method == "DELETE" and "session" in path and has_token(case):
        # It ends sessions: it gets one of its own, of somebody nobody else asks as.
        set_token(case, sign_in(ADDRESS, WORLD["passer"]))
    if not is_positive(case) or not case.path_parameters:
        return
    register = WORLD["register"]
    if path.endswith("/code") and method == "POST":
        # Its code is replaced, and the world's must stay.
        register = ask(ADDRESS, "POST", "/api/v1/registers", TERMS, WORLD["token"])["id"]
    for name, value in case.path_parameters.items():
        own = register if name == "id" and "/registers/" in path else OWN.get(name)
        if path in READ_ALONE:
            own = WORLD[READ_ALONE[path]] if method == "GET" else NOWHERE
        if "/me/authorizations/" in path:
            own = WORLD["member"] if method != "DELETE" else NOWHERE
            if has_token(case):
                set_token(case, WORLD["member_token"])
        if own and method == "DELETE" and "{member}" in path:
            own = NOWHERE
        # Three of four, by the value itself, so that a run can be had again.
        chance = sum(str(value).encode())
        if own and (chance % 4 or value in WORLD.values() or own == NOWHERE):
            case.path_parameters[name] = own
        if path.startswith("/leave/") and chance % 2:
            case.headers["Accept"] = "application/json"


@schemathesis.hook
def after_call(context, case, response):
    # What it broke is mended before anybody else asks.
    if case.operation.path == "/demo/faults" and response.status_code == 200:
        ask(ADDRESS, "PUT", "/demo/faults", {"source": "ok", "sms": "ok"})


def has_token(case):
    """Whether the run's own token is there, and none that it made up."""
    return (case.headers or {}).get("Authorization") == f"Bearer {WORLD['token']}"


def set_token(case, token):
    case.headers["Authorization"] = f"Bearer {token}"


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
