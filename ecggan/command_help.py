"""The answer to ``--help``: Hydra's, without the list of all groups that Hydra makes first and our help never shows.

That list takes Hydra four times as long as everything else that ``--help`` needs.
"""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from string import Template
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def answer_help(main: Callable[P, R], configs: Path, script: str) -> Callable[P, R]:
    """Print the help of a script's configuration for ``--help`` or ``-h``, else run.

    Args:
        main: of a script, decorated by Hydra.
        configs: the folder of the configuration.
        script: the name of the script and of its configuration.
    """

    @wraps(main)
    def answering(*args: P.args, **kwargs: P.kwargs) -> R:
        arguments = sys.argv[1:]
        if not {"--help", "-h"} & set(arguments):
            return main(*args, **kwargs)
        print(help_text(configs, script, [argument for argument in arguments if not argument.startswith("-")]))
        raise SystemExit(0)

    return answering


def help_text(configs: Path, script: str, overrides: list[str]) -> str:
    """The help that the configuration states under ``hydra.help``, with the groups and the configuration in it.

    Raises:
        HydraException: an override that cannot be.
    """
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf, flag_override

    with initialize_config_dir(str(configs.resolve()), version_base="1.3"):
        config = compose(script, overrides, return_hydra_config=True)
    template = Template(config.hydra.help.template)
    with flag_override(config, ["struct", "readonly"], False):
        del config["hydra"]
    return template.substitute(APP_CONFIG_GROUPS=_groups(configs), CONFIG=OmegaConf.to_yaml(config))


def _groups(configs: Path) -> str:
    """A line a group of the configuration, but for Hydra's own: its name and its options."""
    options: dict[str, list[str]] = {}
    for file in sorted(configs.rglob("*/*.yaml")):
        group = file.parent.relative_to(configs)
        if group.parts[:1] != ("hydra",) and group.parts:
            options.setdefault(group.as_posix(), []).append(file.stem)
    return "".join(f"{group}: {', '.join(names)}\n" for group, names in sorted(options.items()))
