"""The ways in which a page of the miniature course could lie, and what a gate says of each."""

from __future__ import annotations

from typing import NamedTuple

from rendering import Spoil, drop, edit, markup

FIRST, SECOND = "steps/01-hello/index", "steps/02-name/index"
SHOWN, ASIDE, NOTEBOOK = "pages/shown", "pages/aside", "pages/notebook"

# What the lessons have no use for, and other pages do.
SHOWN_PAGE = """\
# Shown

```{listing} app.py
:stage: 02-name
:part: application
```

```{listing} app.py
:stage: 02-name
:elide: application
```

```{diff}
:stage: 02-name
:elide: app.py, run.sh
```

```{diff}
:stage: 01-hello
```

```{source} steps/course.toml
:part: production
```

```{tree}
:layer: Application
```

````{example}
```{listing} app.py
:stage: 01-hello
```
````
"""
# What the course of these pages says of its layers.
LAYERS = """
[layers.Application]
shows = ["app.py"]

[layers.Development]
shows = ["app.py", "requirements.txt"]

[layers.Automation]
shows = ["run.sh"]
"""
ASIDE_PAGE = """\
# Aside

```{commands}
git add .
workshop check --json
workshop lint \\
  --record
```
"""
CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": "# Notebook\n\nSome `text`."},
    {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "source": "print('a')\nprint('b')",
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "a\nb\n"}],
    },
]
# Blocks that a person typed, in every place where one can be.
TYPED = {
    "fence": "```text\ntyped\n```",
    "python": "```python\ntyped = 1\n```",
    "tilde": "~~~\ntyped\n~~~",
    "colon": ":::{code-block} text\ntyped\n:::",
    "indented": "Text.\n\n    typed\n\nText.",
    "dropdown": ":::{dropdown} More\n```text\ntyped\n```\n:::",
    "admonition": ":::{note}\nText.\n\n```text\ntyped\n```\n:::",
    "list": "1. Text.\n\n   ```text\n   typed\n   ```",
    "quote": "> ```text\n> typed\n> ```",
    "deep": "::::{note}\n:::{dropdown} More\n- Text.\n\n  ~~~\n  typed\n  ~~~\n:::\n::::",
    "table": ":::{list-table}\n- - ```\n    typed\n    ```\n:::",
    "literal": "```{eval-rst}\nText::\n\n    typed\n```",
    "prompt": "```{eval-rst}\n>>> typed\n1\n```",
    "included": "```{include} ../parts/typed.md\n```",
    "literally": "```{literalinclude} ../parts/typed.md\n```",
    "example": "````{example}\n```text\ntyped\n```\n````",
    "numbered": "```{code-block} text\n:linenos:\n\ntyped\n```",
    "captioned": "```{code-block} text\n:caption: app.py\n\ntyped\n```",
}
RAW = {
    "pre": "<pre>raw</pre>",
    "claim": '<div data-shows="listing" data-stage="02-name"><pre>raw</pre></div>',
    "inline": "Text <kbd data-shows='listing'>raw</kbd> text.",
    "directive": "```{raw} html\n<pre>raw</pre>\n```",
    "nested": ":::{dropdown} More\n<pre>raw</pre>\n:::",
    "details": "<details><summary>More</summary><pre>raw</pre></details>",
}


class Mutant(NamedTuple):
    """A page that is spoiled, the gate meant for it, and what the gate says."""

    gate: str
    page: str
    spoil: Spoil
    fact: str


def both(*spoils: Spoil) -> Spoil:
    def spoil(html: str) -> str:
        for each in spoils:
            html = each(html)
        return html

    return spoil


def of_layer(name: str) -> Spoil:
    """The tree of the layer Application, claimed and captioned as another one's."""
    return both(
        markup('data-layer="Application"', f'data-layer="{name}"'),
        markup('"pre">Application</span>', f'"pre">{name}</span>'),
    )


