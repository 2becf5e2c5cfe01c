"""Measure real and generated ECGs alike and report how they compare.

python evaluate.py data=ptbxl data.root=PTBXL data.split=test generated=DIR out=REPORT
python evaluate.py real=DIR generated=DIR out=REPORT
"""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from ecggan.commands import one_clear_line


@hydra.main(config_path="configs", config_name="evaluate", version_base="1.3")
@one_clear_line
def main(config: DictConfig) -> None:
    data = config.get("data")
    if (config.real is None) == (data is None):
        raise ValueError("say which ECGs are real: data=ptbxl data.root=DIR (or another source), or real=ECG_SET")
    if config.generated is None:
        raise ValueError("say which ECGs are generated: generated=ECG_SET, as generate.py writes it")

    if config.max_records is not None and not (isinstance(config.max_records, int) and config.max_records > 0):
        raise ValueError(f"max_records must be null or a whole number above 0; got {config.max_records}")

    from hydra.utils import instantiate  # heavy libraries load after --help has answered

    from ecggan.atomic import require_new_folder
    from ecggan.data.ecg_set import ECGSet
    from ecggan.evaluation.columns import MAIN_MEASUREMENTS
    from ecggan.evaluation.comparison import compare
    from ecggan.evaluation.measurements import measure
    from ecggan.evaluation.report import write_report

    require_new_folder(config.out)
    generated = ECGSet.open(config.generated)
    real = ECGSet.open(config.real) if data is None else instantiate(data.source, _convert_="all")()
    if data is not None and data.split is not None:
        real = real.where_split(data.split)
    real, generated = (ecgs.subset(slice(config.max_records)) for ecgs in (real, generated))
    real_table, generated_table = (
        measure(ecgs, num_workers=config.num_workers, progress=True, cache=config.cache) for ecgs in (real, generated)
    )
    comparison = compare(real_table, generated_table)
    settings = {"split": data and data.split, "max_records": config.max_records}
    report = write_report(Path(config.out), real, generated, real_table, generated_table, comparison, settings)
    main_rows = comparison[comparison["measurement"].isin(MAIN_MEASUREMENTS)]
    print(main_rows.to_string(index=False, float_format="%.2f"))
    print(f"{len(comparison) - len(main_rows)} more amplitudes and ST levels are in comparison.csv and in the report")
    print(f"The report lies in {report}")


if __name__ == "__main__":
    main()
