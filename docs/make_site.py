"""Make the site: `make docs`.

Pages of the reference are made of what is written elsewhere: the YAML's own comments, docstrings, the changelog.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # of the scripts, which are beside the package

import evaluate  # noqa: E402
import generate  # noqa: E402

CONFIGS = ROOT / "configs"
JOBS = {"generate": generate.JOBS, "evaluate": evaluate.JOBS}
GROUPS_NOT_SHOWN = {"job", "hydra"}  # jobs have pages of their own; Hydra's own groups are no parameters


@dataclass(frozen=True)
class Parameter:
    name: str
    default: str
    comment: str


@dataclass(frozen=True)
class ConfigFile:
    """A file of `configs/` as its reader sees it.

    Attributes:
        lines: the comments above its first key.
        parameters: its keys, dotted, with defaults and comments.
        groups: the entries of its defaults list; what they choose is the default.
    """

    lines: list[str]
    parameters: list[Parameter]
    groups: list[Parameter]
    target: str | None


def read_config(path: Path) -> ConfigFile:
    header: list[str] = []
    parameters: list[Parameter] = []
    groups: list[Parameter] = []
    target = None
    parents: list[tuple[int, str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("# @package"):
            continue
        if line.startswith("#"):
            if not parameters and not groups:
                header.append(line.lstrip("# "))
            continue
        found = re.match(r"(?P<indent> *)(?P<item>- )?(?P<key>[^\s:#]+):(?:\s+|$)(?P<value>.*)", line)
        if found is None:
            continue
        value, comment = _split_comment(found["value"])
        indent = len(found["indent"])
        if found["item"]:
            if "/hydra/" not in found["key"] and not value.startswith("hydra/") and found["key"] != "override":
                groups.append(Parameter(found["key"].lstrip("/"), value, comment))
            continue
        parents = [(at, key) for at, key in parents if at < indent]
        name = ".".join([*(key for _, key in parents), found["key"]])
        if name == "_target_":
            target = value
        parents.append((indent, found["key"]))
        if name.split(".")[0] in {"hydra", "defaults"} or "_target_" in name or "_partial_" in name:
            continue
        parameters.append(Parameter(name, value, comment))
    return ConfigFile(header, parameters, groups, target)


def _split_comment(text: str) -> tuple[str, str]:
    value, _, comment = text.partition(" #") if not text.startswith("#") else ("", "", text[1:])
    return value.strip(), comment.strip()


def _cell(text: str, code: bool = False) -> str:
    text = text.replace("|", "\\|")
    if code:
        return f"`{text}`" if text else ""
    # what Markdown and the attribute lists of its extension would take for markup
    for character in "<*_{}[]":
        text = text.replace(character, f"&#{ord(character)};")
    return text


def _table(title: str, rows: list[Parameter]) -> list[str]:
    if not rows:
        return []
    return [
        f"| {title} | default | |",
        "|---|---|---|",
        *(f"| {_cell(row.name, True)} | {_cell(row.default, True)} | {_cell(row.comment)} |" for row in rows),
        "",
    ]


def config_section(path: Path) -> list[str]:
    config = read_config(path)
    text: list[str] = []
    for line in config.lines:
        # a line that is a command, or that ends in one, is shown as such
        before, command, after = re.match(r"(.*?)((?:python )?(?:train|generate|evaluate)\.py .*)?()$", line).groups()
        text += [_cell(before.strip()), ""] if before.strip() else []
        text += (
            ["```", (command if command.startswith("python") else f"python {command}") + after, "```", ""]
            if command
            else []
        )
    if config.target and config.target.startswith("ecggan."):
        known = config.target.startswith("ecggan.jobs.")
        text += [f"In Python: `{config.target}`" + ("" if not known else " ([jobs](../api/jobs.md))") + ".", ""]
    return [*text, *_table("group", config.groups), *_table("parameter", config.parameters)]


def pages() -> dict[str, str]:
    """Generated pages by their path in the site."""
    made: dict[str, str] = {}
    commands = "reference/commands"
    contents = ["# Commands, jobs and configuration", "", "Generated from the comments of `configs/`.", ""]
    for script in ("train", "generate", "evaluate"):
        made[f"{commands}/{script}.md"] = "\n".join([f"# {script}.py", "", *config_section(CONFIGS / f"{script}.yaml")])
        contents.append(f"- [`{script}.py`]({script}.md)")
        for job in JOBS.get(script, ()):
            first = read_config(CONFIGS / "job" / f"{job}.yaml").lines[0]
            made[f"{commands}/{script}_{job}.md"] = "\n".join(
                [f"# {script}.py job={job}", "", *config_section(CONFIGS / "job" / f"{job}.yaml")]
            )
            contents.append(f"    - [`job={job}`]({script}_{job}.md): {first.partition(': ')[0]}")
    made[f"{commands}/real_ecgs.md"] = "\n".join(["# Real ECGs", "", *config_section(CONFIGS / "real_ecgs.yaml")])
    contents += ["- [Real ECGs](real_ecgs.md), of every job that takes them", "- Groups:"]
    for group in sorted(path.name for path in CONFIGS.iterdir() if path.is_dir() and path.name not in GROUPS_NOT_SHOWN):
        text = [f"# {group}=…", ""]
        for path in sorted((CONFIGS / group).rglob("*.yaml")):
            option = path.relative_to(CONFIGS / group).with_suffix("")
            text += [f"## {group}{'/' + option.parent.name if option.parent.name else ''}={option.name}", ""]
            text += config_section(path)
        made[f"{commands}/group_{group}.md"] = "\n".join(text)
        contents.append(f"    - [`{group}=`](group_{group}.md)")
    made[f"{commands}/index.md"] = "\n".join(contents)

    package = ROOT / "ecggan"
    rooms = sorted(path.parent.name for path in package.glob("*/__init__.py"))
    single_modules = sorted(path.stem for path in package.glob("*.py") if not path.stem.startswith("_"))
    api = [
        "# API by room",
        "",
        "Rooms import downwards; [architecture](../../explanation/architecture.md) has the order.",
        "",
    ]
    made["reference/api/ecggan.md"] = "::: ecggan\n    options:\n      show_submodules: false\n"
    api.append("- [`ecggan`](ecggan.md): what `import ecggan` gives")
    for name in [*rooms, *single_modules]:
        made[f"reference/api/{name}.md"] = f"::: ecggan.{name}\n"
        source = package / name / "__init__.py" if name in rooms else package / f"{name}.py"
        first = source.read_text(encoding="utf-8").split('"""')[1].split("\n")[0].strip()
        api.append(f"- [`ecggan.{name}`]({name}.md): {first}")
    made["reference/api/index.md"] = "\n".join(api)

    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    made["reference/changelog.md"] = re.sub(r"\]\(docs/", "](../", changelog).replace("](../reference/", "](")
    return made


