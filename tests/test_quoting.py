"""A path is used as it is written, and a printed command works where it is pasted."""

import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

import ecggan.jobs
from ecggan.quoting import as_argument, is_path, quoted_for_hydra

CONFIGS = Path(__file__).parents[1] / "configs"
NAMES = (
    *(
        "Jürgen",
        "数据",
        "PTB-XL (1)",
        "run=3",
        "O'Brien",
        "[x]",
        "a&b",
        "#1",
        "a,b",
        "{x}",
        "{a:b}",
        "x: y",
        "$HOME",
        "a$",
    ),
    *(
        'say "no"',
        "back\\slash",
        "end\\",
        "\\'",
        "trailing.",
        "..",
        "-dash",
        " space ",
        "a;b|c<d>e",
        "50%",
        "@x",
        "x@y.z",
    ),
    *(
        "2026_11_28",
        "2026-11-28",
        "1e3",
        "007",
        "0x1f",
        "1_000",
        "1.5",
        ".5",
        "-0",
        "nan",
        "inf",
        "true",
        "False",
        "NULL",
    ),
    *(
        "None",
        "no",
        "on",
        "12:30",
        "C:\\ECGs\\x",
        "a\tb",
        "a\nb",
        "choice(a,b)",
        "range(3)",
        "str(1)",
        "(x",
        "x)",
        "*",
        "?",
    ),
    *(
        "ends'",
        "'starts",
        "a=b,c=[d]",
        "a+b",
        "+a",
        "=a",
        "e\u0301",
        "\udcfc",
        "😀",
        "sqlite:///x?y=1",
        "a b\\",
        "%s",
        "a:b",
    ),
)


PARSER = OverridesParser.create()


