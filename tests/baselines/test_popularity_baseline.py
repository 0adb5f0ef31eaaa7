from r2rec_bench.evaluation.base import baselines


def test_scores_are_interaction_counts(toy_log, asked):
    model = baselines.get("popularity")()
    model.fit(toy_log([[0, 1], [1, 2], [1]], n_items=4), seed=0)
    assert model.score(asked([0, 2], [[3, 1, 0], [2, 3, 1]])).tolist() == [[0, 3, 1], [1, 0, 3]]
