"""Count how many operations of each heading of the reference we declare.

usage: spec_tags.py SHARED DATE TAGS TARGET

A line of TAGS is `backend|frontend complete|begun HEADING`, the headings that are to be complete one day. One that is
`complete` and lacks an operation fails.
"""

import collections
import json
import re
import sys

import yaml

METHODS = {"get", "post", "put", "patch", "delete"}


def normal(path):
    """A path without parameter names and version: the documents differ in both."""
    return re.sub(r"^/v1(?=/|$)", "", re.sub(r"\{[^}]*\}", "{}", path.rstrip("/")))


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {normal(path)}", item[method].get("tags") or []


def main():
    shared, date, tags_file, target = sys.argv[1:]
    wanted = collections.defaultdict(dict)
    with open(tags_file, encoding="utf-8") as lines:
        for line in lines:
            if line.split("#")[0].strip():
                api, state, tag = line.strip().split(" ", 2)
                wanted[api][tag] = state
    failed = passed = 0
    for api, folder in (("backend", "bapi"), ("frontend", "fapi")):
        with open(f"{shared}/specs/{folder}/{date}.yml", encoding="utf-8") as file:
            reference = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        with open(f"{target}/openapi-{api}.json", encoding="utf-8") as file:
            ours = {name for name, _ in operations(json.load(file))}
        theirs = collections.defaultdict(set)
        for name, tags in operations(reference):
            for tag in tags:
                theirs[tag].add(name)
        for tag, state in wanted[api].items():
            lacking = sorted(theirs[tag] - ours)
            right = bool(theirs[tag]) and (state == "begun" or not lacking)
            passed, failed = passed + right, failed + (not right)
            note = f"; lacks {', '.join(lacking)}" if lacking else "" if state == "complete" else "; its line may say complete"
            print(f"{'ok  ' if right else 'FAIL'} {api} {tag}: {len(theirs[tag]) - len(lacking)} of {len(theirs[tag])}{note}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
