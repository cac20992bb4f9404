"""Draws `live.svg` for the README from the transcript of the first lesson.

    python docs/images/live.py

`nox -s record` does it, and tests/test_docs.py holds the picture to the transcript.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from workshop import transcript
from workshop.transcript import Entry

HERE = Path(__file__).parent
LESSON = HERE.parent.parent / "steps" / "01-commit-one"
_SHOWN = ("git commit", "workshop deploy", "curl", "git rev-parse")
# The lines that say nothing new in a small picture.
_LEFT_OUT = (" create mode", "Server", "Date", "Connection", "Content", "X-Content", "Referrer",
             "Cross")  # fmt: skip
_TOP, _LINE, _WIDTH = 64, 19, 1180
_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" \
aria-labelledby="title desc">
<title id="title">Commit #1 is in production</title>
<desc id="desc">A terminal commits and deploys. Beside it, a browser shows the page. The header \
X-Release names the commit.</desc>
<style>.t{{font:13.5px Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#e6e6e6}}\
.p{{fill:#8fd18f}}.u{{font:15px Lato,Helvetica,Arial,sans-serif;fill:#333}}</style>
<rect width="{width}" height="{height}" fill="#fcfcfc"/>
<rect x="12" y="12" width="742" height="{inner}" rx="8" fill="#22272e"/>
<circle cx="34" cy="32" r="6" fill="#8a939c"/>
<circle cx="54" cy="32" r="6" fill="#8a939c"/>
<circle cx="74" cy="32" r="6" fill="#8a939c"/>
<rect x="772" y="12" width="396" height="{inner}" rx="8" fill="#fff" stroke="#8a939c"/>
<path d="M772 60H1168" stroke="#c9cdd1"/>
<rect x="790" y="24" width="360" height="26" rx="13" fill="#eef1f4"/>"""


def draw(entries: tuple[Entry, ...]) -> str:
    """The picture: a terminal with the last deploy of the lesson, and the page in a browser."""
    lines: list[tuple[str, str]] = []
    page = ""
    for entry in entries:
        if entry.code or not entry.command.startswith(_SHOWN):
            continue
        lines.append(("t p", f"$ {entry.command}"))
        shown = [line for line in entry.output.split("\n")[:-1] if not line.startswith(_LEFT_OUT)]
        lines += [("t", line) for line in shown]
        page = shown[-1] if entry.command.startswith("curl") else page
    height = _TOP + _LINE * len(lines) + 12
    parts = [_HEAD.format(width=_WIDTH, height=height, inner=height - 24)]
    parts += [
        f'<text x="30" y="{_TOP + _LINE * number}" class="{kind}">{escape(text)}</text>'
        for number, (kind, text) in enumerate(lines)
        if text
    ]
    url = next(text.split()[-1] for _, text in lines if " is live: " in text)
    parts += [
        f'<text x="806" y="42" class="u">{escape(url)}</text>',
        f'<text x="790" y="92" class="t" style="fill:#1a1a1a">{escape(page)}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    picture = draw(transcript.read(LESSON))
    (HERE / "live.svg").write_text(picture, encoding="utf-8", newline="\n")
