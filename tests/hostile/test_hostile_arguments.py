"""Command lines of anything: names, ids, settings and files that are none."""

from hypothesis import strategies as st

WORDS = st.sampled_from(
    ["chains", "closed_uniform", "metrics", "hr", "synthetic", "folder:", "folder:..", "folder:/etc", "movielens-1m",
     "",
     "-", "--", "*", "?", "[0-9a-f]", "../..", "/", "/dev/null", "/dev/stdin", ".", "~", "a" * 5_000, "9" * 5_000,
     "\x1b]0;title\x07", "\u202e", "\udcff", "%s", "{0}", "$HOME", "`id`", "hr@1", "=", "a=", "=b", "n=[", "n=&a",
     "n=!!x y",
     "n=-1", "chains.n=1", "e.yaml", "missing.yaml", "--json", "--no-plugins", "--seed=-1", "--n=0", "--set", "--help"]
)  # fmt: skip
COMMANDS = st.sampled_from(
    [["list"], ["show"], ["data", "stats"], ["data", "prepare"], ["config", "explain"], ["explain"], ["compare"],
     ["chains", "sample"], ["traces", "export"], ["report"], ["run"], ["matrix"], ["sweep"], ["transfer"],
      ["calibrate"],
     ["probe"], []]
)  # fmt: skip


def test_any_command_line_is_answered(r2rec, fuzz, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e.yaml").write_text("name: [\n")

    def case(command: list[str], words: list[str]) -> None:
        r2rec(*command, *words)

    fuzz(case, COMMANDS, st.lists(WORDS | st.text(max_size=6), max_size=4), short=20, long_=2_000)