_MAC = 'data-platform="macos"'
MUTANTS = {
    # listings
    "a byte of a listing": Mutant(
        "equality", FIRST, edit("200 OK", "200 0K"), 'and should be \'    start_response("200 OK"'
    ),
    "a space at a line's end": Mutant(
        "equality", FIRST, edit('Hello\\n"]\n', 'Hello\\n"] \n'), "line 6 is"
    ),
    "an empty line gone": Mutant("equality", FIRST, edit("\n\n\n", "\n\n"), "line 3 is"),
    "two lines of a listing swapped": Mutant(
        "equality",
        FIRST,
        edit(
            "#!/bin/sh\nexec python -m http.server --bind 127.0.0.1\n",
            "exec python -m http.server --bind 127.0.0.1\n#!/bin/sh\n",
        ),
        "line 1 is 'exec python",
    ),
    "a listing cut off": Mutant(
        "equality", FIRST, edit('    return [b"Hello\\n"]\n', ""), "line 6 is"
    ),
    "a line more at the end": Mutant(
        "equality",
        FIRST,
        edit("nothing is needed\n", "nothing is needed\nx\n"),
        "line 2 is 'x\\n', and should be ''",
    ),
    "the line end at the end": Mutant(
        "equality", FIRST, edit("nothing is needed\n", "nothing is needed"), "line 1 is"
    ),
    "another part": Mutant(
        "equality", SHOWN, edit("def application", "def applications"), "line 1 is"
    ),
    # claims and captions
    "another file in a caption": Mutant(
        "equality",
        FIRST,
        markup(">run.sh</span></code></span>", ">run.bat</span></code></span>"),
        "above it stands 'run.bat', not 'run.sh'",
    ),
    "a caption gone": Mutant(
        "equality", FIRST, markup("code-block-caption", "other"), "above it stands '', not 'app.py'"
    ),
    "another part in a caption": Mutant(
        "equality", SHOWN, markup("(application)", "(main)"), "not 'app.py (application)'"
    ),
    "another stage in a caption": Mutant(
        "equality",
        SECOND,
        markup(">01-hello</span>", ">01-hallo</span>"),
        "not 'git diff 01-hello 02-name app.py'",
    ),
    "another file in a claim": Mutant(
        "equality",
        FIRST,
        both(
            markup('data-path="requirements.txt"', 'data-path="run.sh"'),
            markup(">requirements.txt</span></code></span>", ">run.sh</span></code></span>"),
        ),
        "line 1 is '# nothing is needed",
    ),
    "a file that the stage lacks": Mutant(
        "equality",
        FIRST,
        both(
            markup('data-path="run.sh"', 'data-path="run.bat"'),
            markup(">run.sh</span></code></span>", ">run.bat</span></code></span>"),
        ),
        "it claims what is not there: 'run.bat'",
    ),
    "another tag": Mutant(
        "equality",
        SECOND,
        markup('"listing" data-stage="02-name"', '"listing" data-stage="01-hello"'),
        "line 6 is",
    ),
    "a tag that is none": Mutant(
        "equality",
        SECOND,
        markup('"listing" data-stage="02-name"', '"listing" data-stage="03-nope"'),
        "it claims what is not there: '03-nope'",
    ),
    "a diff of no stage": Mutant(
        "equality",
        SECOND,
        markup('data-shows="diff" data-stage="02-name"', 'data-shows="diff" data-stage="03-no"'),
        "it claims what is not there: '03-no'",
    ),
    "an unknown claim": Mutant(
        "provenance",
        FIRST,
        markup('data-shows="listing"', 'data-shows="lusting"'),
        "no gate knows what `lusting` is",
    ),
    "a claim of another program": Mutant(
        "provenance",
        SHOWN,
        markup('data-shows="listing"', 'data-shows="browser"'),
        "nobody opens it, so nothing was seen",
    ),
    "no claim": Mutant("provenance", FIRST, markup('data-shows="listing"', ""), "typed by hand"),
    # diffs and elisions
    "a hunk gone": Mutant(
        "equality", SHOWN, edit("@@ -0,0 +1 @@\n+# nothing is needed\n", ""), "and should be"
    ),
    "two lines of a diff swapped": Mutant(
        "equality",
        SECOND,
        edit(
            '-    return [b"Hello\\n"]\n+    return [b"Hello, World\\n"]\n',
            '+    return [b"Hello, World\\n"]\n-    return [b"Hello\\n"]\n',
        ),
        "and should be",
    ),
    "a line that goes": Mutant(
        "equality", SECOND, edit('-    return [b"Hello', '-    return [b"Hullo'), "and should be"
    ),
    "a mode in a diff": Mutant(
        "equality", SHOWN, edit("new file mode 100755", "new file mode 100644"), "and should be"
    ),
    "an elision not declared": Mutant(
        "equality",
        SHOWN,
        markup('data-elide="application"', 'data-other=""'),
        "application is left out, and that is not declared here",
    ),
    "an elision declared and not made": Mutant(
        "equality",
        FIRST,
        markup('data-path="app.py"', 'data-path="app.py" data-elide="application"'),
        "application is declared as left out, and is not",
    ),
    "a wrong count of lines left out": Mutant(
        "equality",
        SHOWN,
        edit("[… application: 3 lines]", "[… application: 4 lines]"),
        "application has 3 lines, not 4",
    ),
    "a wrong count in a diff": Mutant(
        "equality", SHOWN, edit("[… run.sh: 8 lines]", "[… run.sh: 7 lines]"), "run.sh has 8 lines"
    ),
    "elisions in another order": Mutant(
        "equality",
        SHOWN,
        edit(
            "[… app.py: 10 lines]\n[… run.sh: 8 lines]\n",
            "[… run.sh: 8 lines]\n[… app.py: 10 lines]\n",
        ),
        "run.sh is left out, and that is not declared here",
    ),
    "an elision of what is not there": Mutant(
        "equality",
        SHOWN,
        markup('data-elide="application"', 'data-elide="applications"'),
        "app.py has no part applications",
    ),
    # trees, examples, sources
    "a tree without a file": Mutant(
        "equality", FIRST, edit("├── requirements.txt\n", ""), "differ in: requirements.txt"
    ),
    "a tree with a file more": Mutant(
        "equality", FIRST, edit("├── requ", "├── main.py\n├── requ"), "differ in: main.py"
    ),
    "a tree that counts wrongly": Mutant(
        "equality", FIRST, edit("3 files", "4 files"), "it counts '0 directories, 4 files'"
    ),
    "a tree in another order": Mutant(
        "equality",
        FIRST,
        edit("├── app.py\n├── requirements.txt\n", "├── requirements.txt\n├── app.py\n"),
        "not in the order of `tree`: app.py",
    ),
    "a tree drawn otherwise": Mutant(
        "equality", FIRST, edit("└── run.sh", "├── run.sh"), "not as `tree` draws it: '├── run.sh'"
    ),
    "a tree's line twice": Mutant(
        "equality", FIRST, edit("├── requ", "├── app.py\n├── requ"), "differ in: app.py"
    ),
    "a tree's line that is none": Mutant(
        "equality", FIRST, edit("├── app.py", "├─ app.py"), "no line of a tree: '├─ app.py'"
    ),
    "a tree without its count": Mutant(
        "equality", FIRST, edit("\n0 directories, 3 files\n", ""), "it is no tree"
    ),
    "another stage above a tree": Mutant(
        "equality", SHOWN, markup(">02-name:", ">01-hello:"), "not '02-name: Application'"
    ),
    "another layer above a tree": Mutant(
        "equality", SHOWN, markup("Application</span>", "Deployment</span>"), "above it stands"
    ),
    "a stage whose tree is another": Mutant(
        "equality",
        FIRST,
        both(
            markup('"tree" data-stage="01-hello"', '"tree" data-stage="02-name"'),
            markup(">01-hello</span></code></span>", ">02-name</span></code></span>"),
        ),
        "differ in: run.sh",
    ),
    "a layer's tree without its file": Mutant(
        "equality", SHOWN, edit("└── app.py\n", "└── run.sh\n"), "differ in: app.py, run.sh"
    ),
    "a layer's tree with a file of another": Mutant(
        "equality", SHOWN, edit("└── app", "├── requirements.txt\n└── app"), "in: requirements.txt"
    ),
    "a layer's tree that counts all": Mutant(
        "equality", SHOWN, edit("1 file\n", "2 files\n"), "and should say '0 directories, 1 file'"
    ),
    "a layer's tree as another layer's": Mutant(
        "equality", SHOWN, of_layer("Development"), "differ in: requirements.txt"
    ),
    "a layer's tree as the whole": Mutant(
        "equality",
        SHOWN,
        both(
            markup('data-layer="Application"', ""),
            markup('>02-name:</span> <span class="pre">Application</span>', ">02-name</span>"),
        ),
        "differ in: requirements.txt",
    ),
    "a layer that shows what is not there": Mutant(
        "equality", SHOWN, of_layer("Automation"), "what is not there: a file or folder run.sh"
    ),
    "a layer that nobody has described": Mutant(
        "equality", SHOWN, of_layer("Deployment"), "it claims what is not there: 'Deployment'"
    ),
    "an example that nobody wrote": Mutant(
        "equality",
        SHOWN,
        edit("```{listing} app.py", "```{listing} run.sh"),
        "the source of this page has no such example",
    ),
    "an example cut off": Mutant(
        "equality", SHOWN, edit(":stage: 01-hello\n```\n", ""), "has no such example"
    ),
    "a source that says otherwise": Mutant(
        "equality", SHOWN, edit('"/ready"', '"/readyz"'), "line 5 is"
    ),
    # coverage
    "a file not shown": Mutant(
        "coverage", FIRST, drop("#!/bin/sh"), f"{FIRST}.md: not shown: run.sh:1: 0 lines go, 2 come"
    ),
    "a hunk not shown": Mutant(
        "coverage",
        SECOND,
        drop("diff --git"),
        f"{SECOND}.md: not shown: app.py:6: 1 lines go, 1 come",
    ),
    "a deletion not shown": Mutant(
        "coverage",
        SECOND,
        edit("git rm run.sh", "git rm app.sh"),
        "not shown: run.sh: the file goes",
    ),
    "a mode not shown": Mutant(
        "coverage",
        FIRST,
        both(drop("chmod +x"), drop("chmod +x"), drop("--chmod=+x")),
        "not shown: run.sh: it becomes executable, or is no longer",
    ),
    "a new file shown in part": Mutant(
        "coverage",
        FIRST,
        markup('data-path="app.py"', 'data-path="app.py" data-part="application"'),
        "not shown: app.py:1: 0 lines go, 6 come",
    ),
    "a new file with a part left out": Mutant(
        "coverage",
        FIRST,
        markup('data-path="app.py"', 'data-path="app.py" data-elide="application"'),
        "not shown: app.py:1: 0 lines go, 6 come",
    ),
    "a part that is none": Mutant(
        "coverage",
        FIRST,
        markup('data-path="app.py"', 'data-path="app.py" data-part="nope"'),
        "not shown: app.py:1: 0 lines go, 6 come",
    ),
    "shown, but of another stage": Mutant(
        "coverage",
        SECOND,
        markup('data-shows="diff" data-stage="02-name"', 'data-shows="diff" data-stage="01-hello"'),
        "not shown: app.py:6",
    ),
    # commands that no robot types
    "a verb that is none": Mutant(
        "provenance",
        ASIDE,
        edit("workshop check", "workshop chekc"),
        "`workshop chekc --json` is no",
    ),
    "an option that is none": Mutant(
        "provenance", ASIDE, edit("--json", "--jsno"), "unrecognized arguments: --jsno"
    ),
    "an option in a line that goes on": Mutant(
        "provenance", ASIDE, edit("--record", "--recrod"), "unrecognized arguments: --recrod"
    ),
    "a program that nobody knows": Mutant(
        "provenance", ASIDE, edit("git add .", "rm -rf ."), "nobody runs `rm -rf .`"
    ),
    "a quote that is open": Mutant(
        "provenance", ASIDE, edit("git add .", "git add '."), "is no command: No closing quotation"
    ),
    "an output that nobody saw": Mutant(
        "provenance", ASIDE, edit("git add .\n", "git add .\nall is well\n"), "nobody has seen"
    ),
    # platforms
    "a tab without its platform": Mutant(
        "variants", FIRST, markup(_MAC, ""), "a tab does not say for which platform it is"
    ),
    "a platform that is none": Mutant(
        "variants", FIRST, markup(_MAC, 'data-platform="beos"'), "there is no platform beos"
    ),
    "an output in a variant": Mutant(
        "variants", FIRST, edit("--chmod=+x run.sh\n", "--chmod=+x run.sh\nok\n"), "an output: 'ok'"
    ),
    "another command in a variant": Mutant(
        "variants", FIRST, edit("git add run.sh", "git add -A"), "no such command: 'git add -A'"
    ),
    # notebooks
    "a cell that says otherwise": Mutant(
        "provenance", NOTEBOOK, edit("print('b')", "print('c')"), "typed by hand: \"print('a')"
    ),
    "two lines of a cell swapped": Mutant(
        "provenance",
        NOTEBOOK,
        edit("print('a')\nprint('b')", "print('b')\nprint('a')"),
        "typed by hand",
    ),
    "a cell elsewhere": Mutant(
        "provenance", NOTEBOOK, markup("cell_input", "cell"), "typed by hand"
    ),
    "an output elsewhere": Mutant(
        "provenance", NOTEBOOK, markup("cell_output", "cell"), "typed by hand: 'a\\nb'"
    ),
}


