import numpy as np
import pandas as pd

from voc.embeddings import join_vectors
from voc.issue_space import MODELS, stored_points
from voc.issues.kinds import kind_shares
from voc.issues.matching import voice_vectors

SIZES = {"e5": 384, "use": 512}
IDS = [f"s{i}" for i in range(6)]
SENTENCES = pd.DataFrame({"sentence_id": IDS, "contact_id": ["c1", "c1", "c1", "c2", "c2", "c3"], "text": [f"文{i}" for i in range(6)]})
INTENTS = {f"p_{name}": 0.1 for name in ("complaint", "request", "question", "praise", "cancel", "other")}
OPINIONS = pd.DataFrame([{"sentence_id": one, **INTENTS, "p_complaint": 0.8} for one in IDS])


def stored(ids=IDS):
    rng = np.random.default_rng(4)
    vectors = {model: rng.normal(size=(6, SIZES[model])) + 0.5 for model in MODELS}
    rows = [{"sentence_id": one, "model": model, "vector": vectors[model][i]} for i, one in enumerate(IDS) for model in MODELS if one in ids]
    return vectors, pd.DataFrame(rows)


def test_stored_voices_lie_where_the_run_had_them():
    vectors, embeddings = stored()
    run = voice_vectors(join_vectors(vectors), kind_shares(SENTENCES["text"], OPINIONS), contacts=SENTENCES["contact_id"])
    found = stored_points(["s4", "s1"], sentences=SENTENCES, opinions=OPINIONS, embeddings=embeddings)
    np.testing.assert_allclose(found, run[[4, 1]])


def test_what_has_no_vector_or_opinion_has_no_point():
    _, embeddings = stored(IDS[:5])
    found = stored_points(IDS, sentences=SENTENCES, opinions=OPINIONS.iloc[1:], embeddings=embeddings)
    assert np.isnan(found).any(axis=1).tolist() == [True, False, False, False, False, True]
    nothing = stored_points(["s0"], sentences=SENTENCES, opinions=OPINIONS, embeddings=embeddings[embeddings["model"] == "use"])
    assert np.isnan(nothing).all()
