"""The proof page: what was kept of a proof, number by number, and nothing of another course's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rendering import Docs

from workshop import history, proof
from workshop.course import load
from workshop.gates.result import Lesson, Result
from workshop.model import Finding, Outcome, Verdict
from workshop.proof import Proof
from workshop.trial import Trial

pytestmark = pytest.mark.filterwarnings("ignore::sphinx.deprecation.RemovedInSphinx11Warning")

COMMITS = [
    line.split()[0][:10]
    for line in (Path(__file__).parent / "courses" / "good" / "steps" / "tags.txt")
    .read_text(encoding="ascii")
    .splitlines()
]
SENTENCES = {"test_a": "It is `a`.", "test_b": "It has\nb|c.", "test_c": "It *does*."}


def of(**outcomes: Outcome) -> tuple[Verdict, ...]:
    """The verdicts of the checks `test_a`, `test_b`, `test_c`."""
    return tuple(
        Verdict(
            f"test_{name}", SENTENCES[f"test_{name}"], outcome,
            seen="needs a container engine" if outcome == "skipped" else "",
        )
        for name, outcome in outcomes.items()
    )  # fmt: skip


KEPT = Proof(
    trials=(
        Trial("start", "01-hello", "empty", of(a="red", b="red", c="red")),
        Trial("solution", "01-hello", "01-hello", of(a="green", b="skipped", c="green")),
        Trial("solution", "01-hello", "02-name", of(a="red"), ("test_a is red: <b>_1_\nx</b>",)),
        Trial("deploy", "01-hello", "01-hello", sent=420, lost=5, live=1.25),
        Trial("start", "02-name", "01-hello", of(a="red", b="green"), ("test_b is green",)),
        Trial("solution", "02-name", "02-name", of(a="green", b="green")),
        Trial("deploy", "02-name", "02-name", sent=300, live=2),
        Trial("rollout", "02-name", "02-name", sent=5000, live=61.04),
        Trial("rollout", "03-more", "03-more", of(b="skipped")),
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
FOLD = (
    f" 01-hello, commit {COMMITS[0]} : 3 checks; 420 requests, 5 lost"
    " Check At its start At 01 In the stage after it"
    " It is a . red green red"
    " It has b|c. red skipped not run"
    " It does . red green not run"
    " Target process: red, live after 1.2 s; 420 requests, 5 lost"
    " Not as promised, at 02: test_a is red: <b>_1_ x</b>"
)
TOLD = (
    "Step Commit Checks: red at the start green after later stages"
    f" 01-hello {COMMITS[0]} 3 2 0 of 1"
    f" 02-name {COMMITS[1]} 1 2 0 of 0"
    " Deploy of Target Live after Requests meanwhile Lost"
    " 01-hello process 1.2 s 420 5"
    " 02-name process 2.0 s 300 0"
    " 02-name kubernetes 61.0 s 5000 0"
    " Open a step to see its checks, where each of them held, and what its deploys did:"
    f"{FOLD}"
    f" 02-name, commit {COMMITS[1]} : 2 checks; 5300 requests, 0 lost"
    " Check At its start At 02"
    " It is a . red green"
    " It has b|c. green green"
    " Target process: green, live after 2.0 s; 300 requests, 0 lost"
    " Target kubernetes: green, live after 61.0 s; 5000 requests, 0 lost"
    " Not as promised, at its start: test_b is green"
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
    new = TOLD.replace("420 5", "420 0").replace("5 lost", "0 lost")
    new = new.replace("process: red", "process: green")
    assert docs.text("index") == f"Proof {new}"


def test_nothing_skipped_is_said_too(docs: Docs) -> None:
    trials = (KEPT.trials[0], KEPT.trials[1]._replace(verdicts=of(a="green")), *KEPT.trials[2:-1])
    keep(docs.root, Proof(trials, KEPT.results[:2]))
    docs.build()
    assert docs.text("index").endswith(" values 4 1 Nothing was skipped.")


def test_what_was_only_skipped_is_not_proven(docs: Docs) -> None:
    """A stage that could not be judged is neither proven nor missing."""
    one = KEPT.trials[2]
    later = [
        one._replace(stage="02-name", verdicts=of(a="skipped", b="skipped"), problems=()),
        one._replace(stage="03-more", verdicts=of(a="green", b="skipped"), problems=()),
        one._replace(stage="04-last", verdicts=(), problems=()),
    ]
    told = {"1 of 1": later, "0 of 0": later[:1], "1 of 2": [*later, one]}
    for words, trials in told.items():
        keep(docs.root, Proof(trials=(*KEPT.trials[:2], *trials)))
        docs.build()
        assert f"01-hello {COMMITS[0]} 3 2 {words} " in docs.text("index")


def test_of_each_check_it_is_said_where_it_held(docs: Docs) -> None:
    """Also on stages on which it held no more, was skipped, or did not run."""
    one = Trial("solution", "01-hello", "02-name", of(a="green", b="green"))
    three = one._replace(stage="03-more", verdicts=of(a="green", b="skipped"))
    four = one._replace(stage="04-last", verdicts=of(a="green", b="green"))
    keep(docs.root, Proof(trials=(*KEPT.trials[:2], one, three, four)))
    docs.build()
    assert (
        f"01-hello, commit {COMMITS[0]} : 3 checks"
        " Check At its start At 01 In the 3 stages after it"
        " It is a . red green green in each"
        " It has b|c. red skipped green in 02, 04; skipped in 03"
        " It does . red green not run in each"
        " Lesson "
    ) in docs.text("index")


def test_a_deploy_that_was_not_made_has_no_numbers(docs: Docs) -> None:
    skipped = Trial("rollout", "01-hello", "01-hello", of(b="skipped"))
    never = Trial("deploy", "01-hello", "01-hello", problems=("deploy is red: no answer",))
    for trials, words in {
        (skipped,): "0 checks Target kubernetes: skipped Lesson",
        (never,): "0 checks; 0 requests, 0 lost"
        " Target process: red, never live; 0 requests, 0 lost"
        " Not as promised, target process: deploy is red: no answer Lesson",
    }.items():
        keep(docs.root, Proof(trials=trials))
        docs.build()
        assert f"commit {COMMITS[0]} : {words} " in docs.text("index")
    assert " 01-hello process never 0 0 " in docs.text("index")


def test_a_step_is_folded_and_opens_without_a_script(docs: Docs) -> None:
    """A browser's own fold: the keyboard opens it. Each column of its table has a heading."""
    fold = r"<details(.*?)>\s*<summary.*?</summary>(.*?)</details>"
    folds = re.findall(fold, docs.html("index"), re.DOTALL)
    assert [" open" in attributes for attributes, _ in folds] == [False, False]
    assert [inside.count("<th ") for _, inside in folds] == [4, 3]
    assert "<code" in folds[0][1]  # a sentence is Markdown, as in the lesson
    assert "<b>" not in folds[0][1]  # and what was seen is not


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
