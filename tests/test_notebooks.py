"""The notebooks: stored without outputs, executed here, and their models held against arithmetic.

Every number that a notebook's text speaks of is computed here again.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbclient
import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
STORED = sorted(NOTEBOOKS.glob("*.ipynb"))
BATCHES = NOTEBOOKS / "01-small-batches.ipynb"


def read(file: Path) -> Any:
    return nbformat.read(file, as_version=4)


def execute(notebook: Any, folder: Path) -> Any:
    """Run every cell, in a kernel of its own that keeps its things in `folder`."""
    resources = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources=resources
    )
    client.execute(env={**os.environ, "HOME": str(folder), "IPYTHONDIR": str(folder)})
    return notebook


def code(notebook: Any, name: str) -> str:
    """The source of the cell with this id."""
    return str(next(cell.source for cell in notebook.cells if cell.id == name))


def printed(notebook: Any, name: str) -> str:
    """What the cell with this id printed."""
    outputs = next(cell.outputs for cell in notebook.cells if cell.id == name)
    return "".join(each.text for each in outputs if each.output_type == "stream")


# --- as they are stored --------------------------------------------------------------------------


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
def test_it_is_stored_without_outputs(file: Path) -> None:
    cells = [cell for cell in read(file).cells if cell.cell_type == "code"]
    assert cells
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count is not None] == []


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
def test_it_is_a_valid_notebook(file: Path) -> None:
    nbformat.validate(read(file))


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
def test_every_plot_says_in_words_what_it_shows(file: Path) -> None:
    plots = [cell for cell in read(file).cells if "plt.subplots(" in cell.source]
    assert plots
    for cell in plots:
        assert len(cell.metadata.mystnb.image.alt) > 100, cell.id
        assert cell.metadata.mystnb.figure.caption, cell.id


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
def test_it_has_two_exercises_each_with_a_hint_and_a_hidden_solution(file: Path) -> None:
    cells = read(file).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert len(re.findall(r"(?m)^## Exercise \d", text)) >= 2
    assert text.count("<summary>A hint</summary>") >= 2
    hidden = [cell for cell in cells if "hide-cell" in cell.metadata.get("tags", [])]
    assert len(hidden) >= 2


# --- as they run ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook on small batches, executed once."""
    return execute(read(BATCHES), tmp_path_factory.mktemp("notebook"))


def test_it_runs_from_top_to_bottom_and_draws_three_plots(executed: Any) -> None:
    pictures = [
        output
        for cell in executed.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "image/svg+xml" in output.get("data", {})
    ]
    assert len(pictures) == 3


def test_the_solution_of_exercise_1_is_what_the_text_says(executed: Any) -> None:
    assert printed(executed, "cost-code") == "The best batch size is 8: one change costs 226.\n"
    assert printed(executed, "solution-1").splitlines() == [
        "a deploy costs   best batch   a change costs   with the old batch",
        "           800            8              226                  226",
        "           200            4              129                  151",
        "            50            2               81                  133",
        "          12.5            1               57                  128",
    ]


def test_the_solution_of_exercise_2_is_what_the_text_says(executed: Any) -> None:
    assert printed(executed, "solution-2").splitlines() == [
        "you believe in   you choose   a change gets dearer by",
        "    0.25 times           13                      9%",
        "     0.5 times           10                      2%",
        "       1 times            8                      0%",
        "       2 times            6                      4%",
        "       4 times            5                     11%",
    ]


def test_a_cell_that_fails_is_an_error(tmp_path: Path) -> None:
    notebook = read(BATCHES)
    notebook.cells = [nbformat.v4.new_code_cell("raise ValueError('the model is broken')")]
    with pytest.raises(CellExecutionError, match="the model is broken"):
        execute(notebook, tmp_path)


# --- the model of small batches ------------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> Any:
    """The notebook's own functions, without a kernel."""
    stored = read(BATCHES)
    found: dict[str, Any] = {"__name__": "model"}
    cells = ("setup", "team-code", "simulation-code", "cost-code")
    source = "\n".join(code(stored, name) for name in cells)
    lines = [line for line in source.splitlines() if not line.startswith(("%", "print("))]
    exec("\n".join(lines), found)  # our own file, and the reason why the notebook is pure
    return SimpleNamespace(**found)


def test_four_changes_by_hand(model: Any) -> None:
    """The same luck, added up once more: a batch is live when its last change is tested."""
    luck = model.np.random.default_rng(7)
    gaps = luck.exponential(0.5, 4)  # two a day: half a day between them, on average
    tests = luck.exponential(0.25, 4)  # busy for half of that
    ready_1, ready_2 = gaps[:2].sum(), gaps.sum()
    live_1 = ready_1 + tests[0] + tests[1]
    live_2 = max(live_1, ready_2) + tests[2] + tests[3]
    run = model.simulate(model.Team(pace=2, busy=0.5), 2, changes=4, seed=7)
    assert run.finished.tolist() == pytest.approx(gaps.cumsum().tolist())
    assert run.live.tolist() == pytest.approx([live_1, live_1, live_2, live_2])


