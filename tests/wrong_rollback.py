"""Wrong solutions of the step about the way back: buttons that press themselves, or that wait; and
releases from which there is no way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wrong_secrets import commit
from wrong_solutions import Wrong

FILE, README = ".gitlab-ci.yml", "deployment/README.rst"
MANIFEST = "deployment/application.yaml"
IN_CLUSTER = ("test_back_in_time",)
BUTTON, TOLD, TABLES, PRESSED, BACK = (
    "test_a_button", "test_told", "test_tables", "test_pressed", "test_back_in_time",
)  # fmt: skip
UNDO = "    - kubectl --namespace demo-production rollout undo deployment/application\n"
STATUS = (
    "    - kubectl --namespace demo-production rollout status deployment/application"
    " --timeout 300s\n"
)
MANUAL = "      when: manual\n"
UNBLOCKED = "      allow_failure: true  # else each pipeline waits until somebody has pressed it\n"
DATA = (
    "* **The data and the tables** stay as they are. So the release before must be\n"
    "  able to live with them: first add what is new, and take away what is old in a\n"
    "  later release.\n"
)
MEND = (
    " First a test that would have\ncaught it, red; then the mend, green; then push:\n\n"
    ".. code-block:: console\n\n    $ git revert --no-commit HEAD\n    $ tox\n"
    '    $ git commit --all --message "Take back what was wrong, and test for it"\n'
    "    $ git push\n"
)
# An app that has migrations and nothing else: all that it says is said to the database.
MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length"), ("sessions", "0001_initial")]
    operations = [migrations.RunSQL({said!r})]
"""


def migrating(*said: str) -> Callable[[Path], None]:
    """A mistake: what was released is committed, and the next one does this to the tables."""

    def make(project: Path) -> None:
        commit(project)
        folder = project / "application/migrations"
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "0001_initial.py").write_text(MIGRATION.format(said=list(said)), "utf-8")
        with (project / "application/settings.py").open("a", encoding="utf-8") as file:
            file.write('\nINSTALLED_APPS = [*INSTALLED_APPS, "application"]\n')

    return make


def wrong(name: str, check: str, old: str, new: str, file: str = FILE) -> Wrong:
    return Wrong("rollback", name, (check,), file, old, new)


def tables(name: str, *said: str) -> Wrong:
    """A mistake in the database."""
    return Wrong("rollback", name, (TABLES,), make=migrating(*said))


WRONG = (
    wrong("no button at all", BUTTON, UNDO, ""),
    wrong("it presses itself", BUTTON, MANUAL + UNBLOCKED, ""),
    wrong("everybody waits for it", BUTTON, UNBLOCKED, ""),
    wrong("a red test is in the way", BUTTON, "  needs: []\n", ""),
    wrong("on every branch", BUTTON, "  needs: []\n  rules:\n    - if: $CI_COMMIT_BRANCH =="
          " $CI_DEFAULT_BRANCH\n      when: manual\n",
          "  needs: []\n  rules:\n    - when: manual\n"),
    wrong("whoever likes may press it", BUTTON, "  environment: production\n", ""),
    wrong("while a deploy is under way", BUTTON, "  resource_group: production\n", ""),
    wrong("production waits for the button", BUTTON, "needs: [build, integration]",
          "needs: [build, integration, rollback]"),
    wrong("two buttons", BUTTON, "\n# The way back",
          f"\nback:\n  stage: deploy\n  when: manual\n  script:\n{UNDO}\n# The way back"),
    wrong("the button knows more", TOLD, " --timeout 300s\n", " --timeout 250s\n"),
    wrong("no clock", TOLD, " Not over after five minutes? Call somebody: two see more than one.\n",
          "\n", README),
    wrong("as if the tables went back", TOLD, DATA, "", README),
    wrong("wait for it on another page", TOLD,
          "       $ kubectl --namespace demo-production rollout status",
          "    Wait.\n\nWait\n----\n\n.. code-block:: console\n\n"
          "       $ kubectl --namespace demo-production rollout status", README),
    wrong("nobody counts", TOLD, "Deployment rework rate ", "Anything else          ", README),
    wrong("and all is well", TOLD, MEND, " Take back what was wrong.\n", README),
    tables("a column has another name",
           "ALTER TABLE auth_user RENAME COLUMN first_name TO given_name"),
    tables("a column that nobody fills",
           "ALTER TABLE django_session ADD COLUMN device text NOT NULL DEFAULT ''",
           "ALTER TABLE django_session ALTER COLUMN device DROP DEFAULT"),
    tables("a table is gone", "DROP TABLE django_session"),
    tables("a migration that fails", "ALTER TABLE no_such_table ADD COLUMN it text"),
    wrong("pressed and gone", PRESSED, STATUS, ""),
    wrong("undone and undone", PRESSED, UNDO, UNDO + STATUS + UNDO),
    wrong("integration goes back", PRESSED, "namespace demo-production rollout",
          "namespace demo-integration rollout"),
    wrong("asked before, and not after", PRESSED, UNDO + STATUS, STATUS + UNDO),
    wrong("the check comes first", PRESSED, "  needs: []\n", "  needs: [check]\n"),
    wrong("a release that is not there", BACK, "rollout undo deployment/application\n",
          "rollout undo deployment/application --to-revision=99\n"),
    wrong("there and back again", BACK, UNDO + STATUS, UNDO + UNDO + STATUS),
    wrong("all of them at once", BACK, "maxUnavailable: 0", "maxUnavailable: 100%", MANIFEST),
)  # fmt: skip
