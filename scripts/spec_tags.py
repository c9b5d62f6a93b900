"""Count how many operations of each heading of the reference we declare, on each of its dates.

usage: spec_tags.py SHARED TAGS GAPS TARGET

A line of TAGS is `backend|frontend complete|begun HEADING`, the headings that are to be complete one day. One that is
`complete` lacks no operation of the newest date; one that lacks none is not `begun`. What any date has and we have not, a line
of GAPS `backend|frontend METHOD /path missing  # reason` names; one that names what is there fails.
"""

import sys

import reference


def main():
    shared, tags_file, gaps_file, target = sys.argv[1:]
    check = reference.checker(shared)
    gaps = {(*words[:3],) for words in reference.lines_of(gaps_file) if words[3:] == ["missing"]}
    failed, passed, used = [], 0, set()
    for api, tags in reference.tags_of(tags_file).items():
        ours = set(check.Spec(check.load(f"{target}/openapi-{api}.json")).ops)
        theirs = {date: reference.operations_by_tag(reference.document(check, shared, api, date)) for date in reference.DATES}
        for tag, state in tags.items():
            newest = theirs[reference.DATES[-1]][tag]
            lacking = {date: sorted(" ".join(key) for key in theirs[date][tag] - ours) for date in reference.DATES}
            names = {name for names in lacking.values() for name in names}
            listed = {name for name in names if (api, *name.split(" ")) in gaps}
            used |= {(api, *name.split(" ")) for name in listed}
            wrong = [f"lacks {name}, which is no known gap" for name in sorted(names - listed)]
            lacks_now = bool(lacking[reference.DATES[-1]])
            if not newest:
                wrong.append("is no heading of the reference")
            if lacks_now == (state == "complete"):
                wrong.append("is complete" if state == "begun" else f"is not complete: {', '.join(lacking[reference.DATES[-1]])}")
            passed += not wrong
            failed += [f"{api} {tag} {it}" for it in wrong]
            counts = " ".join(f"{len(theirs[date][tag]) - len(lacking[date])}/{len(theirs[date][tag])}" for date in reference.DATES)
            print(f"{'FAIL' if wrong else 'ok  '} {api} {tag}: {counts}{'; lacks ' + ', '.join(sorted(names)) if names else ''}")
    failed += [f"{' '.join(gap)}: listed as a known gap, but it is none any more: remove the line" for gap in sorted(gaps - used)]
    for line in failed:
        print(f"FAIL {line}")
    print(f"{passed} passed, {len(failed)} failed, {len(used)} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