def test_the_text_has_the_numbers_of_the_code(model: Any) -> None:
    """What prose says of the team, of the run and of the plot is what the cells begin with."""
    prose = "\n".join(cell.source for cell in read(BATCHES).cells if cell.cell_type == "markdown")
    prose = " ".join(prose.split())
    team = model.Team()
    assert len(team) == 8
    assert "## A team, in eight numbers" in prose
    assert f"a deploy by hand costs {team.deploy_cost}," in prose
    assert f"A change that waits costs {team.delay_cost} a day" in prose
    assert model.simulate.__defaults__[0] == 2000
    assert "## Two thousand changes" in prose
    assert "days: int = 30" in code(read(BATCHES), "flow-code")  # five working days a week
    assert "Look at six weeks of it" in prose
    costs = ", then ".join(f"{each:g}" for each in (800, 200, 50))
    assert f"It costs {costs.replace('800,', '800 now,')}, and at last 12.5." in prose
    assert "for deploy_cost, (line, colour) in zip((800, 200, 50, 12.5)" in code(
        read(BATCHES), "solution-1"
    )


def test_a_batch_that_is_not_full_is_left_out(model: Any) -> None:
    run = model.simulate(model.team, 3, changes=8)
    assert len(run.finished) == len(run.live) == 6


def test_nothing_is_live_before_it_is_finished(model: Any) -> None:
    for batch in (1, 2, 7, 60):
        run = model.simulate(model.team, batch)
        assert (run.live > run.finished).all()
        assert (model.np.diff(run.live) >= 0).all()


def test_one_at_a_time_it_is_the_queue_of_the_textbook(model: Any) -> None:
    """Random arrivals, random service, one server (M/M/1): 1 / (service rate - arrival rate)."""
    team = model.Team(pace=2, busy=0.7)
    run = model.simulate(team, 1, changes=200_000)
    assert model.delay(run) == pytest.approx(1 / (2 / 0.7 - 2), rel=0.05)


def test_without_testers_a_change_waits_for_half_of_the_others(model: Any) -> None:
    """The first of ten waits for nine, the last for none: 4.5 on average, at 2 a day."""
    run = model.simulate(model.Team(pace=2, busy=1e-9), 10, changes=200_000)
    assert model.delay(run) == pytest.approx(4.5 / 2, rel=0.02)


def test_the_parts_of_the_cost_by_hand(model: Any) -> None:
    team = model.Team(
        deploy_cost=800, delay_cost=10, faulty=0.5, search_cost=20, mend_cost=100, forget=0.1
    )
    days = model.delay(model.simulate(team, 4))
    cost = model.cost(team, 4)
    assert cost.deploying == 200
    assert cost.waiting == pytest.approx(10 * days)
    assert cost.mending == pytest.approx(0.5 * (100 + 10 * days + 20 * 2.5))
    assert cost.total == pytest.approx(cost.deploying + cost.waiting + cost.mending)


def test_the_same_seed_is_the_same_luck_and_another_is_another(model: Any) -> None:
    assert model.cost(model.team, 5) == model.cost(model.team, 5)
    assert model.cost(model.team, 5) != model.cost(model.team, 5, seed=2)


def test_there_is_one_best_batch_and_it_is_inside(model: Any) -> None:
    best = model.best(model.team)
    assert 1 < best < 60
    totals = [model.cost(model.team, batch).total for batch in (1, best, 60)]
    assert totals[0] > 3 * totals[1] < totals[2]


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_cheaper_deploy_means_a_smaller_batch_whatever_the_luck(model: Any, seed: int) -> None:
    def best(deploy_cost: float) -> int:
        team = model.team._replace(deploy_cost=deploy_cost)
        return min(range(1, 31), key=lambda batch: model.cost(team, batch, seed).total)

    batches = [best(deploy_cost) for deploy_cost in (800, 200, 50, 12.5)]
    assert batches == sorted(batches, reverse=True)
    assert len(set(batches)) == 4
    assert batches[-1] == 1


def test_dearer_delay_means_a_smaller_batch(model: Any) -> None:
    dear = model.team._replace(delay_cost=150)
    assert model.best(dear) < model.best(model.team)


def test_busier_testers_delay_every_change(model: Any) -> None:
    calm, full = (model.team._replace(busy=busy) for busy in (0.5, 0.9))
    assert model.delay(model.simulate(full, 8)) > model.delay(model.simulate(calm, 8))


def test_the_best_batch_is_the_square_root_of_the_textbook(model: Any) -> None:
    """Harris, 1913: the root of 2 * cost of a deploy * changes a day / cost of a day's delay."""
    team = model.Team(pace=2, busy=1e-9, deploy_cost=400, delay_cost=16, faulty=0)
    assert model.best(team) == pytest.approx(math.sqrt(2 * 400 * 2 / 16), abs=1)


def test_the_bottom_is_as_flat_as_the_text_says(model: Any) -> None:
    """Half or double the best: a fifth dearer. Four times too big: double."""
    lowest = model.cost(model.team, 8).total
    dearer = {batch: model.cost(model.team, batch).total / lowest for batch in (4, 16, 32)}
    assert dearer[4] == pytest.approx(1.2, abs=0.05)
    assert dearer[16] == pytest.approx(1.2, abs=0.05)
    assert dearer[32] == pytest.approx(2, abs=0.1)
