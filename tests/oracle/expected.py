#!/usr/bin/env python3
"""What the register must say of the people in tests/fixtures/fhir at a moment.

    expected.py FOLDER MOMENT

FOLDER holds Patient.ndjson, Immunization.ndjson and Observation.ndjson; MOMENT is a time by RFC 3339.
Written from the rules alone, without looking at the program, so that the two can be compared. Only the
standard library is used. The answer is JSON by resident identity number.
"""

import datetime
import json
import pathlib
import sys

# Asia/Shanghai has been eight hours ahead of UTC without summer time since 1992; no date that counts
# here is older.
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
RESIDENT_ID = "urn:oid:2.16.156.10011.1.3"
CVX = "http://hl7.org/fhir/sid/cvx"
PRIMARY_SERIES = {
    "vaccination": {"207": 2, "208": 2, "212": 1},
    "influenza_vaccine": {"140": 1, "150": 1},
}
SARS_COV_2_RNA = ("http://loinc.org", "94500-6")
RESULTS = {"260415000": "negative", "260373001": "positive"}
SNOMED = "http://snomed.info/sct"
SETTLED = {"final", "amended", "corrected"}
MAX_DAYS = 3


def lines(folder, kind):
    text = (pathlib.Path(folder) / f"{kind}.ndjson").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def local_day(moment):
    return moment.astimezone(SHANGHAI).date()


def codes(concept, system):
    return [each["code"] for each in concept.get("coding", []) if each.get("system") == system]


def immunization(doses, series):
    """State, count and last day; several records of one day and vaccine are one dose."""
    given = set()
    for dose in doses:
        if dose["status"] != "completed":
            continue
        for code in codes(dose["vaccineCode"], CVX):
            if code in series:
                given.add((local_day(instant(dose["occurrenceDateTime"])), code))
    if not given:
        return None
    needed = series[min(given)[1]]
    value = "incomplete" if len(given) < needed else "complete" if len(given) == needed else "booster"
    return {"value": value, "doses": len(given), "last_on": max(given)[0].isoformat()}


def newest_test(observations):
    tests = []
    for each in observations:
        if each["status"] not in SETTLED:
            continue
        if SARS_COV_2_RNA[1] not in codes(each["code"], SARS_COV_2_RNA[0]):
            continue
        sampled = each.get("effectiveDateTime")
        reported = each.get("issued")
        found = [RESULTS.get(code) for code in codes(each.get("valueCodeableConcept", {}), SNOMED)]
        tests.append(
            {
                "result": found[0] if found and found[0] else "unknown",
                "sampled_at": instant(sampled) if sampled else None,
                "reported_at": instant(reported) if reported else None,
            }
        )
    return max(tests, key=lambda test: test["sampled_at"] or test["reported_at"], default=None)


def days_since(test, today):
    if test["sampled_at"]:
        return (today - local_day(test["sampled_at"])).days
    days = (today - local_day(test["reported_at"])).days
    if test["reported_at"].astimezone(SHANGHAI).hour < 6:
        days += 1
    return days


def tested_within(test, today):
    """The verdict under `at most MAX_DAYS since a negative test`, and whether tomorrow's differs."""
    if test is None or test["result"] == "positive":
        return "fails", False
    days = days_since(test, today)
    if test["result"] == "unknown" or days < 0:
        return "unknown", False
    if days > MAX_DAYS:
        return "fails", False
    return "meets", days == MAX_DAYS


def utc(moment):
    return moment and moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def main(folder, moment):
    today = local_day(instant(moment))
    doses, observations = {}, {}
    for each in lines(folder, "Immunization"):
        doses.setdefault(each["patient"]["reference"], []).append(each)
    for each in lines(folder, "Observation"):
        observations.setdefault(each["subject"]["reference"], []).append(each)
    people = {}
    for patient in lines(folder, "Patient"):
        reference = f"Patient/{patient['id']}"
        test = newest_test(observations.get(reference, []))
        verdict, expires = tested_within(test, today)
        person = {
            item: immunization(doses.get(reference, []), series)
            for item, series in PRIMARY_SERIES.items()
        }
        person["nucleic_acid"] = test and {
            "result": test["result"],
            "sampled_at": utc(test["sampled_at"]),
            "reported_at": utc(test["reported_at"]),
            "days": days_since(test, today) if test["result"] == "negative" else None,
        }
        person["verdict"] = verdict
        person["expires_tomorrow"] = expires
        number = next(
            each["value"] for each in patient["identifier"] if each["system"] == RESIDENT_ID
        )
        people[number] = person
    json.dump(people, sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
