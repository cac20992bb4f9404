"""What brings commits into production, and looks after what runs there."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workshop.commands import GREEN, command, platform_of, project_argument, tell
from workshop.model import TARGETS

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.commands import Verb
    from workshop.errors import WorkshopError
    from workshop.production import Deployment
    from workshop.production.kubernetes import Rollout


def deploy(args: argparse.Namespace) -> int:
    """Bring a commit into production."""
    from workshop import git

    project = git.top(args.project)
    if args.target != TARGETS[0]:
        from workshop.production import kubernetes

        if args.port is not None:
            raise _no_port()
        _rolled_out(
            kubernetes.deploy(
                project, args.environment, platform_of(args),
                revision=args.rev, mend=args.mend, report=_report,
            )
        )  # fmt: skip
        return GREEN
    from workshop import production

    live = production.deploy(
        project,
        args.environment,
        platform_of(args),
        revision=args.rev,
        port=args.port,
        mend=args.mend,
        report=_report,
    )
    _live(live)
    return GREEN


def rollback(args: argparse.Namespace) -> int:
    """Bring the last good release back."""
    from workshop import git

    project = git.top(args.project)
    if args.target != TARGETS[0]:
        from workshop.production import kubernetes

        _rolled_out(
            kubernetes.rollback(
                project, args.environment, platform_of(args), to=args.to, report=_report
            )
        )
        return GREEN
    from workshop import production

    live = production.rollback(
        project, args.environment, platform_of(args), to=args.to, report=_report
    )
    _live(live)
    return GREEN


def _report(what: str, how: str) -> None:
    tell(f"  {what:<12} {how}".replace("\n", f"\n{'':15}"))


def _live(live: Deployment) -> None:
    print(f"\n{live.environment} is live: {live.url}")
    print(f"It answers with this commit (header X-Release):\n  {live.commit}")


def _rolled_out(live: Rollout) -> None:
    print(f"\n{live.environment} is live, in the namespace {live.namespace}, with this commit:")
    print(f"  {live.commit}")
    print("Look at it on http://localhost:8080/ while this runs:")
    print(f"  {live.look}")


def _no_port() -> WorkshopError:
    from workshop.errors import WorkshopError

    return WorkshopError(
        "a cluster takes no port of this machine",
        "Leave out --port. The last line says how to look.",
    )


def releases(args: argparse.Namespace) -> int:
    """List what is kept."""
    from workshop import git, production
    from workshop.report import text

    kept = production.releases(git.top(args.project), args.environment, args.target)
    for release in kept:
        print(text.release(release))
    if kept:
        print("\nThe times are in UTC.")
    else:
        print(f"No releases yet. The first one: {command(args, 'deploy')}")
    return GREEN


def metrics(args: argparse.Namespace) -> int:
    """How fast, and how well."""
    from workshop import git, production

    found = production.measure(git.top(args.project), args.environment, args.target)
    if args.json:
        import json

        print(json.dumps(found._asdict(), indent=2))
        return GREEN
    from workshop.report import measures

    print(measures.metrics(found, args.environment))
    return GREEN


def production(args: argparse.Namespace) -> int:
    """Look at what runs, or end it."""
    from workshop import git

    project = git.top(args.project)
    if args.target != TARGETS[0]:
        return _in_a_cluster(project, args.action)
    from workshop import production

    if args.action == "down":
        ended = production.down(project)
        print(f"Ended: {', '.join(ended)}. The data stays." if ended else "Nothing was running.")
        return GREEN
    from workshop.report import learning

    print(learning.production(production.status(project)))
    return GREEN


def _in_a_cluster(project: Path, action: str) -> int:
    from workshop.production import kubernetes

    if action == "down":
        ended = kubernetes.down(project)
        if not ended:
            print("Nothing was running.")
            return GREEN
        print(f"Ended: {', '.join(ended)}. The data stays, and so does all else.")
        print("To remove it for good, with its data:")
        for name in ended:
            print(f"  kubectl delete namespace {name}")
        return GREEN
    from workshop.report import learning

    print(learning.pods(kubernetes.status(project)))
    return GREEN


def run(args: argparse.Namespace) -> int:
    """Run one command beside the live release."""
    from workshop import git
    from workshop.errors import WorkshopError
    from workshop.production import upkeep

    if not args.command:
        raise WorkshopError("which command?", "Name one: workshop run python manage.py check")
    variables = _assigned(args.variables, "Write it as -e NAME=VALUE")
    project = git.top(args.project)
    return upkeep.run(project, args.environment, platform_of(args), args.command, variables)


def config(args: argparse.Namespace) -> int:
    """Set variables of an environment, or list their names."""
    from workshop import git
    from workshop.paths import program
    from workshop.production import upkeep

    project = git.top(args.project)
    words = list(args.words)
    environment = words.pop(0) if words and "=" not in words[0] else "production"
    variables = _assigned(words, f"Write it as: {program()} config {environment} NAME=VALUE")
    if not variables and not args.unset:
        names = upkeep.configuration(project, environment)
        print(f"Set by hand in {environment}: {', '.join(names) or 'nothing'}")
        return GREEN
    live = upkeep.configure(project, environment, platform_of(args), variables, unset=args.unset)
    if live is None:
        print(f"{environment} will have it from its next deploy on.")
        return GREEN
    print(f"{environment} has it, and no request was lost: {live.url}")
    print(f"The commit is the same as before: {live.commit}")
    return GREEN


def _assigned(words: Sequence[str], remedy: str) -> dict[str, str]:
    """What the words NAME=VALUE say. Raises WorkshopError for one that says nothing."""
    from workshop.errors import WorkshopError

    for each in words:
        if not each.partition("=")[0].isidentifier() or "=" not in each:
            raise WorkshopError(f"this sets no variable: {each}", remedy)
    return dict(each.split("=", 1) for each in words)


def database(args: argparse.Namespace) -> int:
    """Stop or start the database of an environment."""
    from workshop import git
    from workshop.production import upkeep

    start = args.action == "start"
    upkeep.database(git.top(args.project), args.environment, start=start)
    print(f"The database of {args.environment} {'runs' if start else 'is stopped'}.")
    return GREEN


def _environment(own: argparse.ArgumentParser) -> None:
    own.add_argument(
        "environment",
        metavar="ENVIRONMENT",
        nargs="?",
        default="production",
        help="development, integration or production (default: production)",
    )


def _target(own: argparse.ArgumentParser) -> None:
    own.add_argument(
        "--target", choices=TARGETS, default=TARGETS[0],
        help="on this machine, or in the cluster that KUBECONFIG names (default: process)",
    )  # fmt: skip


def _for_deploy(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    _environment(own)
    _target(own)
    own.add_argument(
        "--rev", metavar="REV", default="HEAD", help="a commit or a tag (default: HEAD)"
    )
    own.add_argument(
        "--mend", action="store_true", help="this one answers an incident: the log notes that"
    )
    own.add_argument(
        "--port", type=int, help="the port to answer on (default: the first free from 8000)"
    )


def _for_rollback(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    _environment(own)
    _target(own)
    own.add_argument("--to", metavar="REV", help="that release instead of the one before")


def _for_releases(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    _environment(own)
    _target(own)


def _for_metrics(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    _environment(own)
    _target(own)
    own.add_argument("--json", action="store_true", help="for programs; times are in seconds")


def _for_production(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    _target(own)
    own.add_argument(
        "action", choices=("status", "down"), help="look at it, or end all its processes"
    )


def _for_run(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    own.add_argument("--environment", default="production", metavar="ENVIRONMENT",
                     help="(default: production)")  # fmt: skip
    own.add_argument(
        "-e", dest="variables", metavar="NAME=VALUE", action="append", default=[],
        help="also set this variable; may be given more than once",
    )  # fmt: skip
    own.add_argument(
        "command", metavar="COMMAND", nargs=argparse.REMAINDER,
        help="such as: python manage.py createsuperuser",
    )  # fmt: skip


def _for_config(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    own.add_argument(
        "words", metavar="ENVIRONMENT | NAME=VALUE", nargs="*",
        help="which environment (default: production), and what to set there",
    )  # fmt: skip
    own.add_argument(
        "--unset", metavar="NAME", action="append", default=[],
        help="forget this variable; may be given more than once",
    )  # fmt: skip


def _for_database(own: argparse.ArgumentParser) -> None:
    project_argument(own)
    own.add_argument("action", choices=("stop", "start"), help="what to do with it")
    _environment(own)


VERBS: Mapping[str, Verb] = {
    "deploy": (_for_deploy, deploy),
    "rollback": (_for_rollback, rollback),
    "releases": (_for_releases, releases),
    "metrics": (_for_metrics, metrics),
    "production": (_for_production, production),
    "run": (_for_run, run),
    "config": (_for_config, config),
    "database": (_for_database, database),
}
