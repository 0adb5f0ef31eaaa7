from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from r2rec_bench.core.tree import (
    Node,
    Origin,
    PathError,
    Plain,
    child,
    leaves,
    marked,
    plain,
    replaced,
    resolve,
    written,
)

HERE = Origin("f.yaml:1")
NEW = Node("new", Origin("g.yaml:2"))


def tree(value: Plain) -> Node:
    if isinstance(value, dict):
        return Node({key: tree(below) for key, below in value.items()}, HERE)
    if isinstance(value, list):
        return Node([tree(below) for below in value], HERE)
    return Node(value, HERE)


def at(node: Node, steps: tuple[str | int, ...]) -> Plain:
    for step in steps:
        node = child(node, step)
    return plain(node)


NAMES = st.sampled_from(["lr", "width", "hr", "sft", "ease", "use"])
COMPONENTS = st.fixed_dictionaries({"use": st.sampled_from(["sft", "grpo", "ease"])}, optional={"lr": st.floats(0, 1)})
VALUES = st.recursive(
    st.integers() | st.text(max_size=3) | COMPONENTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
)
ROOTS = st.dictionaries(NAMES, VALUES, min_size=1).map(tree)


@given(ROOTS)
def test_plain_undoes_tree_and_marking_changes_no_value(root: Node):
    assert plain(written(root)) == plain(root) == plain(marked(root, "ablation"))
    assert {str(leaf.origin) for _, leaf in leaves(marked(root, "ablation"))} <= {"ablation f.yaml:1"}


@given(ROOTS)
def test_every_leaf_is_found_by_its_path_and_paths_are_unique(root: Node):
    found = list(leaves(root))
    assert len({path for path, _ in found}) == len(found)
    for path, leaf in found:
        assert at(root, resolve(root, path)) == plain(leaf)


@given(ROOTS, st.data())
def test_replacing_one_leaf_leaves_the_others(root: Node, data: st.DataObject):
    found = dict(leaves(root))
    path = data.draw(st.sampled_from(sorted(found)))
    assume(not path.endswith("use"))
    steps = resolve(root, path)
    after = replaced(root, steps, NEW)
    assert at(after, steps) == "new"
    kept = {other: plain(leaf) for other, leaf in leaves(after) if other != path}
    assert kept == {other: plain(leaf) for other, leaf in found.items() if other != path}
    assert dict(leaves(root)) == found


@given(ROOTS, st.text("abcdefghijklm.0123", max_size=8))
def test_a_path_resolves_or_is_an_error_with_a_valid_suggestion(root: Node, path: str):
    try:
        at(root, resolve(root, path))
    except PathError as error:
        if error.nearest:
            resolve(root, error.nearest)


def test_an_index_and_a_name_are_the_same_place():
    root = tree({"stages": [{"use": "sft"}, {"use": "grpo", "lr": 1}]})
    assert resolve(root, "stages.grpo.lr") == resolve(root, "stages.1.lr") == ("stages", 1, "lr")


@pytest.mark.parametrize("segment", ["²", "-1", "01x", "1.0", " 1"])
def test_an_index_is_ascii_digits(segment: str):
    with pytest.raises(PathError):
        resolve(tree({"a": [1, 2]}), f"a.{segment}")


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("stage.grpo.lr", "stages.grpo.lr"),
        ("STAGES.grop.LR", "stages.grpo.lr"),
        ("grpo.lr", "stages.grpo.lr"),
        ("group", "stages.grpo.group"),
        ("stages.grpo.zzz", "stages.grpo"),
        ("qqqqqqqqqq", ""),
    ],
)
def test_nearest_path(path: str, nearest: str):
    root = tree({"stages": [{"use": "sft", "lr": 1}, {"use": "grpo", "lr": 1, "group": 8}], "seed": 0})
    with pytest.raises(PathError) as caught:
        resolve(root, path)
    assert caught.value.nearest == nearest


def test_written_leaves_out_defaults_until_something_below_is_set():
    default = Node({"use": Node("x", HERE), "n": Node(1, HERE, stated=False)}, HERE, stated=False)
    root = Node({"a": default, "b": Node(2, HERE)}, HERE)
    assert plain(written(root)) == {"b": 2}
    assert plain(written(replaced(root, ("a", "n"), NEW))) == {"a": {"use": "x", "n": "new"}, "b": 2}


def test_written_leaves_out_elements_taken_out():
    root = replaced(tree({"a": [1, 2, 3]}), ("a", 1), replace(NEW, stated=False))
    assert plain(written(root)) == {"a": [1, 3]}


def test_a_list_of_scalars_is_one_leaf_only_while_decided_at_one_place():
    root = tree({"ks": [1, 5], "none": []})
    assert [(path, plain(leaf)) for path, leaf in leaves(root)] == [("ks", [1, 5]), ("none", [])]
    changed = replaced(root, ("ks", 1), NEW)
    assert [(path, plain(leaf)) for path, leaf in leaves(changed)] == [("ks.0", 1), ("ks.1", "new"), ("none", [])]
