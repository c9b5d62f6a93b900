"""What the comparisons with the reference documents share: its own check, its dates, and our lists of what is knowingly otherwise."""

import collections
import contextlib
import importlib.util
import io
import re
import sys

DATES = ["2021-02-05", "2024-10-01", "2025-03-12", "2025-04-10", "2025-11-10", "2026-05-12"]
FOLDERS = {"backend": "bapi", "frontend": "fapi"}


def checker(shared):
    """The reference's own check, as a module: it is a program, and ends itself when it is asked for help."""
    spec = importlib.util.spec_from_file_location("spec_check", f"{shared}/tools/spec_check.py")
    module = importlib.util.module_from_spec(spec)
    arguments, sys.argv = sys.argv, ["spec_check", "--help"]
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        spec.loader.exec_module(module)
    sys.argv = arguments
    return module


def document(check, shared, api, date):
    """The reference of an API, as it was on a date."""
    return check.Spec(check.load(f"{shared}/specs/{FOLDERS[api]}/{date}.yml"))


def lines_of(path):
    """The words of each line of a list, without comments, which begin a line or stand behind two spaces."""
    with open(path, encoding="utf-8") as lines:
        return [words for words in (re.split(r"^#|  #", line)[0].split() for line in lines) if words]


def tags_of(path):
    """The headings of the reference that are to be complete one day: by API, `complete` or `begun`."""
    wanted = collections.defaultdict(dict)
    for api, state, *tag in lines_of(path):
        wanted[api][" ".join(tag)] = state
    return wanted


def operations_by_tag(spec):
    """The operations of each heading, as (method, path)."""
    tagged = collections.defaultdict(set)
    for key, it in spec.ops.items():
        for tag in it["op"].get("tags") or []:
            tagged[tag].add(key)
    return tagged
