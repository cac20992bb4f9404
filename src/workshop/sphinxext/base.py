"""What the directives and roles have in common: a stage, a block, an error with file and line."""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.typing import OptionSpec

from workshop.errors import WorkshopError
from workshop.history import Stage
from workshop.sphinxext.claim import claimed, inline_claim
from workshop.sphinxext.domain import Shows, of
from workshop.sphinxext.material import Material

logger = logging.getLogger(__name__)

HERE = "here"


def stage_named(material: Material, docname: str, name: str | None) -> Stage:
    """The stage with this name; without one (or with `here`), that of the lesson itself."""
    if name and name != HERE:
        return material.stage(name)
    step = material.step_of(docname)
    if step is None:
        raise WorkshopError(
            "this page is no lesson, so which stage?",
            f"Name it, such as {material.course.steps[0].tag}.",
        )
    return material.stages[step.tag]


class WorkshopDirective(SphinxDirective):
    """A directive that shows something of the course. Subclasses write `content_nodes`."""

    option_spec: ClassVar[OptionSpec] = {"stage": directives.unchanged_required}

    @property
    def material(self) -> Material:
        """The course, its stages and its repository."""
        return of(self.env).material

    @property
    def stage(self) -> Stage:
        """The stage of the option `stage`, or of the lesson."""
        return stage_named(self.material, self.env.docname, self.options.get("stage"))

    def show(self, shows: Shows, *words: str) -> str:
        """The text that `shows` makes; the page is read again when it changes."""
        return of(self.env).show(self.env.docname, shows, *words)

    def run(self) -> list[nodes.Node]:
        """What Sphinx calls. What a person can mend is a warning at the directive's line."""
        try:
            return self.content_nodes()
        except WorkshopError as error:
            logger.warning(
                "%s. %s", error.fact, error.remedy,
                location=self.get_location(), type="workshop", subtype=self.name,
            )  # fmt: skip
            return []

    def content_nodes(self) -> list[nodes.Node]:
        """The nodes for the page. Raises WorkshopError."""
        raise NotImplementedError

    def framed(self, node: nodes.Node, **claims: str) -> list[nodes.Node]:
        """The node in a frame that says what it shows: the gates hold its words to that."""
        frame = claimed(shows=self.name, **claims)
        frame += node
        return [frame]

    def block(
        self,
        text: str,
        *,
        language: str,
        caption: str = "",
        emphasized: tuple[int, ...] = (),
        **claims: str,
    ) -> list[nodes.Node]:
        """A block of code, with its caption above.

        `claims` says what it shows (such as `stage="01-commit-one", path="LICENSE"`). It stands in
        the page, and the gates hold the page to it.
        """
        literal = nodes.literal_block(text, text, language=language)
        literal["classes"] += ["workshop", self.name]
        literal["force"] = "elide" in claims  # the line for what is left out is in no language
        if emphasized:
            literal["highlight_args"] = {"hl_lines": list(emphasized)}
        self.set_source_info(literal)
        claim = claimed(shows=self.name, **claims)
        if not caption:
            claim += literal
            return [claim]
        title = nodes.caption("", "", nodes.literal(caption, caption))
        self.set_source_info(title)
        wrapper = nodes.container("", title, literal, classes=["literal-block-wrapper"])
        wrapper["literal_block"] = True
        claim += wrapper
        return [claim]


class WorkshopRole(SphinxRole):
    """A role that shows something of the course. Subclasses write `node`."""

    @property
    def material(self) -> Material:
        """The course, its stages and its repository."""
        return of(self.env).material

    def stage(self, name: str | None) -> Stage:
        """The stage with this name; without one (or with `here`), that of the lesson itself."""
        return stage_named(self.material, self.env.docname, name)

    def show(self, shows: Shows, *words: str) -> str:
        """The text that `shows` makes; the page is read again when it changes."""
        return of(self.env).show(self.env.docname, shows, *words)

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """What Sphinx calls. What a person can mend is a warning at the role's line.

        The frame around the words claims what was asked for, and a gate holds the words to it.
        """
        try:
            return [
                inline_claim("", "", self.node(), claims={"shows": self.name, "asks": self.text})
            ], []
        except WorkshopError as error:
            logger.warning(
                "%s. %s", error.fact, error.remedy,
                location=self.get_location(), type="workshop", subtype=self.name,
            )  # fmt: skip
            return [], []

    def node(self) -> nodes.Node:
        """The node for the page. Raises WorkshopError."""
        raise NotImplementedError
