"""Compare what the server answered in its tests with the reference documents, each answer with those of its own date.

usage: schemas.py SHARED GAPS TAGS RECORDED

RECORDED is the directory that DOORWARD_TEST_RECORD named. A line of GAPS is `frontend|backend DATE METHOD /path FIELD=VALUE
# reason`. DATE may be `*` for all, METHOD and /path may have `*` in them; FIELD is the end of a path such as
`$.response.sessions[].status`, and VALUE is what stands there, with `*` for anything in it. A deviation that is not listed
fails, and so does a listed one that was not found: the list only shrinks. An operation of a heading that TAGS calls complete
fails when no answer that it succeeded with was recorded.
"""

import collections
import fnmatch
import glob
import json
import os
import re
import sys
import urllib.parse

import reference
from reference import DATES, FOLDERS

# Addresses that look like a resource's where a date does not know them.
NO_IDS = {("GET", "/clients/handshake_payload")}


def date_of(asked):
    """The date by whose rules a caller is answered: the newest that is not newer than the one it names."""
    return max((date for date in DATES if date <= (asked or DATES[0])), default=None)


def masked(value):
    """What a value looks like to a schema: answers that differ by ids, texts and times only are compared once. A word may be one
    of a list; what is hexadecimal and long is none."""
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(masked(item), sort_keys=True) for item in value})
    if isinstance(value, str):
        word = re.fullmatch(r"[a-z0-9_-]{1,40}", value) and re.search("[a-z]", value) and not re.fullmatch("[0-9a-f]{16,}", value)
        return value if word else "text"
    return 0 if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def exchanges(recorded):
    for path in sorted(glob.glob(f"{recorded}/*.jsonl")):
        api = os.path.basename(path).split("-")[0]
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                yield api, json.loads(line)


def spec_class(check):
    """The reference's document, whose errors begin with the value that they are about: `$.a: b [enum]`."""

    class Spec(check.Spec):
        def errors(self, schema, body):
            root = {"$ref": "#/$s", "$s": check.to_json_schema(schema, self.strict), "components": self.components}
            out = []
            for top in check.Draft202012Validator(root).iter_errors(body):
                for error in check.leaves(top):
                    where = "$" + "".join("[]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
                    if error.validator == "required":
                        lacking = re.match(r"'([^']+)' is a required property", error.message)[1]
                        out.append(f"{where}.{lacking}: missing [required]")
                    else:
                        value = masked(error.instance) if isinstance(error.instance, str) else json.dumps(error.instance)[:60]
                        out.append(f"{where}: {value} [{error.validator}]")
            return out

    return Spec


def of_gap(words):
    """A line of the list, as (API, date, method, path, field, value)."""
    api, date, method, path, what = words
    field, _, value = what.partition("=")
    return api, date, method, path, field, value


def matches(gap, api, date, operation, error):
    """Whether an error such as `200 $.a: b [enum]` is one that a line of the list knows."""
    field, _, value = error.partition(" ")[2].partition(": ")
    value = value.rpartition(" [")[0]
    right = [(api, gap[0]), (date, gap[1]), (operation[0], gap[2]), (operation[1], gap[3]), (value, gap[5])]
    return field.endswith(gap[4]) and all(fnmatch.fnmatchcase(it, pattern) for it, pattern in right)


def main():
    shared, gaps_file, tags_file, recorded = sys.argv[1:]
    check = reference.checker(shared)
    kind = spec_class(check)
    specs = {(api, date): kind(check.load(f"{shared}/specs/{folder}/{date}.yml")) for api, folder in FOLDERS.items() for date in DATES}
    known = {of_gap(words) for words in reference.lines_of(gaps_file)}
    results, seen, count = collections.defaultdict(dict), set(), 0
    answered = set()
    for api, it in exchanges(recorded):
        count += 1
        date = date_of(it["api_version"])
        # What no date describes: pages, refused dates, and the failures that tests bring about.
        if date is None or it["status"] >= 500:
            continue
        url = urllib.parse.urlsplit(it["path"])
        method = (urllib.parse.parse_qs(url.query).get("_method") or [it["method"]])[0].upper()
        spec = specs[api, date]
        operation = spec.find(method, url.path)
        if operation is None or ((method, check.norm(url.path)) in NO_IDS and "{}" in operation[1]):
            continue
        if it["status"] < 400:
            answered.add((api, operation))
        if "body" not in it:
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
                gaps = {gap for gap in known if matches(gap, api, date, operation, error)}
                used |= gaps
                errors += [] if gaps else [error]
            passed[date] += not errors
            for error in errors:
                found[api, error].add((date, " ".join(operation)))
    failed = [f"{api} {error} -- {sorted(at)}" for (api, error), at in sorted(found.items())]
    failed += [f"{' '.join(gap)}: listed as a known deviation, but it is none any more: remove the line" for gap in sorted(known - used)]
    failed += [f"no answer of {date} was recorded" for date in DATES if not passed[date]]
    for api, tags in reference.tags_of(tags_file).items():
        newest = reference.operations_by_tag(specs[api, DATES[-1]])
        complete = {operation for tag, state in tags.items() if state == "complete" for operation in newest[tag]}
        silent = sorted(" ".join(operation) for operation in complete if (api, operation) not in answered)
        failed += [f"{api} {operation}: no answer was recorded with which it succeeded" for operation in silent]
    for line in failed:
        print(f"FAIL {line}")
    print(f"schemas: {count} exchanges, {len(seen)} of them different; operations that hold: {', '.join(f'{date} {passed[date]}' for date in DATES)}")
    print(f"{sum(passed.values())} passed, {len(failed)} failed, {len(used)} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
