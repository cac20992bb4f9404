"""A served project, seen from outside: HTTP and nothing else."""

from __future__ import annotations

import http.client
import http.cookies
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.message import Message
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

from workshop.checks import words
from workshop.checks.failure import CheckFailed

# What the page for programmers says of the error that a path and headers lead to; else "".
Explain = Callable[[str, Mapping[str, str]], str]
_PATIENCE = 10.0  # seconds until no answer is an answer
_PLACE = re.compile(r"\(([^()]+, line \d+)\)$")  # at the end of a cause
# What every browser shows on its own page. Anything unknown, it offers to save.
_SHOWN = {"text/html", "text/plain", "application/xhtml+xml", "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from `path`. `headers` are found in any case; `seconds` is wall time, and
    `cause` what programmers are told of an error in the code, if anything."""

    path: str
    status: int
    headers: Message
    text: str
    seconds: float
    site: Site
    cause: str = ""

    def __str__(self) -> str:
        if self.status != 500:
            return str(self.status)
        unknown = "an error in the code. Serve it yourself, with DEBUG=True, to see it"
        return f"500: {self.cause or unknown}"

    @property
    def kind(self) -> str:
        """The media type, such as `text/html`."""
        return self.headers.get_content_type()

    @property
    def shown(self) -> bool:
        """Whether a browser shows it."""
        return self.kind in _SHOWN

    def must_be(self, status: int, *, do: str) -> None:
        """Raise CheckFailed unless the status is this one. A slash too much or too few is said, and
        of code that breaks, where it does: then that is what to do."""
        if self.status == status:
            return
        seen = f"GET {self.path} answered {self}"
        if self.status in (301, 404):
            other = self.path.rstrip("/") if self.path.endswith("/") else f"{self.path}/"
            near = bool(other) and self.site.get(other)
            if near and near.status == status:
                seen += f", but GET {other} answered {near}"
                do = f"Mind the slash: the path must be {self.path}, and not {other}."
        breaks = _PLACE.search(self.cause) if self.status == 500 else None
        do = f"Mend {breaks[1]}: that is where it breaks." if breaks else do
        raise CheckFailed(seen=seen, expected=str(status), do=do)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a project is served, and the configuration that it is served with."""

    port: int
    env: Mapping[str, str]
    project: Path = Path()
    explain: Explain | None = None

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for `path` and return the answer, whatever its status. Follows no redirect."""
        return self._ask("GET", path, headers or {}, None)

    def post(
        self, path: str, data: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a form to `path` and return the answer."""
        form = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self._ask("POST", path, form, urlencode(data).encode())

    def visitor(self, headers: Mapping[str, str] | None = None) -> Visitor:
        """Somebody who keeps cookies, as a browser does. Each request has these headers, too."""
        return Visitor(self, headers)

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            connection.request(method, path, body, {"Connection": "close", **headers})
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except TimeoutError as error:
            raise CheckFailed(
                seen=f"{method} {path} got no answer within {_PATIENCE:.0f} seconds",
                expected="an answer",
                do="Look what the view waits for, and let it give up sooner.",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise CheckFailed(
                seen=f"{method} {path} got no answer: {error or type(error).__name__}",
                expected="an answer",
                do="Look for what ends the server's process while it answers.",
            ) from error
        finally:
            connection.close()
        answer = Answer(
            path, response.status, response.headers, text, time.monotonic() - began, self
        )
        if answer.status != 500:
            return answer
        cause = words.cause(text, self.project)
        if not cause and method == "GET" and self.explain is not None:
            # at once: later, what the code ran into may be over
            cause = self.explain(path, headers)
        return replace(answer, cause=cause)


class Visitor:
    """A browser's part in a conversation: it keeps cookies, and sends forms with what is hidden
    in them."""

    def __init__(self, site: Site, headers: Mapping[str, str] | None = None) -> None:
        self._site = site
        self._always = dict(headers or {})
        self._cookies: dict[str, str] = {}

    def at(self, site: Site) -> Visitor:
        """The same visitor at another site of this machine: cookies know no port."""
        moved = Visitor(site, self._always)
        moved._cookies = dict(self._cookies)
        return moved

    def get(self, path: str) -> Answer:
        """Ask for `path`, with the cookies so far."""
        return self._kept(self._site.get(path, self._headers()))

    def submit(self, path: str, **fields: str) -> Answer:
        """Get the form at `path`, fill in `fields`, and send it back to where it came from."""
        hidden = _HiddenFields()
        hidden.feed(self.get(path).text)
        page = f"{self._always.get('Origin', self._site.url)}{path}"
        headers = {"Referer": page, **self._headers()}
        return self._kept(self._site.post(path, hidden.found | fields, headers))

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return {**self._always, **({"Cookie": cookies} if cookies else {})}

    def _kept(self, answer: Answer) -> Answer:
        for header in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in http.cookies.SimpleCookie(header).items():
                self._cookies[name] = morsel.value
        return answer


class _HiddenFields(HTMLParser):
    """The hidden fields of a page's forms, such as the token against forged requests."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "input" and values.get("type") == "hidden" and values.get("name"):
            self.found[str(values["name"])] = values.get("value") or ""