# Lessons that a robot can't do, or not with what the page says: where, how, and what it finds.
_LAST_CHECK = "$ workshop check\nStep 02: Say your name\n\n  green"
REPLAYED = {
    # what came back
    "a line of an output": (
        FIRST,
        edit("2 of 2 green.", "3 of 3 green."),
        "below `workshop check` stands '3 of 3 green.', and it said '2 of 2 green.'",
    ),
    "a line of an output gone": (
        SECOND,
        edit(" M app.py\n", ""),
        "below `git status --short` stands 'D  run.sh', and it said ' M app.py'",
    ),
    "a line of an output more": (
        SECOND,
        edit("rm 'run.sh'\n", "rm 'run.sh'\nBye.\n"),
        "below `git rm run.sh` stands 'Bye.', and it said ''",
    ),
    "two lines of an output swapped": (
        SECOND,
        edit("app.py\nrequirements.txt\n", "requirements.txt\napp.py\n", only="$ ls"),
        "below `ls` stands 'requirements.txt', and it said 'app.py'",
    ),
    "a hash": (
        SECOND,
        edit(" Say hello\n", " Say hullo\n", only="$ git log"),
        "below `git log --oneline` stands",
    ),
    # exit codes
    "an exit code that is not told": (
        FIRST,
        markup('data-exit="1"', ""),
        "`workshop check` ended with 1, and should end with 0",
    ),
    "another exit code": (
        SECOND,
        markup('data-exit="1"', 'data-exit="2"'),
        "`workshop check` ended with 1, and should end with 2",
    ),
    "an exit code of what goes well": (
        SECOND,
        markup('data-shows="commands">', 'data-shows="commands" data-exit="1">'),
        "`ls` ended with 0, and should end with 1",
    ),
    # commands
    "a command that fails": (
        SECOND,
        edit("cat requirements.txt", "cat nope.txt"),
        "`cat nope.txt` ended with 1, and should end with 0",
    ),
    "a command that says something else": (
        SECOND,
        edit("$ ls\n", "$ ls -a\n"),
        "below `ls -a` stands 'app.py', and it said '.'",
    ),
    "the second line of a command": (
        FIRST,
        edit('\\\n  -m "Say hello"', '\\\n  -m "Say hullo"'),
        "below `git log --oneline` stands",
    ),
    "a command left out": (
        SECOND,
        edit("$ git rm run.sh\nrm 'run.sh'\n", ""),
        "at the end only the learner has 100755 blob",
    ),
    "two commands swapped": (
        SECOND,
        both(edit("git rm run.sh", "ls ."), edit("$ ls\n", "$ git rm run.sh\n")),
        "below `ls .` stands \"rm 'run.sh'\", and it said 'app.py'",
    ),
    "a command of this platform that fails": (
        FIRST,
        edit("chmod +x run.sh", "chmod +x run"),
        "`chmod +x run` ended with 1",
    ),
    "a mode that nobody sets": (FIRST, drop("chmod +x"), "only the learner has 100644 blob"),
    # files
    "a file that is not shown": (FIRST, drop("#!/bin/sh"), "chmod +x run.sh` ended with 1"),
    "a byte of a file": (
        FIRST,
        edit("200 OK", "200 0K"),
        "at the end only the stage has 100644 blob",
    ),
    "a diff that does not fit": (
        SECOND,
        edit('+    return [b"Hello', '+    return [b"Hullo'),
        "the diff does not fit",
    ),
    "a file that is not committed": (
        FIRST,
        edit("$ git add .\n", "$ git add app.py\n"),
        "at the end this is not committed: ??",
    ),
    "a change that is not committed": (
        SECOND,
        edit("git commit --all", "git commit"),
        "at the end this is not committed: M app.py",
    ),
    # the end
    "no check": (
        SECOND,
        edit(_LAST_CHECK, "$ true\nStep 02: Say your name\n\n  green"),
        "at the end no `workshop check` was green",
    ),
    "a check of another step": (
        SECOND,
        edit(_LAST_CHECK, _LAST_CHECK.replace("check", "check 1")),
        "at the end no `workshop check` was green",
    ),
}
