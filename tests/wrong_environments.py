"""Wrong solutions of the step about the three places."""

from __future__ import annotations

from pathlib import Path

from wrong_solutions import SETTINGS, Wrong

ENVS, README = "deployment/envs", "deployment/README.rst"
DEVELOPMENT, INTEGRATION, PRODUCTION = (
    f"{ENVS}/{place}" for place in ("development", "integration", "production")
)
DOCKERFILE, MANIFEST = "deployment/application/Dockerfile", "deployment/application.yaml"
WRITTEN = Path(__file__).parents[1] / "solutions/15-environments"
TOLD = (WRITTEN / README).read_text("utf-8")
LIVE = (WRITTEN / PRODUCTION).read_text("utf-8")
PROMOTION = TOLD[TOLD.index("Promote\n") : TOLD.index("Roll back\n")]
COMMAND = (
    ".. code-block:: console\n\n"
    "    $ kubectl --namespace demo-production rollout undo deployment/application\n"
)
SALE, DEBUG = "FEATURE_SALE=False", "DEBUG=False"
NAMES = "ALLOWED_HOSTS=www.example.org,application,localhost,127.0.0.1"
COPY = "COPY application application/\n"

WRONG = (
    Wrong("environments", "a place is forgotten", ("test_plain_lines",), INTEGRATION, None, None),
    Wrong("environments", "a second ending", ("test_plain_lines",), f"{PRODUCTION}.env", None,
          LIVE, moved=PRODUCTION),
    Wrong("environments", "a file for a shell", ("test_plain_lines",), PRODUCTION, DEBUG,
          f"export {DEBUG}"),
    Wrong("environments", "spaces for the eye", ("test_plain_lines",), INTEGRATION, DEBUG,
          "DEBUG = False"),
    Wrong("environments", "a value in quotes", ("test_plain_lines",), PRODUCTION, SALE,
          'FEATURE_SALE="False"'),
    Wrong("environments", "a word behind the value", ("test_plain_lines",), PRODUCTION, SALE,
          f"{SALE} # not before Friday"),
    Wrong("environments", "a name without a value", ("test_plain_lines",), DEVELOPMENT,
          "CSRF_TRUSTED_ORIGINS=", "CSRF_TRUSTED_ORIGINS"),
    Wrong("environments", "one variable in another", ("test_plain_lines",), PRODUCTION,
          "https://shop.example.org", "https://${HOST}"),
    Wrong("environments", "as in yaml", ("test_plain_lines",), PRODUCTION, DEBUG, "DEBUG: False"),
    Wrong("environments", "said twice", ("test_plain_lines",), PRODUCTION, SALE,
          f"{SALE}\nDEBUG=True"),
    Wrong("environments", "lines of windows", ("test_plain_lines",), PRODUCTION, "\n", "\r\n"),
    Wrong("environments", "nothing is said", ("test_plain_lines",), PRODUCTION, None,
          "# Everything is as it should be.\n"),
    Wrong("environments", "the default is not said", ("test_same_names",), PRODUCTION,
          f"{SALE}\n", ""),
    Wrong("environments", "known to one place only", ("test_same_names",), INTEGRATION,
          "DEBUG=", "EXTRA_APPS=\nDEBUG="),
    Wrong("environments", "a letter too much", ("test_names_are_read",), PRODUCTION,
          "FEATURE_SALE", "FEATURE_SALES"),
    Wrong("environments", "nobody has heard of it", ("test_names_are_read",), PRODUCTION,
          "DEBUG=", "ENVIRONMENT=production\nDEBUG="),
    Wrong("environments", "a setting that no variable sets", ("test_names_are_read",), DEVELOPMENT,
          "DEBUG=", "STATIC_URL=/files/\nDEBUG="),
    Wrong("environments", "a tool that stayed at home", ("test_names_are_read",), DEVELOPMENT,
          "DEBUG=", "EXTRA_APPS=debug_toolbar\nDEBUG="),
    Wrong("environments", "a key for all to read", ("test_no_secret",), PRODUCTION,
          "DEBUG=", "SECRET_KEY=correct-horse-battery-staple\nDEBUG="),
    Wrong("environments", "the database with its password", ("test_no_secret",), INTEGRATION,
          "DEBUG=", "CACHE_URL=redis://demo:correct-horse@cache/0\nDEBUG="),
    Wrong("environments", "the sale began too early", ("test_one_commit",), PRODUCTION, SALE,
          "FEATURE_SALE=True"),
    Wrong("environments", "nobody can look at the sale", ("test_one_commit",), INTEGRATION,
          "FEATURE_SALE=True", SALE),
    Wrong("environments", "probes are turned away", ("test_one_commit",), PRODUCTION, NAMES,
          "ALLOWED_HOSTS=www.example.org,127.0.0.1"),
    Wrong("environments", "the laptop is turned away", ("test_one_commit",), DEVELOPMENT,
          ",127.0.0.1", ""),
    Wrong("environments", "the code knows it better", ("test_one_commit",), SETTINGS,
          'env.bool("FEATURE_SALE", default=False)', '"www.example.org" in ALLOWED_HOSTS'),
    Wrong("environments", "mistakes for everybody", ("test_fit_for_visitors",), PRODUCTION, DEBUG,
          "DEBUG=True"),
    Wrong("environments", "any name will do", ("test_fit_for_visitors",), PRODUCTION, NAMES,
          f"{NAMES},*"),
    Wrong("environments", "no name to type", ("test_fit_for_visitors",), INTEGRATION,
          "integration.example.org,application", "application"),
    Wrong("environments", "a manifest for each place", ("test_same_for_every_place",),
          "deployment/application-production.yaml", None, "kind: List\n"),
    Wrong("environments", "settings for one place", ("test_same_for_every_place",),
          "application/settings_production.py", None, "from .settings import *\n"),
    Wrong("environments", "an image for each place", ("test_same_for_every_place",), MANIFEST,
          "demo:1", "demo:production"),
    Wrong("environments", "the image knows where it is", ("test_same_for_every_place",),
          DOCKERFILE, COPY, f"{COPY}ENV ENVIRONMENT=production\n"),
    Wrong("environments", "the image has its configuration", ("test_same_for_every_place",),
          DOCKERFILE, COPY, "COPY . .\n", moved=".dockerignore"),
    Wrong("environments", "nobody knows how", ("test_readme",), README, None, None),
    Wrong("environments", "an adventure instead of a rollback", ("test_readme",), README, COMMAND,
          "With a cool head.\n"),
    Wrong("environments", "the way to production is a secret", ("test_readme",), README,
          PROMOTION, ""),
    Wrong("environments", "a title with a short line", ("test_readme",), README,
          "Promote\n-------", "Promote\n----"),
    Wrong("environments", "a block without an empty line", ("test_readme",), README,
          ".. code-block:: console\n\n    $ kubectl --namespace demo-production",
          ".. code-block:: console\n    $ kubectl --namespace demo-production"),
)  # fmt: skip
