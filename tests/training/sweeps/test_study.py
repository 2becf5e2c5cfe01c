import threading
import time

import pytest
from joblib import Parallel, delayed
from optuna.pruners import PercentilePruner
from optuna.samplers import TPESampler

from ecggan.training.sweeps.study import Study

SPACE = {
    "lr": {"low": 1e-5, "high": 1e-3, "log": True},
    "size": {"low": 10, "high": 50, "step": 20},
    "model": ["a", "b"],
}


def study(storage: str, space=SPACE, pruner=None, seed: int = 0) -> Study:
    return Study(space, storage, "folder", None, seed, TPESampler, pruner, num_runs=20)


@pytest.fixture(params=["journal", "sqlite"])
def storage(request, tmp_path) -> str:
    return str(tmp_path / "study.journal") if request.param == "journal" else f"sqlite:///{tmp_path}/study.db"


def test_a_run_keeps_the_parameters_that_it_was_given_first(storage):
    first = study(storage).run(3)
    again = study(storage).run(3)
    assert first.parameters == again.parameters
    assert again.number == 3
    assert again.ended is None
    assert 1e-5 <= first.parameters["lr"] <= 1e-3
    assert first.parameters["size"] in (10, 30, 50)
    assert first.parameters["model"] in ("a", "b")


def test_runs_differ_and_a_sweep_of_another_seed_has_others(storage, tmp_path):
    asked = [study(storage).run(number).parameters for number in range(5)]
    other = [study(str(tmp_path / "other"), seed=1000).run(number).parameters for number in range(5)]
    assert len({parameters["lr"] for parameters in [*asked, *other]}) == 10


def test_what_ended_is_known_to_all_that_ask_later(storage):
    study(storage).run(0).end(0.5)
    study(storage).run(1).fail()
    pruned = study(storage).run(2)
    pruned.report(5, 0.75)
    pruned.end(0.75, is_pruned=True)
    found = [study(storage).run(number) for number in range(3)]
    assert [(run.ended, run.value) for run in found] == [("complete", 0.5), ("fail", None), ("pruned", 0.75)]


def test_a_run_is_hopeless_that_is_worse_than_most_were_at_its_epoch(storage):
    pruner = PercentilePruner(50.0, n_startup_trials=2)
    for number, distance in enumerate((1.0, 2.0)):
        run = study(storage, pruner=pruner).run(number)
        assert not run.report(5, distance)
        run.end(distance)
    run = study(storage, pruner=pruner).run(2)
    assert not run.report(5, 1.2)
    assert run.report(10, 5.0) is False, "nobody else was looked at in epoch 10"
    assert study(storage, pruner=pruner).run(3).report(5, 1.9)


def test_what_an_interrupted_run_had_told_of_an_epoch_stays(storage, recwarn):
    study(storage).run(0).report(5, 1.0)
    run = study(storage).run(0)
    run.report(5, 9.0)
    run.report(10, 2.0)
    assert run._study.trials[0].intermediate_values == {5: 1.0, 10: 2.0}
    assert not [each for each in recwarn if "already reported" in str(each.message)]


def _ask(storage: str, number: int) -> dict[str, object]:
    return study(storage).run(number).parameters


def test_two_sweeps_in_one_storage_are_two_studies_and_a_folder_may_move_with_its_own(tmp_path):
    def ask(storage: str, folder: str) -> Study:
        return Study(SPACE, storage, tmp_path / folder, None, 0, TPESampler, None, num_runs=20)

    shared = f"sqlite:///{tmp_path}/shared.db"
    ask(shared, "a").run(0).end(0.5)
    assert ask(shared, "b").run(0).ended is None
    assert ask(shared, "a").run(0).ended == "complete"
    ask(str(tmp_path / "a" / "study.journal"), "a").run(0).end(0.5)
    (tmp_path / "a").rename(tmp_path / "c")
    assert ask(str(tmp_path / "c" / "study.journal"), "c").run(0).ended == "complete"


@pytest.mark.slow
def test_runs_that_begin_at_once_do_not_disturb_each_other(storage):
    asked = Parallel(n_jobs=4)(delayed(_ask)(storage, number) for number in range(8))
    assert [study(storage).run(number).parameters for number in range(8)] == asked
    assert len(study(storage).run(0)._study.trials) == 8


def test_the_other_processes_of_a_run_wait_for_the_first(storage):
    study(storage).run(1)  # sqlalchemy is imported when it is needed, which two threads at once may not
    found = []
    other = threading.Thread(target=lambda: found.append(study(storage).run(0, is_first=False)))
    other.start()
    time.sleep(0.5)
    first = study(storage).run(0)
    other.join(timeout=30)
    assert found[0].parameters == first.parameters


def test_a_sweep_with_other_parameters_is_not_gone_on_with(storage):
    study(storage).run(0)
    with pytest.raises(ValueError, match=r"was begun with sweep\.space of lr, size, model, not of lr; .* another out="):
        study(storage, {"lr": [1, 2]}).run(0)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, r"sweep\.space is empty: say which parameters"),
        ({"lr": 1e-4}, r"sweep\.space\.lr must be a list to choose from, or \{low: 1, high: 9\} .*; got 0\.0001"),
        ({"lr": []}, r"sweep\.space\.lr must be"),
        ({"lr": {"low": 2, "high": 1}}, r"sweep\.space\.lr must be .*got .*low"),
        ({"lr": {"low": -1.0, "high": 1.0, "log": True}}, r"sweep\.space\.lr must be"),
        ({"lr": {"low": 1, "high": 2, "steps": 1}}, r"sweep\.space\.lr must be .*steps"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(space, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        study(str(tmp_path / "s"), space)


def test_a_storage_that_cannot_be_opened_is_named():
    with pytest.raises(OSError, match=r"sweep\.storage=oracle://me:\*\*\*@nowhere cannot be opened") as raised:
        study("oracle://me:secret@nowhere").run(0)
    assert "secret" not in str(raised.value)
