"""Run the reference's coverage check over what we declare, and weigh its findings against the list of known gaps.

usage: spec_gaps.py SHARED DATE GAPS TARGET

A line of GAPS is `backend|frontend METHOD /path request|response  # reason`. A finding that is not listed fails, and so
does a listed one that is no longer found: the list only shrinks.
"""

import json
import re
import subprocess
import sys

METHODS = {"get", "post", "put", "patch", "delete"}


def normal(path):
    """The reference's spelling of a path: no parameter names, no version."""
    path = re.sub(r"\{[^}]*\}", "{}", path.rstrip("/") or "/")
    return re.sub(r"^/v1(?=/|$)", "", path) or "/"


def main():
    shared, date, gaps_file, target = sys.argv[1:]
    with open(gaps_file, encoding="utf-8") as lines:
        known = {line.split("#")[0].strip() for line in lines} - {""}
    passed, failed, found = 0, [], set()
    for api, folder in (("backend", "bapi"), ("frontend", "fapi")):
        document = f"{target}/openapi-{api}.json"
        with open(document, encoding="utf-8") as file:
            paths = json.load(file).get("paths", {})
        ours = [f"{method.upper()} {normal(path)}" for path, item in paths.items() for method in item if method in METHODS]
        if not ours:
            failed.append(f"{api}: the document declares no operation")
            continue
        check = subprocess.run(
            [sys.executable, f"{shared}/tools/spec_check.py", "coverage", document, "--spec", f"{shared}/specs/{folder}/{date}.yml"]
            + ["--only", "^(" + "|".join(map(re.escape, ours)) + ")$"],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if not re.search(r"^\d+ passed, \d+ failed$", check.stdout, re.M):
            failed.append(f"{api}: the check itself broke (exit {check.returncode})")
        for line in check.stdout.splitlines():
            if line.startswith("ok  "):
                passed += 1
            elif line.startswith("FAIL "):
                name = f"{api} {line[5:].split(' -- ')[0]}"
                found.add(name)
                if name not in known:
                    failed.append(f"{api} {line[5:]}")
            elif line.startswith("note:"):
                print(f"{api}: {line}")
    failed += [f"{gap}: listed as a known gap, but it is none any more: remove the line" for gap in sorted(known - found)]
    for line in failed:
        print(f"FAIL {line}")
    print(f"OpenAPI: {passed} checks hold, {len(known & found)} known gaps")
    print(f"{passed} passed, {len(failed)} failed, {len(known & found)} skipped")
    sys.exit(1 if failed else 0)


main()
