"""Measure real and generated ECGs alike and report how they compare; or let blinded readers tell them apart.

python evaluate.py data=ptbxl data.root=PTBXL data.split=test generated=DIR out=REPORT
python evaluate.py data=ptbxl data.root=PTBXL generated=[DIR1,DIR2] baseline=deepfake out=REPORT
python evaluate.py real=DIR generated=DIR out=REPORT
python evaluate.py data=ptbxl data.root=PTBXL data.split=validation run=RUN out=CURVE
python evaluate.py multirun=SWEEP out=TABLE
python evaluate.py data=ptbxl data.root=PTBXL self_test=true out=SELF_TEST
python evaluate.py data=folder data.root=DIR account=true out=ACCOUNT
python evaluate.py data=ptbxl data.root=PTBXL generated=DIR reader_kit=20 out=KIT
python evaluate.py real=DIR generated=DIR out=REPORT compute=dask compute.address=tcp://HOST:8786
python evaluate.py readers=[ann.csv,bob.csv] key=KIT-key/key.csv out=SCORES
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig, OmegaConf

from ecggan.cli import exit_on_user_error

if TYPE_CHECKING:
    from ecggan.data.sets.ecg_set import ECGSet


@hydra.main(config_path="configs", config_name="evaluate", version_base="1.3")
@exit_on_user_error
def main(config: DictConfig) -> None:
    check(config)
    if config.readers is not None:
        score_sheets(config)
        return
    if config.multirun is not None:
        gather_sweep(config)
        return

    from hydra.utils import instantiate  # heavy libraries load after --help has answered

    with instantiate(config.compute):
        evaluate(config)


def evaluate(config: DictConfig) -> None:
    """Everything that is asked of ECG sets, on whatever machines."""
    from hydra.utils import instantiate

    from ecggan.data.sets.ecg_set import ECGSet
    from ecggan.evaluation.assessment import assess, check_names
    from ecggan.evaluation.comparison.margins import check_margins
    from ecggan.evaluation.memorization.training_overlap import check_no_overlap
    from ecggan.evaluation.report.report import write_report
    from ecggan.evaluation.report.tables import measurement_table
    from ecggan.evaluation.set_evaluation import answers
    from ecggan.files.atomic import require_new_folder

    require_new_folder(config.out)
    plain = OmegaConf.to_container(config, resolve=False)
    assert isinstance(plain, dict)
    check_margins(plain["margins"] or {})
    data = config.get("data")
    paths = named_sets(plain["generated"])
    baseline = config.get("baseline")
    names = [*(name for name, _ in paths), *([] if baseline is None else [baseline.name])]
    check_names(names)
    if config.reader_kit is not None and len(names) != 1:
        raise ValueError(
            "a reader kit sets one generated set beside the real one: give generated=ECG_SET or baseline=deepfake; "
            f"got {', '.join(names) or 'run=RUN'}"
        )
    generated = {name: ECGSet.open(path) for name, path in paths}
    if baseline is not None:
        generated[baseline.name] = instantiate(baseline.source, _convert_="all")()
    real = ECGSet.open(config.real) if data is None else instantiate(data.source, _convert_="all")()
    if config.account:
        write_the_account(config, real)
        return
    training = training_ecgs(config.training, real)
    if data is not None and data.split is not None and not config.self_test:
        real = real.where_split(data.split)
    some = slice(config.max_records)
    real = real.subset(some)
    if not len(real):
        raise ValueError(f"the real set, {real.path}, holds no record")
    settings = {key: plain[key] for key in ("max_records", "seed", "margins")}
    settings["split"] = None if data is None else plain["data"]["split"]
    settings["training"] = None if training is None else f"{len(training):,} records"
    settings["rules_off"] = [rule for rule, is_on in config.normality.items() if not is_on]
    generated = {name: ecgs.subset(some) for name, ecgs in generated.items()}
    if config.run is not None:
        draw_curve(config, real)
        return
    if not (config.allow_overlap or config.self_test):
        check_no_overlap(real, generated, training if isinstance(config.training, str) else None)
    if config.self_test:
        test_itself(config, real)
        return
    if config.reader_kit is not None:
        write_kit(config, real, generated)
        return
    assessment = assess(
        real,
        generated,
        rules=dict(config.normality),
        margins=plain["margins"],
        num_workers=config.num_workers,
        cache=config.cache,
        seed=config.seed,
        training=training,
    )
    report = write_report(Path(config.out), assessment, settings)
    print(measurement_table(assessment).frame().to_string(index=False))
    for name, judgement in assessment.judgements.items():
        for question, verdict in answers(judgement).items():
            print("\n".join([f"\n{name}. {question} {verdict.headline}", *verdict.sentences]))
    if config.get("logger") is not None:
        from ecggan.tracking.wandb_logger import log_report

        log_report(instantiate(config.logger.wandb), report.parent, OmegaConf.to_container(config, resolve=True))
    print(f"The report lies in {report}")


def check(config: DictConfig) -> None:
    """Raise ValueError unless the configuration says one thing to do, and all that it takes."""
    data = config.get("data")
    is_judging = config.generated is not None or config.get("baseline") is not None
    if config.readers is not None or config.key is not None:
        if config.readers is None or config.key is None:
            raise ValueError(
                "sheets are scored by the key of their kit: give readers=[ann.csv,bob.csv] and key=KEY.CSV"
            )
        if is_judging or any(given is not None for given in (data, config.real, config.run, config.reader_kit)):
            raise ValueError(
                "readers= and key= take no ECGs: leave out data, real, generated, baseline, run, reader_kit"
            )
    elif config.multirun is not None:
        if is_judging or any(given is not None for given in (data, config.real, config.run, config.reader_kit)):
            raise ValueError("multirun= takes no ECGs: leave out data, real, generated, baseline, run, reader_kit")
    elif config.real is not None and data is not None:
        raise ValueError("the real ECGs are given twice: give data=… or real=ECG_SET, not both")
    elif config.real is None and data is None:
        raise ValueError("say which ECGs are real: data=ptbxl data.root=DIR (or another source), or real=ECG_SET")
    elif config.account not in (True, False):
        raise ValueError(f"account must be true or false; got {config.account}")
    elif config.account:
        if is_judging or config.run is not None or config.reader_kit is not None or config.self_test:
            raise ValueError(
                "the account is of the real ECGs alone: leave out generated, baseline, run, reader_kit and self_test"
            )
    elif config.allow_overlap not in (True, False):
        raise ValueError(f"allow_overlap must be true or false; got {config.allow_overlap}")
    elif config.self_test not in (True, False):
        raise ValueError(f"self_test must be true or false; got {config.self_test}")
    elif config.self_test:
        if is_judging or config.run is not None or config.reader_kit is not None:
            raise ValueError("the self-test makes its own sets: leave out generated, baseline, run and reader_kit")
    elif is_judging == (config.run is not None):
        raise ValueError(
            "say which ECGs are generated: generated=ECG_SET, as generate.py writes it (or several, generated=[A,B], "
            "generated={name:A}), or baseline=deepfake for the paper's generator; or run=RUN alone for the curve of a "
            "training run's checkpoints; or self_test=true, or account=true"
        )
    if not (config.training is None or config.training is False or isinstance(config.training, str)):
        raise ValueError(
            "training must be an ECG set, null (the split `train` of the real ECGs) or false (not known); got "
            f"{config.training}"
        )
    numbers = (("max_records", 1, False), ("num_workers", 1, False), ("reader_kit", 1, False), ("seed", 0, True))
    for name, least, is_needed in numbers:
        number = config[name]
        if (number is not None or is_needed) and (not isinstance(number, int) or number is True or number < least):
            words = "a whole number" if is_needed else "null or a whole number"
            raise ValueError(f"{name} must be {words}, at least {least}; got {number}")
    if config.get("logger") is not None and "wandb" not in config.logger:
        raise ValueError(f"a report is logged to logger=wandb alone; got {', '.join(config.logger)}")


def training_ecgs(which: str | bool | None, real: "ECGSet") -> "ECGSet | None":
    """What the generators learned from: the set named, or the split `train` of the real ECGs; None where not known."""
    if isinstance(which, str):
        from ecggan.data.sets.ecg_set import ECGSet

        return ECGSet.open(which)
    has_split = "split" in real.records and (real.records["split"] == "train").any()
    return real.where_split("train") if has_split and which is None else None


def write_the_account(config: DictConfig, real: "ECGSet") -> None:
    """What is in the set, what was left out and why, and whether an ECG is in two splits."""
    from ecggan.evaluation.report.data_report import in_words, write_data_report

    written = write_data_report(config.out, real, config.num_workers)
    print(in_words(real, written.parent))
    print(f"The account lies in {written}")


def test_itself(config: DictConfig, real: "ECGSet") -> None:
    """Whether this evaluation catches what it must, and nothing else; ends with status 1 where it does not."""
    from ecggan.evaluation.self_test.self_test import in_words, run_self_test, write_self_test

    found = run_self_test(real, config.num_workers, cache=config.cache, seed=config.seed)
    written = write_self_test(config.out, found)
    print(in_words(found))
    print(f"The self-test lies in {written}")
    if not found.passes():
        sys.exit(1)


def write_kit(config: DictConfig, real: "ECGSet", generated: "dict[str, ECGSet]") -> None:
    """Real and generated ECGs in random order for blinded readers, and which is which in a folder apart."""
    from ecggan.evaluation.reader_study.kit import write_reader_kit

    (ecgs,) = generated.values()
    key = write_reader_kit(config.out, real, ecgs, config.reader_kit, config.seed)
    print(f"The readers' kit lies in {config.out}; the answer key, which no reader may see, in {key}")


def score_sheets(config: DictConfig) -> None:
    """How often each reader was right, and how far they agree."""
    from ecggan.evaluation.reader_study.scores import reader_table, score_readers, write_scores
    from ecggan.files.atomic import require_new_folder

    require_new_folder(config.out)
    plain = OmegaConf.to_container(config, resolve=False)
    assert isinstance(plain, dict)
    scores = score_readers(config.key, plain["readers"], seed=config.seed)
    written = write_scores(config.out, scores)
    print(reader_table(scores).to_string(index=False))
    print(f"The scores lie in {written}")


def gather_sweep(config: DictConfig) -> None:
    """The runs of a sweep as a table, and a picture of the distance against each parameter."""
    from ecggan.files.atomic import require_new_folder
    from ecggan.training.sweeps.table import sweep_table, write_sweep

    require_new_folder(config.out)
    table = sweep_table(config.multirun)
    written = write_sweep(config.out, table)
    print(table.to_string(index=False, float_format="{:.4g}".format, na_rep=""))
    print(f"The table lies in {written}")


def draw_curve(config: DictConfig, real: "ECGSet") -> None:
    """Draw from each generator that the run has kept, and compare what it draws with the real ECGs."""
    from tqdm import tqdm

    from ecggan.checkpoints.open import generators_of_run
    from ecggan.data.sets.ecg_set import ECGSet
    from ecggan.evaluation.memorization.training_overlap import check_no_overlap
    from ecggan.evaluation.report.checkpoint_curve import write_curve
    from ecggan.generation.generate import generate

    found = tqdm(generators_of_run(config.run).items(), desc="checkpoints", unit="epoch")

    def draw(path: Path) -> ECGSet:
        ecgs = generate(path, config.num_records, config.seed, progress=False)
        if not config.allow_overlap:
            check_no_overlap(real, {"this run": ecgs})
        return ecgs

    drawn = ((epoch, draw(path)) for epoch, path in found)
    curve = write_curve(config.out, real, drawn, config.num_workers, config.cache)
    shown = curve[["epoch", "share_measurable", "share_normal", "physiological_distance"]]
    print(shown.to_string(index=False, float_format="%.3f"))
    print(
        f"The curve lies in {config.out}; the epoch nearest to real ECGs is "
        f"{shown.loc[shown['physiological_distance'].idxmin(), 'epoch']:.0f}"
    )


def named_sets(generated: Any) -> list[tuple[str, str]]:
    """Each set's folder with what the report calls it: one is `generated`, several go by their folders' names."""
    if generated is None:
        return []
    if isinstance(generated, str):
        return [("generated", generated)]
    named = generated
    if isinstance(generated, list) and all(isinstance(path, str) for path in generated):
        named = [(Path(path).resolve().name, path) for path in generated]
    elif isinstance(generated, dict) and all(isinstance(path, str) for path in generated.values()):
        named = [(str(name), path) for name, path in generated.items()]
    else:
        raise ValueError(f"generated must be a folder, [A,B] or {{ours:A,theirs:B}}; got {generated}")
    return named


if __name__ == "__main__":
    main()
