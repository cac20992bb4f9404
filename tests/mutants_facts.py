"""The ways in which a fact on a page could be another one than the course has."""

from __future__ import annotations

from mutants import FIRST
from rendering import Spoil, markup, words

FACTS = "pages/facts"
FACTS_PAGE = """\
# Facts

There are {value}`steps` steps, in {value}`minutes` minutes. The first is “{value}`title:1`”,
number {value}`step:1`, with {value}`checks:1` checks and {value}`files:1` files. It is
{hash}`01-hello`, and the next one is {hash}`2:full`. It answers on {value}`url`.

```{step-head}
:stage: 02-name
```

```{checks}
:stage: 1
```

```{hints}
:stage: hello
```

```{step-list}
```
"""
_SECOND = "Development</p></td>"
_STEPS = '<span data-shows="value" data-asks="steps">2</span>'

# Where, how, and what the gate says of it.
MUTANTS: dict[str, tuple[str, Spoil, str]] = {
    # roles
    "a byte of a hash": (FACTS, words("hash", 0, 0), "{hash}`01-hello`: "),
    "the last byte of a whole hash": (FACTS, words("hash", 1, -1), "{hash}`2:full`: "),
    "a number": (
        FACTS,
        words("value", 0, 0),
        "{value}`steps`: '3' stands there, and should be '2'",
    ),
    "a sum": (FACTS, words("value", 1, 0), "{value}`minutes`: '8' stands there, and should be '7'"),
    "a title": (FACTS, words("value", 2, 1), "'Sby hello' stands there, and should be 'Say hello'"),
    "a step's number": (FACTS, words("value", 3, 1), "'02' stands there, and should be '01'"),
    "a count of checks": (FACTS, words("value", 4, 0), "{value}`checks:1`: '3' stands there"),
    "a count of files": (FACTS, words("value", 5, 0), "{value}`files:1`: '4' stands there"),
    "a port": (FACTS, words("value", 6, -2), "{value}`url`: 'http://127.0.0.1:8001/' stands there"),
    "a value of the lesson itself": (FIRST, words("value", 0, 0), "{value}`files`: '4' stands"),
    "another value": (
        FACTS,
        markup('data-asks="steps"', 'data-asks="katas"'),
        "{value}`katas`: '2' stands there, and should be '0'",
    ),
    "a value that is none": (
        FACTS,
        markup('data-asks="steps"', 'data-asks="stops"'),
        "{value}`stops` claims what is not there: 'stops'",
    ),
    "a hash of no stage": (
        FACTS,
        markup('data-asks="01-hello"', 'data-asks="03-no"'),
        "{hash}`03-no` claims what is not there: ",
    ),
    "a value that claims nothing": (
        FACTS,
        markup(_STEPS, "<span>3</span>"),
        "{value} of steps: 1 in the source, 0 on the page",
    ),
    "a value that nobody asked for": (
        FACTS,
        markup(_STEPS, 2 * _STEPS),
        "{value} of steps: 1 in the source, 2 on the page",
    ),
    # the head of a lesson
    "a step's place": (
        FACTS,
        markup("<p>Step 2 of 2", "<p>Step 1 of 2"),
        "{step-head}: 'Step 1 of",
    ),
    "how many steps": (FIRST, markup("<p>Step 1 of 2", "<p>Step 1 of 3"), "should be '1 of 2 Lay"),
    "a layer": (FACTS, markup("Layer: Develop", "Layer: Devolop"), "'2 Layer: Devolopment 4 min"),
    "minutes": (FACTS, markup("<p>4 minutes", "<p>5 minutes"), "'Layer: Development 5 minutes"),
    "one minute": (FACTS, markup("<p>4 minutes", "<p>4 minute"), "Development 4 minute Tag:"),
    "a tag": (FACTS, markup(">02-name<", ">02-nome<"), "'minutes Tag: 02-nome Commit: "),
    "a commit": (FIRST, words("step-head", 0, -1), "{step-head}: '01-hello Commit: "),
    "a need that is none": (
        FACTS,
        markup("<p>4 minutes</p>", "<p>4 minutes</p><p>Needs: luck</p>"),
        "Needs: luck",
    ),
    "the head of another step": (
        FACTS,
        markup('"step-head" data-stage="02-name"', '"step-head" data-stage="01-hello"'),
        "{step-head}: 'Step 2 of 2' stands there, and should be 'Step 1 of 2'",
    ),
    "a head of no step": (
        FACTS,
        markup('"step-head" data-stage="02-name"', '"step-head" data-stage="03-no"'),
        "{step-head} claims what is not there: ",
    ),
    "no head": (
        FIRST,
        markup('data-shows="step-head"', ""),
        "{step-head} of 01-hello: 1 in the source, 0 on the page",
    ),
    # checks
    "a word of a check": (
        FACTS,
        markup("There is a file", "There is a pile"),
        "'is a pile app.py.",
    ),
    "a mark in a check": (FACTS, markup("</code>.</p>", "</code>!</p>"), "'a file app.py! app.py"),
    "a name in a check": (
        FACTS,
        markup(">app.py</span>", ">apt.py</span>"),
        "{checks}: 'a file apt",
    ),
    "a check gone": (
        FACTS,
        markup("<p>There is a file", "</p><p hidden>"),
        "{checks}: 'app.py. app.py is'",
    ),
    "the checks of another step": (
        FACTS,
        markup('"checks" data-stage="01-hello"', '"checks" data-stage="02-name"'),
        "{checks}: ",
    ),
    # hints
    "a word of a hint": (
        FIRST,
        markup("A bracket is open", "A basket is open"),
        "'3 A basket is op",
    ),
    "a name in a hint": (
        FACTS,
        markup(">py_compile</span>", ">pycompile</span>"),
        "'python -m pycompile app.py.",
    ),
    "a hint's number": (
        FACTS,
        markup("Hint 3<", "Hint 4<"),
        "'missing. Hint 4 Write app.py.' stands",
    ),
    "a hint gone": (FACTS, markup("A file is missing.", ""), "'Hint 2 Hint 3 Write' stands"),
    "two hints swapped": (
        FACTS,
        markup("Look at the folder.", "A file is missing."),
        "'Hint 1 A file is' stands there, and should be 'Hint 1 Look at the'",
    ),
    "no hints": (
        FIRST,
        markup('data-shows="hints"', ""),
        "{hints} of 01-hello: 1 in the source, 0 on the page",
    ),
    "a claim that no gate knows": (
        FACTS,
        markup('data-shows="checks"', 'data-shows="chucks"'),
        "no gate knows what `chucks` is",
    ),
    # the table of contents
    "a title in the table": (
        FACTS,
        markup("Say hello</span></a>", "Say hallo</span></a>"),
        "hallo",
    ),
    "minutes in the table": (FACTS, words("step-list", 0, "<p>3<"), "Application 4 "),
    "a layer in the table": (
        FACTS,
        markup(_SECOND, "Deployment</p></td>"),
        "'your name Deployment 4",
    ),
    "a hash in the table": (FACTS, words("step-list", 0, -1), "{step-list}: 'Development 4 "),
    "a column of the table": (
        FACTS,
        markup("<p>Minutes<", "<p>Hours<"),
        "'Step Layer Hours Commit",
    ),
}
