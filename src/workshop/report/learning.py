"""What a learner reads between two verdicts: where they are, a hint, what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workshop.report.text import WIDTH, count

if TYPE_CHECKING:
    from workshop.hints import Hint
    from workshop.model import Course, Step, Verdict
    from workshop.production import Running
    from workshop.production.kubernetes import Pods
    from workshop.progress import News

_MARKS = {"done": "x", "current": ">", "to come": " ", "new": "+"}


def steps(course: Course, done: Sequence[str], current: Step | None, new: Sequence[str]) -> str:
    """A line a step: a shape and a word for where it stands."""
    lines = []
    for step in course.steps:
        word = "done" if step.slug in done else "current" if step == current else "to come"
        word = "new" if word == "to come" and step.slug in new else word
        title = step.title if len(step.title) <= 48 else f"{step.title[:47]}…"
        lines.append(f"[{_MARKS[word]}] {step.number:02d} {title:<48} {word}")
    return "\n".join(lines)


def facts(
    minutes: int, head: str | None, uncommitted: int, running: Sequence[Running],
    green: Step | None = None,
) -> str:  # fmt: skip
    """How long it still takes, what is committed, and what is in production. `green` is the step
    that is done, and that no commit has yet."""
    done = f": step {green.number:02d} is green, not committed yet" if green else ", not committed"
    clean = "nothing, all is committed" if head else "nothing yet"
    lines = [
        _fact("To go", f"{minutes} minutes" if minutes else "nothing: you have done every step"),
        _fact("Commit", head[:10] if head else "none yet"),
        _fact("Changed", f"{count(uncommitted, 'file')}{done}" if uncommitted else clean),
    ]
    return "\n".join([*lines, production(running, head)])


def production(running: Sequence[Running], head: str | None = None) -> str:
    """A line an environment: which commit, and where it answers."""
    if not running:
        return _fact("Production", "nothing deployed yet")
    lines = []
    for each in running:
        state = f"up, {each.url}" if each.up else "down; `deploy` brings it up"
        old = ", not your last commit" if head and each.commit != head else ""
        lines.append(_fact(each.environment.capitalize(), f"{each.commit[:10]} {state}{old}"))
    return "\n".join(lines)


def pods(found: Sequence[Pods]) -> str:
    """A line an environment in a cluster: which commit, and how many of its pods are ready."""
    if not found:
        return _fact("Production", "nothing deployed to a cluster yet")
    lines = []
    for each in found:
        state = (
            f"{each.ready} of {each.wanted} pods ready"
            if each.wanted
            else ("down; `deploy --target kubernetes` brings it up")
        )
        about = f"{each.commit[:10]} {state}, namespace {each.namespace}"
        lines.append(_fact(each.environment.capitalize(), about))
    return "\n".join(lines)


def _fact(name: str, words: str) -> str:
    return f"{name + ':':<12} {words}"  # as wide as the longest environment


def stale(news: News, program: str) -> str:
    """That the course has changed since the project began, and what to do."""
    return "\n".join(
        [
            "The course has changed since your project began:",
            *_news(news),
            f"Take it over, and go on where you are: {program} progress update",
        ]
    )


def updated(news: News) -> str:
    """What `progress update` took over."""
    if not news:
        return "The course is the one that you have."
    return "\n".join(["You have the course as it is now:", *_news(news)])


def _news(news: News) -> Iterator[str]:
    for word, some in (("new", news.new), ("changed", news.changed)):
        for step in some:
            yield f"  {word:<8} {step.number:02d} {step.title}"
    for slug in news.gone:
        yield f"  {'gone':<8} {slug}"


def mending(verdicts: Sequence[Verdict]) -> str:
    """What to do when not all is green."""
    outcomes = {each.outcome for each in verdicts}
    if "red" in outcomes:
        return "Mend the first red one, then check again."
    if "error" in outcomes:
        return "What says error could not judge. Do what stands there, then check again."
    return "Nothing could be judged here. Write the files of the lesson, then check again."


def hint(each: Hint, step: Step, command: str) -> str:
    """A hint, the check that it is for, and how to get more: by the same `command`."""
    head = _paragraph(f"Step {step.number:02d}: {each.sentence or each.check}")
    again = ", again: it is the last one" if each.again else ""
    lines = [head, "", f"Hint {each.number} of {each.total}{again}", "", markdown(each.text), ""]
    if each.number < each.total:
        lines.append(f"Not enough? {command}")
    else:
        lines.append(f"Still stuck? {command} --show-solution")
    return "\n".join(lines)


def markdown(text: str) -> str:
    """Markdown for a terminal: paragraphs wrapped, code and lists as they are."""
    blocks: list[str] = []
    fenced = False
    for line in text.splitlines():
        fence = line.startswith(("```", "~~~"))
        keep = fenced or fence or not line or line.startswith((" ", "- ", "* ", "|"))
        if fence:
            fenced = not fenced
        elif not keep and blocks and blocks[-1] and not blocks[-1].startswith("    "):
            blocks[-1] += f" {line}"
        else:
            blocks.append(f"    {line}" if fenced else line)
    return "\n".join(
        block if block.startswith("    ") or not block else _paragraph(block) for block in blocks
    )


def _paragraph(words: str) -> str:
    import textwrap  # only hints are that long

    return textwrap.fill(words, WIDTH - 1, break_long_words=False, break_on_hyphens=False)


def going_on(
    step: Step, following: Step | None, *, dirty: bool, committed: bool, ignored: Sequence[str],
    program: str, known: bool = False, folder: str = "",
) -> str:  # fmt: skip
    """What comes after green: commit, deploy, the next step. A step that was `known` as done, and
    is committed, asks for nothing more: its message is an old one. `folder` is where to type it,
    when that is not here."""
    go = [f"  cd {folder}"] if folder else []
    lines = [
        f"\nMind: git ignores {path}, so no commit will hold it. Look at .gitignore."
        for path in ignored
    ]
    if known:
        rest = "What you changed since is not committed yet." if dirty else "Nothing to commit."
        lines.append(f"\nThis step was done before. {rest}")
    elif dirty:
        lines.append("\nNow commit it and bring it into production:\n")
        lines += go
        lines.append("  git add .")
        lines.append(f'  git commit -m "{step.message.splitlines()[0]}"')
        lines.append(f"  {program} deploy")
    elif committed:
        lines.append("\nIt is committed. Bring it into production:\n")
        lines += [*go, f"  {program} deploy"]
    if following is not None:
        where = "You are at" if known else "After that:"
        lines.append(f"\n{where} step {following.number:02d}, {following.title}.")
    else:
        lines.append(
            f"\n{'You have done every step' if known else 'That was the last step'}. Deploy often!"
        )
    return "\n".join(lines)
