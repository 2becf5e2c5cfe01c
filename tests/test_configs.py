"""Every option of every group is composed and built, as users will choose it."""

import dataclasses
import inspect
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_class, instantiate
from omegaconf import DictConfig, OmegaConf

import ecggan
import evaluate
import generate
import train  # noqa: F401  registers the resolver
from ecggan import hydra_run
from ecggan.checkpoints.published import PUBLISHED_FORMAT
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.measurement.delineation_choice import delineation_of
from ecggan.measurement.normality.screen import RULES
from ecggan.models.discriminator import Discriminator
from ecggan.training.wgan_gp import WGANGP

CONFIGS = Path(__file__).parents[1] / "configs"
GROUPS = {
    group: sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))
    for group in (
        "ecg",
        "data",
        "quality",
        "model",
        "trainer",
        "callbacks",
        "logger",
        "experiment",
        "loss",
        "critic",
        "augment",
        "baseline",
        "files",
        "normality",
        "measurement",
        "compute",
        "sweep",
        "job",
    )
}


def composed(name: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose(name, ["hydra.runtime.output_dir=run", *overrides], return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    return config


def options(group: str) -> list[str]:
    assert GROUPS[group], f"no option in configs/{group}"
    return GROUPS[group]


@pytest.mark.parametrize("name", options("ecg"))
def test_every_ecg_format_can_be_built(name):
    assert instantiate(composed("train", f"ecg={name}").ecg).duration_s > 0


def test_the_default_format_is_the_published_generators():
    assert instantiate(composed("train").ecg) == PUBLISHED_FORMAT


@pytest.mark.parametrize("name", options("data"))
def test_every_data_source_can_be_built(name):
    for script in ("train", "evaluate"):
        data = composed(script, f"data={name}", "num_workers=1").data
        assert callable(instantiate(data.source, _convert_="all"))
        assert data.name == name
        assert "split" in data


@pytest.mark.parametrize("name", options("baseline"))
def test_every_baseline_can_be_built_and_is_called_by_its_word(name):
    baseline = composed("evaluate", f"baseline={name}").baseline
    assert callable(instantiate(baseline.source, _convert_="all"))
    assert baseline.name == name


@pytest.mark.parametrize("name", options("files"))
def test_every_way_to_read_files_in_the_place_of_a_set_can_be_built(name):
    files = instantiate(composed("evaluate", f"files={name}", "files.layout.unit=mV").files, _convert_="all")
    assert callable(files["source"])
    assert files["source"].keywords["layout"].unit == "mV"


@pytest.mark.parametrize("name", options("normality"))
def test_the_screen_has_a_switch_for_every_rule_and_all_are_on(name):
    assert dict(composed("evaluate", f"normality={name}").normality) == dict.fromkeys(RULES, True)


@pytest.mark.parametrize("name", options("measurement"))
def test_the_delineation_is_that_of_python_unless_another_is_chosen(name):
    config = composed("evaluate", f"measurement={name}").measurement
    assert delineation_of(OmegaConf.to_container(config)) == delineation_of(None) == "median_beat"


@pytest.mark.parametrize("name", options("compute"))
def test_every_way_to_compute_can_be_built(name):
    for script in ("generate", "evaluate"):
        compute = instantiate(composed(script, f"compute={name}").compute)
        assert isinstance(compute, AbstractContextManager)


@pytest.mark.parametrize("name", options("sweep"))
def test_every_search_can_be_built_and_numbers_its_runs(name, tmp_path):
    config = composed("train", f"sweep={name}", f"hydra.sweep.dir={tmp_path}", "sweep.num_runs=3", "hydra.job.num=2")
    assert config.hydra.mode.name == "MULTIRUN"
    assert config.hydra.sweeper.params == {"run_of_sweep": "range(0,3)"}
    assert config.resume == "auto"
    run = instantiate(config.sweep, _convert_="all").run(2)
    assert set(run.parameters) == {"model.gan.learning_rate", "model.gan.n_critic"}
    assert (tmp_path / "study.journal").exists()


@pytest.mark.parametrize("name", options("model"))
def test_every_model_can_be_built_and_learns_from_its_format(name):
    config = composed("train", f"model={name}", "model.model_size=5")
    gan = instantiate(config.model.gan, _convert_="all")
    assert isinstance(gan, WGANGP)
    with torch.no_grad():
        ecg = gan.generator(torch.zeros(2, *gan.generator.latent_shape))
        assert gan.discriminator(ecg).shape == (2,)
    assert config.model.name == name


@pytest.mark.parametrize("critic", options("critic"))
@pytest.mark.parametrize("name", options("model"))
def test_every_model_and_critic_can_be_conditional(name, critic, tmp_path):
    ecgs = ECGSet.from_arrays(np.zeros((4, 8, 5000)), ecggan.EIGHT_LEADS, 500)
    replace(ecgs, records=ecgs.records.assign(age=[20.0, 40.0, 60.0, np.nan])).save(tmp_path / "set")
    asked = ["condition=[age]", "data=ecg_set", f"data.root={tmp_path / 'set'}", "model.model_size=5", "loss=r3gan"]
    config = composed("train", f"model={name}", f"critic={critic}", *asked, f"hydra.runtime.output_dir={tmp_path}")
    parts = hydra_run._parts(OmegaConf.masked_copy(config, [key for key in config if key != "hydra"]))
    assert parts.gan.conditions.names == parts.data.conditions.names == ("age",)
    assert parts.gan.generator.condition_size == parts.gan.discriminator.condition_size == 2
    assert parts.hyperparameters["condition"] == ["age"]


@pytest.mark.parametrize("name", options("model"))
def test_every_model_is_trained_as_published(name):
    model = composed("train", f"model={name}").model
    gan = model.gan
    assert (model.model_size, gan.n_critic, gan.gradient_penalty_weight) == (50, 5, 10)
    assert (gan.learning_rate, gan.betas, gan.discriminator.max_shift) == (1e-4, [0.5, 0.9], 2)
    assert gan.discriminator._target_ == f"{Discriminator.__module__}.Discriminator"
    assert composed("train").batch_size == 32


@pytest.mark.parametrize("name", options("loss"))
def test_every_loss_can_be_built_and_trains_a_generator_of_its_format(name):
    config = composed("train", f"loss={name}", "model.model_size=5")
    gan = instantiate(config.model.gan, _convert_="all")
    assert gan.n_critic == (5 if name == "wgan_gp" else 1)
    assert (gan.loss is None) == (name == "wgan_gp")
    assert gan.has_idle_critic == (name == "matching")


@pytest.mark.parametrize("critic", options("critic"))
@pytest.mark.parametrize("augment", options("augment"))
def test_critics_and_augmentations_go_together(critic, augment):
    config = composed("train", "loss=r3gan", f"critic={critic}", f"augment={augment}", "model.model_size=5")
    gan = instantiate(config.model.gan, _convert_="all")
    ecg = torch.zeros(2, 8, 5000)
    scores = gan.discriminator(ecg, gan.discriminator.draw_shifts(2))
    assert scores.shape == ((2,) if critic == "wavegan" else (2, 3))
    assert (gan.augmentation is None) == (augment == "none")
    assert augment == "none" or (gan.augmentation.adaptive is not None) == (augment == "adaptive")


@pytest.mark.parametrize("name", options("trainer"))
def test_every_trainer_can_be_built(name, tmp_path):
    config = composed(
        "train",
        f"trainer={name}",
        f"hydra.runtime.output_dir={tmp_path}",
        "trainer.devices=1",
        "trainer.accelerator=cpu",
    )
    assert instantiate(config.trainer, logger=False, enable_checkpointing=False).max_epochs == 3000


@pytest.mark.parametrize("name", options("callbacks"))
def test_every_set_of_callbacks_can_be_built(name, tmp_path):
    assert (
        len(instantiate(composed("train", f"callbacks={name}", f"hydra.runtime.output_dir={tmp_path}").callbacks)) > 0
    )


@pytest.mark.parametrize("name", options("logger"))
def test_every_logger_can_be_built_and_a_csv_log_is_always_kept(name, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    loggers = instantiate(composed("train", f"logger={name}", f"hydra.runtime.output_dir={tmp_path}").logger)
    assert type(loggers["csv"]).__name__ == "CSVLog"
    assert len(loggers) == (1 if name == "csv" else 2)


@pytest.mark.parametrize("name", options("experiment"))
def test_every_experiment_composes_and_resolves(name):
    config = composed("train", f"experiment={name}", "seed=1" if "quickstart" in name else "data.root=somewhere")
    plain = OmegaConf.to_container(OmegaConf.masked_copy(config, [k for k in config if k != "hydra"]), resolve=True)
    assert plain["name"] == name


def test_real_experiments_learn_from_ptbxl_log_to_wandb_and_yield_to_the_command_line():
    for name in ("pulse2pulse", "wavegan_star"):
        config = composed("train", f"experiment={name}")
        assert (config.data.name, config.model.name) == ("ptbxl", name)
        assert "wandb" in config.logger
    small = [composed("train", f"experiment={name}_small") for name in ("pulse2pulse", "wavegan_star")]
    assert [config.model.name for config in small] == ["pulse2pulse", "wavegan_star"]
    for config in small:  # one budget for both
        del config.model.gan.generator, config.model.name, config.name
    assert small[0].model == small[1].model
    assert small[0].trainer == small[1].trainer
    assert composed("train", "experiment=pulse2pulse", "data=folder").data.name == "folder"


SHARED = {"hydra", "_target_", "compute"}
REFERRED_TO = {  # keys that others refer to, which no class takes
    *("ecg", "quality", "shaping", "packing", "cache", "num_workers", "run"),
    *("logger", "name", "folder", "tags"),  # of a report's run on W&B
}
NEEDED = {  # what a job cannot do without
    "report": ("data=deepfake", "generated=a"),
    "checkpoints": ("data=deepfake", "run=a"),
    "sweep": ("multirun=a",),
    "data_report": ("data=deepfake",),
    "self_test": ("data=deepfake",),
    "pack": ("data=deepfake",),
    "utility": ("data=deepfake", "generated=a"),
    "obedience": ("data=deepfake", "generated=a"),
    "reader_kit": ("data=deepfake", "generated=a"),
    "reader_scores": ("readers=[a]", "key=b"),
    "generate": ("checkpoint=published",),
    "export": ("ecg_set=a", "export=asc"),
    "convert": ("checkpoint=published", "out=a.safetensors"),
}


def parameters_of(config: DictConfig) -> dict[str, dataclasses.Field]:
    return {field.name: field for field in dataclasses.fields(get_class(config._target_))}


def test_every_job_is_of_one_command_whose_first_is_the_default():
    assert sorted((*evaluate.JOBS, *generate.JOBS)) == options("job")
    for script, jobs in (("evaluate", evaluate.JOBS), ("generate", generate.JOBS)):
        assert composed(script).hydra.runtime.choices.job == jobs[0]


def test_a_job_on_a_node_asks_slurm_for_its_devices():
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    launcher = composed(
        "train", "hydra/launcher=slurm_nodes", "trainer=ddp", "trainer.devices=4", "trainer.num_nodes=2"
    )
    asked = launcher.hydra.launcher
    assert (asked.gpus_per_node, asked.tasks_per_node, asked.nodes) == (4, 4, 2)


@pytest.mark.parametrize("job", options("job"))
def test_every_job_can_be_built_from_its_configuration_and_leaves_no_key_unused(job):
    script = "generate" if job in generate.JOBS else "evaluate"
    config = composed(script, f"job={job}", "hydra.job.name=job", *NEEDED[job])
    parameters = parameters_of(config)
    assert set(config) - SHARED - set(parameters) <= REFERRED_TO
    assert set(parameters) - set(config) <= {"data", "baseline"}  # groups of which none is chosen
    config = OmegaConf.masked_copy(config, [key for key in config if key != "hydra"])
    OmegaConf.resolve(config)
    names = ["_target_", *parameters]
    assert callable(instantiate(OmegaConf.masked_copy(config, names), _convert_="all").run)


@pytest.mark.parametrize("job", options("job"))
def test_a_job_has_the_same_defaults_in_python_as_on_the_command_line(job):
    script = "generate" if job in generate.JOBS else "evaluate"
    config = composed(script, f"job={job}")
    for name, field in parameters_of(config).items():
        if name in config and name not in ("out", "cache", "normality", "measurement", "files"):
            assert config[name] == field.default, name


def test_generate_offers_what_the_function_takes_with_the_same_defaults():
    config = OmegaConf.to_container(composed("generate"))
    of_the_job = {"hydra", "_target_", "compute", "run", "run_folder", "checkpoint", "normality", "num_workers"}
    of_the_job |= {"export", "license", "part", "like", "like_share"}
    config = {key: value for key, value in config.items() if key not in of_the_job}
    parameters = inspect.signature(ecggan.generate).parameters
    assert set(config) <= set(parameters)
    for key in ("seed", "leads", "weights", "epoch", "ecg", "keep", "out", "batch_size", "device"):
        assert config[key] == parameters[key].default
