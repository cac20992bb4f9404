"""Wrong solutions of the step about the pipeline."""

from __future__ import annotations

from pathlib import Path

from wrong_solutions import TOX, Wrong

FILE, README, TESTS = ".gitlab-ci.yml", "deployment/README.rst", "tests/README.rst"
WRITTEN = Path(__file__).parents[1] / "solutions/17-pipeline"
LINES = (WRITTEN / FILE).read_text("utf-8")
BEFORE = (WRITTEN.parent / "16-secrets" / README).read_text("utf-8")
STAGES = "stages: [check, test, build, deploy]\n"
NAME = "  NAME: $CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA\n"
UNIT = "  stage: test\n  script:\n    - tox -e unit\n"
ACCEPTANCE = LINES[LINES.index("# After the others") : LINES.index("# Once, for all")]
BUILD = "    - docker build --file deployment/application/Dockerfile --tag $NAME .\n"
PUSH = "    - docker push $NAME\n"
DIGEST = "    - docker image inspect --format 'IMAGE={{index .RepoDigests 0}}' $NAME > image.env\n"
REPORTS = "  artifacts:\n    reports:\n      dotenv: image.env\n"
DEPLOY = "  stage: deploy\n"
RULES = "  rules:\n    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n"
GROUP = "  resource_group: $PLACE\n"
CONFIG = "    - kubectl create configmap application"
DELETE = "    - kubectl --namespace demo-$PLACE delete job migrate --ignore-not-found\n"
ROLLOUT = "    - kubectl --namespace demo-$PLACE rollout status deployment/application\n"
SED = LINES[LINES.index("    - sed ") : LINES.index(ROLLOUT)]
NEEDS = "  needs: [build, integration]\n"


def wrong(name: str, check: str, old: str, new: str) -> Wrong:
    """A mistake in the pipeline."""
    return Wrong("pipeline", name, (check,), FILE, old, new)


def other(name: str, check: str, file: str, old: str, new: str) -> Wrong:
    """A mistake in another file, which only the pipeline brings to light."""
    return Wrong("pipeline", name, (check,), file, old, new)


