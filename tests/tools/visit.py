#!/usr/bin/env python3
"""visit.py ADDRESS PID: waits until the demo at ADDRESS is ready, and looks at its first pages.

PID is the process that starts it: when it has ended, waiting is over."""

import json
import sys
import time
import urllib.error
import urllib.request

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(address, path):
    with OPENER.open(f"http://{address}{path}", timeout=30) as answer:
        return answer.headers.get_content_type(), answer.read()


def alive(pid):
    try:
        # A child of the calling shell that has ended stays a zombie until that shell waits for it.
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_ready(address, pid, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            get(address, "/readyz")
            return
        except (OSError, urllib.error.HTTPError):
            if not alive(pid):
                sys.exit("visit: make demo ended before it was ready")
            time.sleep(0.2)
    sys.exit(f"visit: not ready within {seconds} s")


def main(address, pid):
    # Long, as it may build first.
    wait_until_ready(address, int(pid), 1800)
    kind, page = get(address, "/")
    if kind != "text/html" or "团体簿" not in page.decode():
        sys.exit(f"visit: / is {kind}, and says {page[:200]!r}")
    kind, document = get(address, "/api/v1/openapi.json")
    if not json.loads(document).get("openapi", "").startswith("3."):
        sys.exit(f"visit: /api/v1/openapi.json is no OpenAPI document: {document[:200]!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