def missing_pictures(folder: Path) -> list[str]:
    """Pictures that a page shows and that are not there, which the site's builder does not notice."""
    return [
        f"{page.relative_to(folder)}: {target}"
        for page in sorted(folder.rglob("*.md"))
        for target in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).is_file()
    ]


def main() -> None:
    """Gather the pages in `build/site/`, check them and build the site in `site/`."""
    build, source = ROOT / "build" / "site", ROOT / "docs"
    shutil.rmtree(build, ignore_errors=True)
    shutil.copytree(source, build / "docs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    made = pages()
    for path, text in made.items():
        (build / "docs" / path).parent.mkdir(parents=True, exist_ok=True)
        (build / "docs" / path).write_text(text + "\n", encoding="utf-8")
    if missing := missing_pictures(build / "docs"):
        sys.exit("these pictures are missing:\n" + "\n".join(missing))

    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    reference = next(entry["Reference"] for entry in config["nav"] if "Reference" in entry)
    for title, room in (("API", "reference/api"), ("Commands", "reference/commands")):
        inside = [path for path in made if path.startswith(f"{room}/") and not path.endswith("/index.md")]
        reference.insert(0, {title: [f"{room}/index.md", *inside]})
    python = next(plugin["mkdocstrings"] for plugin in config["plugins"] if "mkdocstrings" in plugin)["handlers"][
        "python"
    ]
    python["paths"] = [str(ROOT)]
    python["options"]["extensions"] = [str(source / "site_docstrings.py")]
    (build / "mkdocs.yml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")

    zensical = Path(sys.executable).with_name("zensical")
    subprocess.run([zensical, "build", "--strict", "--clean"], cwd=build, check=True)
    shutil.rmtree(ROOT / "site", ignore_errors=True)
    shutil.move(build / "site", ROOT / "site")


if __name__ == "__main__":
    main()
