#!/usr/bin/env python3
"""Turns FHIR resources into the health records that `tuantibu source import` reads.

    to_records.py FOLDER > people.ndjson

Written apart from the program. Each person gets a line with their vaccinations, and a line for each test
in an order of its own, so that the import has to find the newest. Only the standard library is used.
"""

import json
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path


def read(folder, kind):
    with open(Path(folder, kind + ".ndjson"), encoding="utf-8") as file:
        yield from map(json.loads, file)


def china_day(text):
    at = datetime.fromisoformat(text)
    return (at - at.utcoffset() + timedelta(hours=8)).date()


def main(folder):
    shots = defaultdict(lambda: defaultdict(dict))
    item_of = {"207": "vaccination", "208": "vaccination", "212": "vaccination"}
    item_of.update({"140": "influenza_vaccine", "150": "influenza_vaccine"})
    for shot in read(folder, "Immunization"):
        code = shot["vaccineCode"]["coding"][0]["code"]
        if shot["status"] == "completed" and code in item_of:
            day = china_day(shot["occurrenceDateTime"])
            shots[shot["patient"]["reference"]][item_of[code]][day, code] = True
    tests = defaultdict(list)
    for test in read(folder, "Observation"):
        detected = test["valueCodeableConcept"]["coding"][0]["display"] == "Detected"
        record = {"result": "positive" if detected else "negative", "reported_at": test["issued"]}
        if "effectiveDateTime" in test:
            record["sampled_at"] = test["effectiveDateTime"]
        tests[test["subject"]["reference"]].append(record)

    counted = Counter()
    for number, patient in enumerate(read(folder, "Patient")):
        who = "Patient/" + patient["id"]
        name = patient["name"][0]
        person = {
            "name": " ".join([*name["given"], name["family"]]),
            "document_type": "resident_id",
            "document_number": patient["identifier"][0]["value"],
            "phones": [contact["value"] for contact in patient["telecom"]],
        }
        items = {}
        for item, given in shots[who].items():
            series = 1 if item == "influenza_vaccine" or min(given)[1] == "212" else 2
            items[item] = {
                "value": ["incomplete", "complete", "booster"][
                    (len(given) >= series) + (len(given) > series)
                ],
                "doses": len(given),
                "last_on": str(max(given)[0]),
            }
        lines = [{**person, "items": items}]
        lines += [{**person, "items": {"nucleic_acid": test}} for test in tests[who]]
        # Every second person's lines the other way round.
        for line in lines if number % 2 else reversed(lines):
            counted["lines"] += 1
            print(json.dumps(line, ensure_ascii=False))
    print(f"{counted['lines']} lines", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
