"""What teams type: list the katas, start one, have it judged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.commands import GREEN, course_argument, course_of, folder, shower, worst

if TYPE_CHECKING:
    import argparse

    from workshop.commands import Verb


def _list(args: argparse.Namespace) -> int:
    for kata in course_of(args).katas:
        print(f"{kata.slug:<24} {kata.minutes:>3} minutes  {kata.title}")
    return GREEN


def _start(args: argparse.Namespace) -> int:
    from workshop import kata
    from workshop.paths import program

    course = course_of(args)
    begun = kata.start(course, args.slug, args.directory)
    print(f"The kata is in {begun.project}. You have {begun.kata.minutes} minutes, from now.")
    print(f"The brief: {begun.kata.folder / 'index.md'}")
    print("\nHave it judged, as often as you like:\n")
    print(f"  cd {folder(args.directory)}\n  {program()} kata judge")
    return GREEN


def _judge(args: argparse.Namespace) -> int:
    from workshop import kata

    verdicts = kata.judge(course_of(args), args.directory, on_verdict=shower(args.json))
    if args.json:
        from workshop.report import as_json

        print(as_json.listing(verdicts))
    else:
        from workshop.report import text

        print(f"\n{text.summary(verdicts)}")
    return worst(verdicts)


def _for_kata(own: argparse.ArgumentParser) -> None:
    actions = own.add_subparsers(title="actions", metavar="ACTION", required=True)
    one = actions.add_parser("list", help="list the katas")
    course_argument(one)
    one.set_defaults(call=_list)
    one = actions.add_parser("start", help="begin a kata; the clock runs")
    course_argument(one)
    one.set_defaults(call=_start)
    one.add_argument("slug", metavar="KATA", help="its name, from `workshop kata list`")
    one.add_argument("directory", metavar="DIR", type=Path, help="a new folder")
    one = actions.add_parser("judge", help="judge a submission")
    course_argument(one)
    one.set_defaults(call=_judge)
    one.add_argument(
        "directory", metavar="DIR", type=Path, nargs="?", default=Path(), help="(default: here)"
    )
    one.add_argument("--json", action="store_true", help="print the verdicts as JSON")


VERBS: Mapping[str, Verb] = {"kata": (_for_kata, _list)}
