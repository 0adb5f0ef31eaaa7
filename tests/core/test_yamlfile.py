from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.core.errors import ConfigError, InputError
from r2rec_bench.core.tree import Origin, child, plain
from r2rec_bench.core.yamlfile import YamlText, parse_yaml, read_yaml

# PyYAML itself does not read back every control character that it writes.
PRINTABLE = st.characters(exclude_categories=["C", "Z"]) | st.just(" ")
KEYS = st.text("abcxyz_", min_size=1, max_size=5)
# PyYAML writes YAML 1.1, where 0E0 and 0o7 are words and need no quotes; read as 1.2 they are numbers.
WORDS = st.text(PRINTABLE, max_size=12).filter(lambda text: text[:1] not in "+-.0123456789")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


def parse(text: str) -> YamlText:
    return parse_yaml(text, "x.yaml", lambda line: Origin(f"x.yaml:{line}"))


@given(st.dictionaries(KEYS, VALUES), st.booleans())
def test_reads_what_pyyaml_writes(values: dict[str, object], flow: bool):
    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    parsed = parse(yaml.dump(values, Dumper=Dumper, default_flow_style=flow, allow_unicode=True))
    assert parsed.problems == []
    assert plain(parsed.root) == values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-6", 1e-6),
        ("-1.5E+3", -1500.0),
        (".5", 0.5),
        ("1_000", 1000),
        ("0", 0),
        ("007", "007"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("none", "none"),
        ("2018-01-01", "2018-01-01"),
        ("12:30", "12:30"),
        ("hf:Qwen/Qwen2.5-0.5B", "hf:Qwen/Qwen2.5-0.5B"),
        ("'1'", "1"),
        ("", None),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object):
    got = plain(parse(text).root)
    assert (got, type(got)) == (value, type(value))


def test_every_value_knows_the_line_of_its_key():
    root = parse("a: 1\nb:\n  c: |\n    text\n    text\n  d:\n    - 2\n    - e: 3\n").root

    def line(*steps: str | int) -> str:
        node = root
        for step in steps:
            node = child(node, step)
        return node.origin.place

    assert [line(), line("a"), line("b"), line("b", "c")] == ["x.yaml:1", "x.yaml:1", "x.yaml:2", "x.yaml:3"]
    assert [line("b", "d"), line("b", "d", 0), line("b", "d", 1, "e")] == ["x.yaml:6", "x.yaml:7", "x.yaml:8"]


def test_wrong_keys_and_tags_are_reported_together():
    problems = parse("a:\n  b: 1\n  b: 2\n1: x\n[k]: y\nc: !!python/name:os.system ''\nd: !!set {e}\n").problems
    assert [str(problem) for problem in problems] == [
        "x.yaml:3: a.b: given twice; first at x.yaml:2",
        "x.yaml:4: a key is text; got 1: put it in quotes",
        "x.yaml:5: a key is text; got a structure: put it in quotes",
        "x.yaml:6: c: the tag '!!python/name:os.system' is not used here; write the plain value",
        "x.yaml:7: d: the tag '!!set' is not used here; write the plain value",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n\tb: 2", "x.yaml:2: not valid YAML: .*indent with spaces, not with tabs; got: b: 2"),
        ("a: b: c", "x.yaml:1: .*text that contains ': ' needs quotes; got: a: b: c"),
        ("a: 1\nb\nc: 2", "x.yaml:[23]: .*a key needs ': ' after it"),
        ("a: [1, 2", "x.yaml:1: not valid YAML: .*; got: a: \\[1, 2"),
        ("a: 1\n---\nb: 2", "x.yaml:2: .*one document"),
        ("a: &x 1\nb: *x", "x.yaml:2: .*aliases are not used here; write the value out; got: b: \\*x"),
        ("a: &x [*x]", "aliases are not used here"),
        ("a: \x00", "x.yaml:1: not valid YAML: "),
        ("[" * 3000, "x.yaml:1: not valid YAML: nested too deeply"),
    ],
)
def test_broken_yaml_says_where_and_what_to_do(text: str, message: str):
    with pytest.raises(ConfigError, match=message):
        parse(text)


@pytest.mark.parametrize("escape", [r"\0", r"\ud800"])
def test_text_that_no_file_can_hold_is_a_problem_with_its_line(escape: str):
    parsed = parse(f'a: 1\nb: ["x{escape}"]\n')
    assert [str(one).partition(", which")[0] for one in parsed.problems] == ["x.yaml:2: b.0: NUL or half a character"]


def test_a_number_longer_than_python_reads_is_a_problem_with_its_line():
    parsed = parse(f"a: 1\nb:\n  c: {'9' * 5_000}\n")
    assert [str(one) for one in parsed.problems] == ["x.yaml:3: b.c: a number of 5000 digits; expected a shorter one"]


@pytest.mark.parametrize(
    ("text", "got"), [("", "it is empty"), ("# note", "it is empty"), ("- 1", "got list"), ("word", "got str")]
)
def test_a_file_is_a_mapping(tmp_path: Path, text: str, got: str):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"x.yaml:1: expected a mapping of settings; {got}"):
        read_yaml(path)


def test_unreadable_files(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read as UTF-8 text"):
        read_yaml(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("a: é".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin.yaml: cannot be read as UTF-8 text"):
        read_yaml(tmp_path / "latin.yaml")
    with pytest.raises(InputError, match=r"no file '.*latim.yaml'\. Did you mean '.*latin.yaml'\?"):
        read_yaml(tmp_path / "latim.yaml")
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1")
    assert plain(read_yaml(tmp_path / "bom.yaml").root) == {"a": 1}
