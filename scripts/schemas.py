"""Compare what the server answered in its tests with the reference documents, each answer with those of its own date.

usage: schemas.py SHARED GAPS RECORDED

RECORDED is the directory that DOORWARD_TEST_RECORD named. A line of GAPS is `frontend|backend DATE FIELD  # reason`, with
`*` for every date; FIELD is the end of a path such as `$.response.sessions[].status`. A deviation that is not listed fails,
and so does a listed one that was not found: the list only shrinks.
"""

import collections
import contextlib
import glob
import importlib.util
import io
import json
import os
import re
import sys
import urllib.parse

DATES = ["2021-02-05", "2024-10-01", "2025-03-12", "2025-04-10", "2025-11-10", "2026-05-12"]
FOLDERS = {"backend": "bapi", "frontend": "fapi"}
# Addresses that look like a resource's where a date does not know them.
NO_IDS = {("GET", "/clients/handshake_payload")}


def checker(shared):
    """The reference's own check, as a module: it is a program, and ends itself when it is asked for help."""
    spec = importlib.util.spec_from_file_location("spec_check", f"{shared}/tools/spec_check.py")
    module = importlib.util.module_from_spec(spec)
    arguments, sys.argv = sys.argv, ["spec_check", "--help"]
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        spec.loader.exec_module(module)
    sys.argv = arguments
    return module


def date_of(asked):
    """The date by whose rules a caller is answered: the newest that is not newer than the one it names."""
    return max((date for date in DATES if date <= (asked or DATES[0])), default=None)


def masked(value):
    """What a value looks like to a schema: answers that differ by ids, texts and times only are compared once."""
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(masked(item), sort_keys=True) for item in value})
    if isinstance(value, str):
        return value if re.fullmatch(r"[a-z_]{1,40}", value) else "text"
    return 0 if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def exchanges(recorded):
    for path in sorted(glob.glob(f"{recorded}/*.jsonl")):
        api = os.path.basename(path).split("-")[0]
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                yield api, json.loads(line)


def field_of(error):
    """`200 $.a: 'b' is a required property` is about `$.a.b`, everything else about what it names."""
    where, _, what = error.partition(" ")[2].partition(": ")
    missing = re.fullmatch(r"'(\w+)' is a required property", what)
    return f"{where}.{missing[1]}" if missing else where


def main():
    shared, gaps_file, recorded = sys.argv[1:]
    check = checker(shared)
    specs = {(api, date): check.Spec(check.load(f"{shared}/specs/{folder}/{date}.yml")) for api, folder in FOLDERS.items() for date in DATES}
    with open(gaps_file, encoding="utf-8") as lines:
        known = {tuple(line.split("#")[0].split()) for line in lines} - {()}
    results, seen, count = collections.defaultdict(dict), set(), 0
    for api, it in exchanges(recorded):
        count += 1
        date = date_of(it["api_version"])
        # What no date describes: pages, refused dates, and the failures that tests bring about.
        if date is None or "body" not in it or it["status"] >= 500:
            continue
        url = urllib.parse.urlsplit(it["path"])
        method = (urllib.parse.parse_qs(url.query).get("_method") or [it["method"]])[0].upper()
        spec = specs[api, date]
        operation = spec.find(method, url.path)
        if operation is None or ((method, check.norm(url.path)) in NO_IDS and "{}" in operation[1]):
            continue
        key = (api, date, operation, it["status"], "paginated=true" in url.query, json.dumps(masked(it["body"]), sort_keys=True))
        if key not in seen:
            seen.add(key)
            check.judge(spec, results[api, date], operation, it["status"], it["body"], True, url.query)
    passed, used, found = collections.Counter(), set(), collections.defaultdict(set)
    for (api, date), operations in results.items():
        for operation, result in operations.items():
            errors = []
            for error in result["errors"]:
                gaps = {gap for gap in known if gap[0] == api and gap[1] in ("*", date) and field_of(error).endswith(gap[2])}
                used |= gaps
                errors += [] if gaps else [error]
            passed[date] += not errors
            for error in errors:
                found[api, error].add((date, " ".join(operation)))
    failed = [f"{api} {error} -- {sorted(at)}" for (api, error), at in sorted(found.items())]
    failed += [f"{' '.join(gap)}: listed as a known deviation, but it is none any more: remove the line" for gap in sorted(known - used)]
    failed += [f"no answer of {date} was recorded" for date in DATES if not passed[date]]
    for line in failed:
        print(f"FAIL {line}")
    print(f"schemas: {count} exchanges, {len(seen)} of them different; operations that hold: {', '.join(f'{date} {passed[date]}' for date in DATES)}")
    print(f"{sum(passed.values())} passed, {len(failed)} failed, {len(used)} skipped")
    sys.exit(1 if failed else 0)


main()
