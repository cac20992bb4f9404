"""The proof page: what was kept of a proof, number by number, and nothing of another course's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rendering import Docs

from workshop import history, proof
from workshop.course import load
from workshop.gates.result import Lesson, Result
from workshop.model import Finding, Verdict
from workshop.proof import Proof
from workshop.trial import Trial

pytestmark = pytest.mark.filterwarnings("ignore::sphinx.deprecation.RemovedInSphinx11Warning")

RED, GREEN = (Verdict("test_a", "It is.", outcome) for outcome in ("red", "green"))
SKIPPED = Verdict("test_b", "It has.", "skipped", seen="needs a container engine")
KEPT = Proof(
    trials=(
        Trial("start", "01-hello", "empty", (RED, RED, RED)),
        Trial("solution", "01-hello", "01-hello", (GREEN, GREEN, SKIPPED)),
        Trial("solution", "01-hello", "02-name", (RED,), problems=("test_a is red",)),
        Trial("deploy", "01-hello", "01-hello", sent=420, lost=5, live=1.25),
        Trial("start", "02-name", "01-hello", (RED, GREEN)),
        Trial("solution", "02-name", "02-name", (GREEN, GREEN)),
        Trial("deploy", "02-name", "02-name", sent=300, live=2),
        Trial("rollout", "02-name", "02-name", sent=5000, live=61.04),
        Trial("rollout", "03-more", "03-more", (SKIPPED,)),
    ),
    results=(
        Result("equality", 6),
        Result("values", 4, (Finding("index.md", "a typed port"),)),
        Result("variants", 8, skipped=(Finding("p, block 6", "for macos: not executed on linux"),)),
    ),
    lessons=(
        Lesson("01-hello", listings=4, commands=7, pages=1, skipped=2),
        Lesson("02-name", listings=2, commands=8, pages=0, skipped=3),
    ),
)
TOLD = (
    "Step Checks: red at the start green after later stages"
    " 01-hello 3 2 0 of 1"
    " 02-name 1 2 0 of 0"
    " Deploy of Target Live after Requests meanwhile Lost"
    " 01-hello process 1.2 s 420 5"
    " 02-name process 2.0 s 300 0"
    " 02-name kubernetes 61.0 s 5000 0"
    " Lesson Listings, diffs, trees Commands Pages opened Variants not run"
    " 01-hello 4 7 1 2"
    " 02-name 2 8 0 3"
    " Gate Proven Findings equality 6 0 values 4 1 variants 8 0"
    " What was skipped, and why:"
    " 01-hello, test_b: needs a container engine"
    " 03-more, test_b: needs a container engine"
    " p, block 6: for macos: not executed on linux"
)
NONE = "These pages were built without a proof."
PAGE = "# Proof\n\n```{proof}\n```\n\n```{toctree}\n:hidden:\n:glob:\n\nsteps/*/index\n```\n"


def keep(root: Path, proven: Proof) -> None:
    course = load(root)
    with history.built(course) as (_, tags):
        commits = {tag.name: tag.commit for tag in tags}
    proof.write(root / proof.FILE, course, commits, proven)


@pytest.fixture
def docs(course_folder: Path) -> Docs:
    made = Docs(course_folder)
    keep(course_folder, KEPT)
    assert made.build(home=PAGE)[1] == ""
    return made


def test_every_number_on_the_page_is_one_that_was_kept(docs: Docs) -> None:
    assert docs.text("index") == f"Proof {TOLD}"


def test_a_new_proof_is_shown_and_what_it_lacks_stays(docs: Docs) -> None:
    better = KEPT.trials[3]._replace(lost=0)
    trials = (*KEPT.trials[:3], better, *KEPT.trials[4:])
    keep(docs.root, Proof(trials=trials))
    assert docs.build()[0] == "index"
    assert docs.text("index") == f"Proof {TOLD.replace('420 5', '420 0')}"


def test_nothing_skipped_is_said_too(docs: Docs) -> None:
    trials = (KEPT.trials[0], KEPT.trials[1]._replace(verdicts=(GREEN,)), *KEPT.trials[2:-1])
    keep(docs.root, Proof(trials, KEPT.results[:2]))
    docs.build()
    assert docs.text("index").endswith(" values 4 1 Nothing was skipped.")


def test_what_was_only_skipped_is_not_proven(docs: Docs) -> None:
    """A stage that could not be judged is neither proven nor missing."""
    one = KEPT.trials[2]
    later = [
        one._replace(stage="02-name", verdicts=(SKIPPED, SKIPPED), problems=()),
        one._replace(stage="03-more", verdicts=(GREEN, SKIPPED), problems=()),
        one._replace(stage="04-last", verdicts=(), problems=()),
    ]
    told = {"1 of 1": later, "0 of 0": later[:1], "1 of 2": [*later, one]}
    for words, trials in told.items():
        keep(docs.root, Proof(trials=(*KEPT.trials[:2], *trials)))
        docs.build()
        assert f"01-hello 3 2 {words} " in docs.text("index")


@pytest.mark.parametrize(
    "name",
    [
        "solutions/02-name/app.py",
        "steps/01-hello/test_hello.py",
        "steps/01-hello/hints.md",
        "steps/02-name/step.toml",
        "steps/02-name/index.md",
        "steps/02-name/transcript.txt",
        "steps/course.toml",
    ],
)
def test_of_another_course_it_is_no_proof(docs: Docs, name: str) -> None:
    file = docs.root / name
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}# more\n", encoding="utf-8")
    docs.build()
    assert NONE in docs.text("index")
    assert "420" not in docs.text("index")
    file.write_text(text, encoding="utf-8")
    docs.build()
    assert docs.text("index") == f"Proof {TOLD}"


@pytest.mark.parametrize("spoil", ["", "{", "{}", "no pages", "no steps"])
def test_what_can_not_be_read_is_no_proof(docs: Docs, spoil: str) -> None:
    """An older workshop counted no pages, or did not note of which checks and lessons it was."""
    file = docs.root / proof.FILE
    kept = json.loads(file.read_text(encoding="utf-8"))
    if spoil == "no pages":
        for lesson in kept["lessons"]:
            del lesson["pages"]
        spoil = json.dumps(kept)
    elif spoil == "no steps":
        del kept["steps"]
        spoil = json.dumps(kept)
    file.write_text(spoil, encoding="utf-8")
    assert docs.build()[1] == ""
    assert NONE in docs.text("index")


@pytest.mark.parametrize("lacks", ["trials", "results"])
def test_half_a_proof_is_none(docs: Docs, lacks: str) -> None:
    (docs.root / proof.FILE).unlink()
    half = Proof(results=KEPT.results) if lacks == "trials" else Proof(trials=KEPT.trials)
    keep(docs.root, half)
    docs.build()
    assert NONE in docs.text("index")
