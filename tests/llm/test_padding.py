"""Batches of texts of several lengths."""

from r2rec_bench.llm.padding import padded, positions


def test_texts_end_in_one_column_and_are_counted_from_their_first_token():
    ids, mask = padded([[7, 8, 9], [5], [6, 4]], fill=2)
    assert ids.tolist() == [[7, 8, 9], [2, 2, 5], [2, 6, 4]]
    assert mask.tolist() == [[1, 1, 1], [0, 0, 1], [0, 1, 1]]
    assert positions(mask).tolist() == [[0, 1, 2], [0, 0, 0], [0, 0, 1]]
