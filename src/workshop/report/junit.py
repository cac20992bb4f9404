"""Trials as JUnit XML, the format that every CI server shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

if TYPE_CHECKING:
    from workshop.trial import Trial


def write(trials: Sequence[Trial], file: Path) -> None:
    """Write a test suite per step and a test case per trial to `file`, whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    tree = Xml.ElementTree(suites(trials))
    Xml.indent(tree)
    tree.write(part, encoding="utf-8", xml_declaration=True)
    part.replace(file)


def suites(trials: Sequence[Trial]) -> Xml.Element:
    """The document, as elements."""
    root = Xml.Element("testsuites")
    for step in dict.fromkeys(each.step for each in trials):
        own = [each for each in trials if each.step == step]
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=step,
            tests=str(len(own)),
            failures=str(sum(bool(each.problems) for each in own)),
            skipped=str(sum(_skipped(each) != "" for each in own)),
            time=f"{sum(each.seconds for each in own):.3f}",
        )
        for each in own:
            case = Xml.SubElement(
                suite,
                "testcase",
                classname=step,
                name=f"{each.kind} {each.stage}",
                time=f"{each.seconds:.3f}",
            )
            if each.problems:
                failure = Xml.SubElement(case, "failure", message=each.problems[0].split("\n")[0])
                failure.text = "\n".join(each.problems)
            elif _skipped(each):
                Xml.SubElement(case, "skipped", message=_skipped(each))
    return root


def _skipped(trial: Trial) -> str:
    return "; ".join(
        f"{each.check}: {each.seen}" for each in trial.verdicts if each.outcome == "skipped"
    )
