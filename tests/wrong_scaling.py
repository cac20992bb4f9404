"""Wrong solutions of the step about more visitors: two who decide, numbers that make no sense, and
stories that are not true."""

from __future__ import annotations

from pathlib import Path

from wrong_application import READINESS, STARTUP, WAY
from wrong_solutions import Wrong

README, MANIFEST = "README.rst", "deployment/application.yaml"
APPLICATION = (Path(__file__).parents[1] / "solutions/19-scaling" / MANIFEST).read_text("utf-8")
STORY, TREE, SCALER, LIMITS, RUSH = (
    "test_story", "test_tree", "test_autoscaler", "test_limits", "test_rush",
)  # fmt: skip
IN_CLUSTER = (SCALER, LIMITS, RUSH)
TARGET = "    kind: Deployment\n    name: application\n"
NO_NUMBER = "  # How many? That is not said here: see the end of this file.\n"
WEB = "              cpu: 20m\n              memory: 32Mi\n"
UNTIL = (
    "Percent of the CPU that they request. The rest is for as long as it takes until help has come."
)
SPEC = "  targetCPUUtilizationPercentage: 70\n"


AUTOSCALER = (
    "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: application\n"
    "spec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n"
    "    name: application\n  minReplicas: 3\n"
    "  # Each pod has four workers, and each of them a seat at the database, which has a hundred.\n"
    f"  maxReplicas: 10\n  # {UNTIL}\n{SPEC}"
)


def wrong(name: str, check: str, old: str, new: str, file: str = MANIFEST) -> Wrong:
    return Wrong("scaling", name, (check,), file, old, new)


WRONG = (
    wrong("no story", STORY, "1. **check**: Django looks for what is wrong at first sight.\n",
          "1. Django looks for what is wrong at first sight.\n", README),
    wrong("the end before the middle", STORY, "3. **build**:", "3. **then**:", README),
    wrong("three layers", STORY, "Automation: what does nobody have to remember?",
          "What does nobody have to remember?", README),
    wrong("a file of last year", TREE, "``deployment/envs``", "``deployment/environments``",
          README),
    wrong("nobody knows what it is for", TREE, " ``.gitignore`` knows what stays with you.", "",
          README),
    Wrong("scaling", "without a license", (TREE,), "LICENSE", None, None),
    Wrong("scaling", "a file that nobody has asked for", (TREE,), "deployment.old.yaml", None,
          "kind: Deployment\n"),
    wrong("nobody scales", SCALER, AUTOSCALER, ""),
    wrong("for somebody else", SCALER, TARGET, TARGET.replace("name: application", "name: demo")),
    wrong("two who decide", SCALER, NO_NUMBER, "  replicas: 3\n"),
    wrong("one is enough", SCALER, "minReplicas: 3", "minReplicas: 1"),
    wrong("no word of the least", SCALER, "  minReplicas: 3\n", ""),
    wrong("no end", SCALER, "  maxReplicas: 10\n", ""),
    wrong("no room", SCALER, "maxReplicas: 10", "maxReplicas: 3"),
    wrong("as busy as can be", SCALER, SPEC, SPEC.replace("70", "100")),
    wrong("whatever the cluster takes for busy", SCALER, SPEC, ""),
    wrong("a percentage of nothing", LIMITS, WEB, WEB.partition("\n")[2]),
    wrong("more than the database bears", LIMITS, "maxReplicas: 10", "maxReplicas: 30"),
    wrong("a deploy sends them home", RUSH, NO_NUMBER, "  replicas: 3\n"),
    Wrong("scaling", "welcome before it is up", (RUSH,), MANIFEST, None,
          APPLICATION.replace(READINESS, "").replace(WAY, "").replace(STARTUP, "")),
)  # fmt: skip
