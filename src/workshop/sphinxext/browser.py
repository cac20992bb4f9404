"""`{browser} URL`: what a person does in a page, and what is seen there when it was done."""

from __future__ import annotations

from collections.abc import Sequence

from docutils import nodes

from workshop import browser, transcript
from workshop.sphinxext.base import WorkshopDirective, logger
from workshop.sphinxext.claim import claimed
from workshop.sphinxext.commands import AT
from workshop.sphinxext.material import Material


def seen(material: Material, docname: str, command: str, at: str) -> str:
    """What was seen, from the entry `at` of the lesson's transcript; empty where there is none."""
    step = material.step_of(docname)
    if step is None or not docname.endswith("/index"):
        return ""
    left = transcript.read(step.folder)[int(at) :]
    return left[0].output if left and left[0].command == command else ""


class Browser(WorkshopDirective):
    """A page to open and what to do there, a step a line; below it, in a lesson, what is seen."""

    has_content = True
    required_arguments = 1

    def content_nodes(self) -> list[nodes.Node]:
        """A list of steps and a block of text, in a frame that claims both."""
        url, actions = self.arguments[0], browser.parse(list(self.content))
        command = browser.command(url, actions)
        at = int(self.env.temp_data.get(AT) or 0)
        docname = self.env.docname
        text = self.show(seen, docname, command, str(at))
        script = _script(url, actions)
        step = self.material.step_of(docname)
        if step is None or not docname.endswith("/index"):
            return [script]  # nobody executes it, so nothing is seen
        if text:
            self.env.temp_data[AT] = at + 1
        else:
            logger.warning(
                "not recorded: `%s`. Run: nox -s record", command.split("\n")[0],
                location=self.get_location(), type="workshop", subtype="unrecorded",
            )  # fmt: skip
        frame = claimed(shows=self.name, url=url, actions=command.partition("\n")[2])
        block = nodes.literal_block(text, text, language="text", classes=["workshop", self.name])
        title = nodes.caption("", "You see")
        for node in (block, title):
            self.set_source_info(node)
        wrapper = nodes.container("", title, block, classes=["literal-block-wrapper"])
        wrapper["literal_block"] = True
        frame += [script, wrapper]
        return [frame]


def _script(url: str, actions: Sequence[browser.Action]) -> nodes.Node:
    """The steps, as a person is told them."""
    steps: list[list[nodes.Node]] = [
        [nodes.Text("Open "), nodes.reference(url, url, refuri=url, classes=["external"])]
    ]
    for name, typed in actions:
        named = nodes.emphasis(name, name)
        if typed is None:
            steps.append([nodes.Text("Press "), named])
        else:
            literal = nodes.literal(typed, typed)
            steps.append([nodes.Text("Type "), literal, nodes.Text(" into "), named])
    items = (nodes.list_item("", nodes.paragraph("", "", *each)) for each in steps)
    return nodes.enumerated_list("", *items, classes=["browser-script"], enumtype="arabic")
