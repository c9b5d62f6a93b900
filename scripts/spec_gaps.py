"""Compare the parameters and fields of the operations that we declare with the reference, and weigh what is lacking against the
list of known gaps.

usage: spec_gaps.py SHARED DATE GAPS TARGET

A line of GAPS is `backend|frontend METHOD /path request|response FIELD,FIELD  # reason`; a field stands for everything below it,
and `x.[]` for what the items of a list have. After `NAME = FIELD,FIELD`, `x.@NAME` stands for those of x. A field that lacks and is not listed fails, and so does a listed one that is no
longer found: the list only shrinks. Lines that end in `missing` are for spec_tags.py.
"""

import collections
import sys

import reference

# How many levels of an answer's fields are compared, as the reference's own check does.
DEPTH = 3


def covers(gap, field):
    return field == gap or field.startswith(f"{gap}.")


def main():
    shared, date, gaps_file, target = sys.argv[1:]
    check = reference.checker(shared)
    known, names = collections.defaultdict(set), {}
    for words in reference.lines_of(gaps_file):
        if words[1] == "=":
            names[words[0]] = words[2].split(",")
        elif words[3:] != ["missing"]:
            api, method, path, kind, fields = words
            for field in fields.split(","):
                prefix, _, name = field.partition("@")
                known[api, method, path, kind] |= {prefix + it for it in names[name]} if name else {field}
    passed, failed, used = 0, [], collections.defaultdict(set)
    for api in reference.FOLDERS:
        theirs = reference.document(check, shared, api, date)
        ours = check.Spec(check.load(f"{target}/openapi-{api}.json"))
        if not ours.ops:
            failed.append(f"{api}: the document declares no operation")
        for key in sorted(ours.ops.keys() & theirs.ops.keys(), key=lambda key: (key[1], key[0])):
            lacking = {
                "request": theirs.request_fields(key) - ours.request_fields(key),
                "response": theirs.ok_fields(key, DEPTH) - ours.ok_fields(key, DEPTH),
            }
            for kind, fields in lacking.items():
                name = (api, *key, kind)
                used[name] = {gap for gap in known[name] if any(covers(gap, field) for field in fields)}
                new = sorted(field for field in fields if not any(covers(gap, field) for gap in known[name]))
                passed += not new
                failed += [f"{' '.join(name)} lacks {','.join(new)}"] if new else []
        extra = sorted(" ".join(key) for key in ours.ops.keys() - theirs.ops.keys())
        if extra:
            print(f"{api}: {len(extra)} operations of ours are not in the reference: {', '.join(extra)}")
    for name, gaps in sorted(known.items()):
        gone = sorted(gaps - used[name])
        failed += [f"{' '.join(name)} {','.join(gone)}: listed as a known gap, but it is none any more: remove it"] if gone else []
    for line in failed:
        print(f"FAIL {line}")
    gaps = sum(map(len, used.values()))
    print(f"OpenAPI: {passed} checks hold, {gaps} known gaps")
    print(f"{passed} passed, {len(failed)} failed, {gaps} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
