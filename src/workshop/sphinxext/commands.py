"""`{commands}`: what a learner types, a command a line, and what came back when it was run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.typing import OptionSpec

from workshop import transcript
from workshop.errors import WorkshopError
from workshop.model import NEEDS
from workshop.sphinxext.base import WorkshopDirective, logger
from workshop.sphinxext.material import Material
from workshop.transcript import Entry

AT = "workshop_transcript_entry"  # how far in the lesson's transcript the page has come
PROMPT = "$ "
MESSAGE = "{message}"

_SPEAKS = re.compile(r"(?m)^kubectl |\| kubectl ")


def parse(lines: Iterable[str]) -> tuple[str, ...]:
    """The commands in these lines. One that goes on behind a backslash is one command."""
    commands: list[str] = []
    goes_on = False
    for line in lines:
        if goes_on:
            commands[-1] += f"\n{line}"
        elif line.startswith((PROMPT, "# ")):
            raise WorkshopError(
                f"this is not a command alone: {line}",
                "Write it without a prompt; write a comment as text around the commands.",
            )
        elif line.strip():
            commands.append(line)
        goes_on = line.endswith("\\")
    if not commands:
        raise WorkshopError("there is no command", "Write one a line.")
    return tuple(commands)


def filled(material: Material, docname: str, text: str) -> str:
    """The text with `{message}` replaced: the subject of the step's commit message."""
    step = material.step_of(docname)
    if MESSAGE not in text:
        return text
    if step is None:
        raise WorkshopError(f"this page is no lesson, so which {MESSAGE}?", "Write it out.")
    return text.replace(MESSAGE, step.message.splitlines()[0])


def session(material: Material, docname: str, text: str, at: str) -> str:
    """What a terminal shows: each command behind its prompt, then what it printed.

    The outputs are those of the lesson's transcript, from its entry `at` on. Where there is none,
    the command stands alone.
    """
    shown = ""
    for command, entry in aligned(material, docname, text, int(at)):
        shown += f"{PROMPT}{command}\n" + (entry.output if entry else "")
    return shown


def aligned(material: Material, docname: str, text: str, at: int) -> list[tuple[str, Entry | None]]:
    """Each command of a block with its entry in the lesson's transcript, if it was recorded."""
    step = material.step_of(docname)
    is_lesson = step is not None and docname.endswith("/index")
    left = list(transcript.read(step.folder)[at:]) if step is not None and is_lesson else []
    found: list[tuple[str, Entry | None]] = []
    for command in parse(filled(material, docname, text).split("\n")):
        entry = left.pop(0) if left and left[0].command == command else None
        found.append((command, entry))
    return found


def needed(option: str) -> tuple[str, ...]:
    """What the option `needs` names, separated by commas. Raises WorkshopError."""
    found = tuple(name.strip() for name in option.split(",") if name.strip())
    for name in found:
        if name not in NEEDS:
            raise WorkshopError(
                f"nobody knows how to meet the need {name}", f"Known are: {', '.join(NEEDS)}"
            )
    return found


def _implied(text: str) -> str:
    """What commands need that don't say so: who speaks with a cluster needs one, and images."""
    return "containers, cluster" if _SPEAKS.search(text) else ""


class Commands(WorkshopDirective):
    """Commands to type, and what comes back. The copy button takes the commands alone."""

    has_content = True
    option_spec: ClassVar[OptionSpec] = {
        "exit": directives.nonnegative_int,
        "platform": directives.unchanged_required,
        "needs": directives.unchanged_required,
    }

    def content_nodes(self) -> list[nodes.Node]:
        """A console. Its claim says with which exit code the last command ends."""
        text, platform = "\n".join(self.content), self.options.get("platform", "")
        # the commands of another platform were not typed on this one, and nothing came back
        docname = f"{self.env.docname}?{platform}" if platform else self.env.docname
        at = 0 if platform else int(self.env.temp_data.get(AT) or 0)
        shown = self.show(session, docname, text, str(at))
        if not platform:
            self._must_be_recorded(docname, text, at)
        return self.block(
            shown,
            language="console",
            platform=platform,
            exit=str(self.options.get("exit", "")),
            needs=" ".join(needed(self.options.get("needs", _implied(text)))),
        )

    def _must_be_recorded(self, docname: str, text: str, at: int) -> None:
        entries = aligned(self.material, docname, text, at)
        self.env.temp_data[AT] = at + sum(entry is not None for _, entry in entries)
        step = self.material.step_of(docname)
        missing = [command for command, entry in entries if entry is None]
        if missing and step is not None and docname.endswith("/index"):
            logger.warning(
                "not recorded: `%s`. Run: nox -s record", missing[0],
                location=self.get_location(), type="workshop", subtype="unrecorded",
            )  # fmt: skip
