"""What a block, or a word, on a page claims to show, as attributes: `data-shows="listing"`, …

Only directives can make such a claim: raw HTML is not let in. `workshop gates` reads the claims
from the pages, and holds them against the stages.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

PREFIX = "data-"
# The only way to fold a solution away in a notebook that is opened in JupyterLab.
_FOLD = re.compile(r"</?details>|<details>\s*<summary>[^<>]*</summary>|</?summary>")

logger = logging.getLogger(__name__)


class claim(nodes.General, nodes.Element):  # type: ignore[misc]  # noqa: N801  as docutils does
    """A frame around what is shown. Its attribute `claims` holds names and texts."""


class inline_claim(nodes.Inline, nodes.TextElement):  # type: ignore[misc]  # noqa: N801
    """The same around words in a sentence."""


def claimed(**claims: str) -> claim:
    """A frame that makes these claims; empty ones are left out."""
    return claim("", claims={name: text for name, text in claims.items() if text})


def visit_html(self: Any, node: claim | inline_claim) -> None:
    """Open the frame in HTML."""
    attributes = "".join(
        f' {PREFIX}{name}="{escape(text)}"' for name, text in node["claims"].items()
    )
    is_inline = isinstance(node, inline_claim)
    self.body.append(f"<span{attributes}>" if is_inline else f"<div{attributes}>\n")


def depart_html(self: Any, node: claim | inline_claim) -> None:
    """Close it."""
    self.body.append("</span>" if isinstance(node, inline_claim) else "</div>\n")


def refuse_raw(_app: Sphinx, doctree: nodes.document) -> None:
    """Warn of raw HTML that an author wrote: nobody could prove what it shows."""
    for node in doctree.findall(nodes.raw):
        if node.line is not None and not _FOLD.fullmatch(node.astext().strip()):
            logger.warning(
                "raw HTML can't be proven. Use a directive", location=node,
                type="workshop", subtype="raw",
            )  # fmt: skip


def skip(_self: Any, _node: claim | inline_claim) -> None:
    """In every other format the frame is not seen."""