WRONG = (
    wrong("deployed before it is built", "test_four_stages", STAGES,
          "stages: [check, test, deploy, build]\n"),
    wrong("one stage for each place", "test_four_stages", STAGES,
          "stages: [check, test, build, integration, production]\n"),
    wrong("no stages at all", "test_four_stages", STAGES, ""),
    wrong("no stage for the check", "test_four_stages", "check:\n  stage: check\n", "check:\n"),
    wrong("a stage with a slip", "test_four_stages", "  stage: build\n", "  stage: biuld\n"),
    wrong("the file of another tool", "test_four_stages", LINES,
          "jobs:\n  check:\n    steps: []\n"),
    Wrong("pipeline", "another ending", ("test_four_stages",), ".gitlab-ci.yaml", None, LINES,
          moved=FILE),
    wrong("a job that is there twice", "test_four_stages", "acceptance:\n", "unit:\n"),
    wrong("a tab", "test_four_stages", UNIT, UNIT.replace("    - tox", "\t- tox")),
    wrong("a colon in a command", "test_four_stages", PUSH,
          f"    - echo Pushed: $NAME\n{PUSH}"),
    Wrong("pipeline", "the page says what it always said", ("test_by_hand",), README, None,
          BEFORE),
    wrong("an option that nobody knows of", "test_by_hand", "--tag $NAME .",
          "--tag $NAME --pull ."),
    wrong("another way to the tests", "test_by_hand", "    - tox -e unit\n",
          "    - pytest tests/unit\n"),
    wrong("a line that goes on as in a shell", "test_by_hand", "deployment/envs/$PLACE\n",
          "deployment/envs/$PLACE \\\n"),
    wrong("a server that types by itself", "test_by_hand", ROLLOUT,
          f"{ROLLOUT}    - curl --fail https://www.example.org/\n"),
    wrong("hidden behind an echo", "test_by_hand", BUILD,
          "    - echo Building && docker pull python:3.13-slim\n" + BUILD),
    wrong("a job without commands", "test_by_hand", ACCEPTANCE,
          f"{ACCEPTANCE}lint:\n  stage: check\n\n"),
    wrong("only what has changed", "test_every_test_is_run", UNIT,
          f"{UNIT}  rules:\n    - changes: [application/**/*]\n"),
    wrong("no acceptance tests", "test_every_test_is_run", ACCEPTANCE, ""),
    wrong("just for now", "test_every_test_is_run", "    - tox -e unit\n",
          "    # - tox -e unit\n    - tox -e check\n"),
    wrong("the main branch alone is tested", "test_every_test_is_run", UNIT,
          f"{UNIT}  only: [main]\n"),
    wrong("all but the main branch", "test_every_test_is_run", UNIT,
          f"{UNIT}  except: [main]\n"),
    wrong("tested when somebody likes to", "test_every_test_is_run", UNIT,
          f"{UNIT}  when: manual\n"),
    wrong("one test is enough", "test_every_test_is_run", "tox -e unit\n",
          "tox -e unit -- -k sale\n"),
    wrong("it may fail", "test_red_stops_the_line", UNIT, f"{UNIT}  allow_failure: true\n"),
    wrong("whatever it says", "test_red_stops_the_line", "    - tox -e acceptance\n",
          "    - tox -e acceptance || true\n"),
    wrong("deployed whatever happens", "test_red_stops_the_line", DEPLOY,
          f"{DEPLOY}  when: always\n"),
    wrong("the rule says always", "test_red_stops_the_line", RULES, f"{RULES}      when: always\n"),
    wrong("straight to production", "test_red_stops_the_line", NEEDS, "  needs: []\n"),
    wrong("built while it is tested", "test_red_stops_the_line", "build:\n  stage: build\n",
          "build:\n  stage: build\n  needs: [check, unit]\n"),
    wrong("going on after a mistake", "test_red_stops_the_line", "    - tox -e unit\n",
          "    - set +e\n    - tox -e unit\n    - echo done\n"),
    wrong("it needs whom there is not", "test_red_stops_the_line", NEEDS,
          "  needs: [build, integrations]\n"),
    wrong("it waits for itself", "test_red_stops_the_line",
          "integration:\n  extends: .deploy\n",
          "integration:\n  extends: .deploy\n  needs: [build, production]\n"),
    wrong("an image for each place", "test_built_once",
          "    - kubectl --namespace demo-$PLACE delete job",
          BUILD + "    - kubectl --namespace demo-$PLACE delete job"),
    wrong("two images in one job", "test_built_once", BUILD,
          BUILD.replace("$NAME", "$NAME-integration") + BUILD.replace("$NAME", "$NAME-production")),
    wrong("built where it is tested", "test_built_once", "build:\n  stage: build\n",
          "build:\n  stage: test\n  needs: [check, unit, acceptance]\n"),
    wrong("the newest of all", "test_built_once", NAME, "  NAME: $CI_REGISTRY_IMAGE:latest\n"),
    wrong("named after the branch", "test_built_once", NAME,
          "  NAME: $CI_REGISTRY_IMAGE:$CI_COMMIT_REF_SLUG  # not $CI_COMMIT_SHA: too long\n"),
    wrong("the newest one as well", "test_built_once", PUSH,
          f"{PUSH}    - docker tag $NAME $CI_REGISTRY_IMAGE:latest\n"
          "    - docker push $CI_REGISTRY_IMAGE:latest\n"),
    wrong("another name for the name", "test_built_once", NAME,
          NAME.replace("NAME:", "IMAGE_NAME:")),
    wrong("nobody builds", "test_built_once", BUILD, ""),
    wrong("both at once", "test_production_comes_last", NEEDS, ""),
    wrong("past integration", "test_production_comes_last", NEEDS, "  needs: [build]\n"),
    wrong("from every branch", "test_production_comes_last", RULES, ""),
    wrong("from main, or from elsewhere", "test_production_comes_last", RULES,
          f"{RULES}    - if: $CI_COMMIT_BRANCH =~ /^release/\n"),
    wrong("two at a time", "test_production_comes_last", GROUP, ""),
    wrong("a place by another name", "test_production_comes_last", "PLACE: integration\n",
          "PLACE: staging\n"),
    wrong("a button for production", "test_production_comes_last", NEEDS,
          f"{NEEDS}  when: manual\n"),
    wrong("places without a name", "test_production_comes_last", "  environment: $PLACE\n", ""),
    wrong("all but the main branch is deployed", "test_production_comes_last",
          "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "$CI_COMMIT_BRANCH != $CI_DEFAULT_BRANCH"),
    wrong("a password among the variables", "test_no_secret", NAME,
          f"{NAME}  REGISTRY_PASSWORD: correct-horse\n"),
    wrong("a token for all to read", "test_no_secret", "    PLACE: production\n",
          "    PLACE: production\n    DEPLOY_TOKEN: glpat-Zr5kQ2m8Wc1xYv7bNd3T\n"),
    wrong("a login that everybody can use", "test_no_secret", BUILD,
          f"    - docker login -u demo -p correct-horse registry.example.org\n{BUILD}"),
    wrong("a password through a pipe", "test_no_secret", BUILD,
          "    - echo correct-horse | docker login --username demo --password-stdin\n" + BUILD),
    wrong("the database of the company", "test_no_secret", NAME,
          f"{NAME}  DATABASE_URL: postgres://demo:correct-horse@db.example.org/demo\n"),
    wrong("a key for the cluster", "test_no_secret", CONFIG,
          "    - kubectl config set-credentials me --token=eyJhbGciOiJSUzI1NiIsImtpZCI6Ik1\n"
          f"{CONFIG}"),
    wrong("nobody hands the digest on", "test_goes_all_the_way", REPORTS, ""),
    wrong("the image of the laptop", "test_goes_all_the_way", SED,
          "    - kubectl --namespace demo-$PLACE apply --filename deployment/application.yaml\n"),
    wrong("the name instead of the digest", "test_goes_all_the_way", "s|demo:1|$IMAGE|",
          "s|demo:1|$NAME|"),
    wrong("who builds is not asked", "test_goes_all_the_way", NEEDS, "  needs: [integration]\n"),
    wrong("a slip in a path", "test_goes_all_the_way", "deployment/envs/$PLACE",
          "deployment/env/$PLACE"),
    wrong("nobody waits", "test_goes_all_the_way", ROLLOUT, ""),
    wrong("one place for both", "test_goes_all_the_way", "demo-$PLACE", "demo-integration"),
    wrong("asked before it is pushed", "test_goes_all_the_way", PUSH + DIGEST, DIGEST + PUSH),
    wrong("the configuration stays as it was", "test_goes_all_the_way",
          LINES[LINES.index(CONFIG) : LINES.index("    - kubectl create configmap webserver")], ""),
    wrong("printed, and not applied", "test_goes_all_the_way",
          "--output yaml | kubectl --namespace demo-$PLACE apply --filename -\n"
          "    - kubectl create", "--output yaml\n    - kubectl create"),
    wrong("the migration of last time", "test_goes_all_the_way", DELETE, ""),
    other("Django is asked nothing", "test_django_is_asked", TOX,
          "commands =\n    python manage.py check --fail-level WARNING\n"
          "    python manage.py makemigrations --check --dry-run\n", "commands =\n"),
    wrong("nobody asks Django", "test_django_is_asked",
          "check:\n  stage: check\n  script:\n    - tox -e check\n\n", ""),
    other("warnings that nobody reads", "test_django_is_asked", TOX, " --fail-level WARNING", ""),
    other("migrations that are only shown", "test_django_is_asked", TOX,
          "makemigrations --check --dry-run", "makemigrations --dry-run"),
    other("tests that are asked politely", "test_a_red_test_stops_it", TOX,
          "commands = pytest {posargs}", "commands = - pytest {posargs}"),
    wrong("red and quiet", "test_a_red_test_stops_it", "    - tox -e acceptance\n",
          "    - if tox -e acceptance; then echo well; fi\n"),
    wrong("nobody waits for the tests", "test_a_red_test_stops_it", "build:\n  stage: build\n",
          "build:\n  stage: build\n  needs: []\n"),
)  # fmt: skip
