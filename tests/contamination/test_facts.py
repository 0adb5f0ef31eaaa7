"""What is asked: facts in the words of the files, in pairs, and never what is held out."""

from dataclasses import replace

import numpy as np

from r2rec_bench.contamination.facts import ENDING, NEIGHBOUR, RECORD, SHOWN, TITLE, ContaminationConfig, Fact
from r2rec_bench.core.types import ItemCatalog
from tests.contamination.memory import ITEMS, asked_of, dataset


def test_facts_stand_in_the_words_of_the_file():
    data = dataset(0, "movielens-1m")
    ending, title, neighbour, record = asked_of(data)
    titles, log = dict(zip(data.log.item_ids, data.catalog.titles, strict=True)), data.log
    last = {log.user_ids[u]: k for k, u in enumerate(log.user.tolist())}
    assert [quiz.kind for quiz in (ending, title, neighbour, record)] == [ENDING, TITLE, NEIGHBOUR, RECORD]
    assert all(fact.cue + fact.answer.removesuffix("\n") in data.catalog.titles for p in ending.pairs for fact in p)
    assert all(titles[fact.cue.removesuffix("::")] + "\n" == fact.answer for p in title.pairs for fact in p)
    for pair, whole in zip(neighbour.pairs, record.pairs, strict=True):
        for fact, line in zip(pair, whole, strict=True):
            row = last[fact.cue.removesuffix("::")]  # the held-out interaction is the user's last
            assert fact.answer == f"{log.item_ids[log.item[row]]}::"
            assert line == Fact(fact.cue + fact.answer, f"{log.rating[row]:g}::{log.time[row]}\n")


def test_pairs_are_disjoint_of_near_ids_and_drawn_by_the_seed(world):
    config = ContaminationConfig(titles=10, neighbours=10)
    for quiz in asked_of(world, config)[1:3]:
        ids = [int(fact.cue.removesuffix(",")) for pair in quiz.pairs for fact in pair]
        assert len(ids) == len(set(ids)) == 20
        assert ids == sorted(ids)
    assert asked_of(world, config) == asked_of(world, config)
    assert asked_of(world, config) != asked_of(world, config.model_copy(update={"seed": 1}))


def test_the_lines_shown_are_neither_asked_about_nor_held_out(world):
    config = ContaminationConfig(titles=10, neighbours=10)
    held_out = {f"{a.cue}{a.answer}" for pair in asked_of(world)[3].pairs for a in pair}
    for quiz in asked_of(world, config):
        heading, *lines = quiz.opening.splitlines(keepends=True)
        assert heading.startswith("tiny, ")
        assert len(lines) == SHOWN
        assert not {fact.cue + fact.answer for pair in quiz.pairs for fact in pair} & set(lines)
        assert not held_out & set(lines)


def test_unrated_interactions_and_titles_of_one_word(world):
    bare = replace(world.log, rating=np.full(len(world.log), np.nan, np.float32))
    titles = ("Alone", "", *world.catalog.titles[2:])
    quizzed = asked_of(replace(world, log=bare, catalog=ItemCatalog(titles, ("",) * ITEMS)))
    assert [len(quiz.pairs) for quiz in quizzed] == [29, 29, 30, 30]  # 58 titles of two words; 59 at all
    assert all(fact.answer.strip().isdecimal() for pair in quizzed[3].pairs for fact in pair)


def test_a_title_that_holds_its_item_s_number_is_not_asked_for(world):
    titles = ("Ten 10", "Film 1011", *world.catalog.titles[2:])  # the ids are 10 and 11
    asked = asked_of(replace(world, catalog=ItemCatalog(titles, ("",) * ITEMS)))[1]
    answers = {fact.answer for pair in asked.pairs for fact in pair}
    assert "Ten 10\n" not in answers
    assert len(answers) == 58  # of 59, one has no other
