"""The plans that come with the project: every candidate has a recipe, a network and the same images."""

from pathlib import Path

import pytest

from rsc_snn.experiments.search.plan import read_plan
from rsc_snn.experiments.search.trials import checked_trials, stages
from rsc_snn.spec import parse_number

ROOT = Path(__file__).parents[2]
PLANS = sorted((ROOT / "examples" / "search").glob("*.yaml"))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_every_candidate_of_a_plan_resolves(path: Path) -> None:
    plan = read_plan(path)
    epochs = stages(plan, is_halving=bool(plan.rungs))
    trials = checked_trials(plan, epochs, None)
    assert len(trials) == len(epochs) * len(plan.candidates)
    for trial in trials:
        text = repr(trial.network.recipe.objective)
        for eps in ("8/255", "4/255"):
            if f"fast {eps}" in trial.candidate.label:
                assert f"eps={parse_number(eps, where=eps)}" in text, trial.candidate.label
        if "T=2" in trial.candidate.label:
            assert trial.network.recipe.num_steps == 2
        if "RSC 0.0625" in trial.candidate.label:
            assert trial.network.recipe.coding.variance == 0.0625  # type: ignore[attr-defined]
        if "robust teacher" in trial.candidate.label:
            assert text.count("PGD(") == 2, "of the student and of the teacher"


def test_there_are_plans() -> None:
    assert {"cifar10", "cifar10-cpu", "digits"} <= {path.stem for path in PLANS}


def test_the_plan_of_the_page_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "search.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "plan.yaml").write_text(text)
    plan = read_plan(tmp_path / "plan.yaml")
    assert len(checked_trials(plan, stages(plan, is_halving=True), None)) == 2 * len(plan.candidates) == 4