def read_by_hydra(*arguments: str) -> dict[str, Any]:
    parsed = PARSER.parse_overrides([each for each in quoted_for_hydra(arguments) if not each.startswith("-")])
    return {each.key_or_group: each.value() for each in parsed}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_as_it_is_written(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = [f"out={name}", f"data.parts.folder.root={name}", f"generated=./{name}"]
    once = quoted_for_hydra(arguments)
    assert read_by_hydra(*once) == {"out": name, "data.parts.folder.root": name, "generated": f"./{name}"}
    assert quoted_for_hydra(once) == once  # for the processes that a run starts
    assert quoted_for_hydra(["-m", f"out={name}"])[1:] == once[:1]


def test_names_survive_the_configuration_and_its_file(tmp_path):
    names = {f"name_{i}": name for i, name in enumerate(NAMES)}
    config = OmegaConf.create({**names, "again": {name: f"${{..{name}}}" for name in names}})
    OmegaConf.save(config, tmp_path / "config.yaml")
    for each in (config, OmegaConf.load(tmp_path / "config.yaml")):
        OmegaConf.resolve(each)
        assert each.pop("again") == names
        assert each == names


@pytest.mark.parametrize("name", [name for name in NAMES if name != ".."])
def test_a_printed_command_names_the_same_folder_when_it_is_pasted(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (name, f"/tmp/my run/{name}"):
        (argument,) = shlex.split(as_argument("run", path))
        assert Path(str(read_by_hydra(argument)["run"])) == Path(path)


def test_words_with_a_meaning_are_names_behind_a_dot():
    assert read_by_hydra("out=null", "training=false", "resume=auto") == {
        "out": None,
        "training": False,
        "resume": "auto",
    }
    assert read_by_hydra("out=./null", "training=./false") == {"out": "./null", "training": "./false"}
    assert [as_argument("run", word) for word in ("null", "published", "x")] == [
        "run=./null",
        "run=./published",
        "run=x",
    ]


def test_the_home_folder_is_found_where_the_shell_left_its_sign(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for given in ("~/ptbxl", "'~/ptbxl'", '"~/ptbxl"'):
        assert read_by_hydra(f"data.root={given}") == {"data.root": f"{tmp_path}/ptbxl"}
    assert read_by_hydra("out=~") == {"out": str(tmp_path)}
    read = read_by_hydra("out=./~", "real=a~b", "init=~nobody-of-this-name/x")
    assert read == {"out": "./~", "real": "a~b", "init": "~nobody-of-this-name/x"}
    assert read_by_hydra("generated={ours:~/a,theirs:b}") == {"generated": {"ours": f"{tmp_path}/a", "theirs": "b"}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[a b,c]", ["a b", "c"]),
        ("[x (1),#2,O'Brien,run=3]", ["x (1)", "#2", "O'Brien", "run=3"]),
        ("['a,b',2026_11_28]", ["a,b", "2026_11_28"]),
        ("{ours:my run/1,theirs:epoch=1}", {"ours": "my run/1", "theirs": "epoch=1"}),
        ("{ours: A, theirs: B}", {"ours": "A", "theirs": "B"}),
        ("{w:C:\\x,z:D:\\y}", {"w": "C:\\x", "z": "D:\\y"}),
        ("{1:a,2:b}", {1: "a", 2: "b"}),
        ("{Jürgen:a,the other:b}", [["Jürgen", "a"], ["the other", "b"]]),
        ("{007:a,null:b}", [["007", "a"], ["null", "b"]]),
    ],
)
def test_several_sets_are_a_list_or_a_mapping_of_names_as_they_are_written(value, expected):
    for key in ("generated", "readers"):
        assert read_by_hydra(f"{key}={value}") == {key: expected}


def test_brackets_and_commas_belong_to_a_name_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_by_hydra("generated=[a,b]") == {"generated": ["a", "b"]}
    for name in ("a,b", "[x]", "{x:y}"):
        Path(name).mkdir()
    assert read_by_hydra("generated=[x]") == {"generated": "[x]"}
    assert read_by_hydra("generated={x:y}") == {"generated": "{x:y}"}
    assert read_by_hydra("generated=[a,b,c]") == {"generated": ["a,b", "c"]}
    assert read_by_hydra("-m", "data.root=a,b") == {"data.root": "a,b"}


def test_in_a_sweep_a_comma_separates_choices_but_not_of_the_one_folder_for_all():
    read = read_by_hydra("-m", "data.root=my a,b=1", "init=choice(a,b)", "seed=1,2", "out=a,b")
    assert [getattr(root, "text", root) for root in read["data.root"].list] == ["my a", "b=1"]
    assert read["init"].list == ["a", "b"]
    assert read["seed"].list == [1, 2]
    assert read["out"] == "a,b"
    assert read_by_hydra("-m", "data.root='a,b'") == {"data.root": "a,b"}


def test_interpolations_go_on_working(monkeypatch):
    monkeypatch.setenv("SCRATCH", "/scratch/my own")
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("evaluate", quoted_for_hydra(["out=${oc.env:SCRATCH}/x y/${seed}=1", "real=a", "seed=3"]))
    assert config.out == "/scratch/my own/x y/3=1"


def test_other_parameters_are_left_alone_but_for_texts_that_hydra_cannot_read():
    plain = ["seed=1,2", "margins={qt_interval_ms: 10}", "data.labels=[AFIB,SBRAD]", "num_workers=null", "-m", "--help"]
    assert quoted_for_hydra(plain) == plain
    assert read_by_hydra("name=it's (1)", "license=©") == {"name": "it's (1)", "license": "©"}
    assert read_by_hydra("data.labels=[Sinus rhythm (x),1]") == {"data.labels": ["Sinus rhythm (x)", 1]}
    assert quoted_for_hydra(["seed=[1", "seed='1"]) == ["seed=[1", "seed='1"]  # Hydra says what is wrong


def test_the_word_for_a_missing_value_is_a_name():
    assert OmegaConf.create(read_by_hydra("out=???")).out == "./???"


def test_conditions_are_values_or_a_file():
    asked = "{sex:female,age:70,heart_rate:[80,100],labels:[LBBB]}"
    expected = {"sex": "female", "age": 70, "heart_rate": [80, 100], "labels": ["LBBB"]}
    assert read_by_hydra(f"condition={asked}")["condition"] == expected
    assert read_by_hydra("condition=[sex,age]")["condition"] == ["sex", "age"]
    assert read_by_hydra("condition=2026_11_28 (1).csv")["condition"] == "2026_11_28 (1).csv"


@pytest.mark.parametrize("argument", ["out=", "data.root=", "real=''", "generated= "])
def test_an_empty_path_is_refused_as_the_shell_may_have_emptied_it(argument):
    with pytest.raises(ValueError, match=r"names no file or folder: its value is empty"):
        quoted_for_hydra([argument])


def test_lightnings_words_to_further_processes_of_a_run_are_understood():
    for name in ('a"b', "my run", "O'Brien", "a=1,[x]"):
        assert read_by_hydra(f'hydra.run.dir="/tmp/{name}"') == {"hydra.run.dir": f"/tmp/{name}"}


def test_every_parameter_of_a_job_that_is_a_path_is_treated_as_one():
    found = set()
    for name in ecggan.jobs.__all__:
        for field in fields(getattr(ecggan.jobs, name)):
            if "Path" in str(field.type):
                found.add(field.name)
                assert is_path(field.name), f"{name}.{field.name}"
    assert {"out", "generated", "real", "training", "readers", "key", "ecg_set", "multirun", "checkpoint"} <= found
