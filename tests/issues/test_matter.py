import pytest

from voc.issues.matter import names_a_matter


@pytest.mark.parametrize(
    ("terms", "has_matter"),
    [
        (["点", "確認"], False),  # 「一点確認させてください」
        (["序で"], False),  # 「ついでにもう一つ」
        (["一度", "聞く", "一回"], False),  # 「一度お聞きしたことなんですけど、もう一回いいですか」
        (["すむ"], False),  # 「すいません、今ちょっといいですか」
        (["正直", "がっかり"], False),
        ([], False),
        (["一度", "ログイン"], True),
        (["請求", "確認"], True),
    ],
)
def test_openings_and_feelings_name_no_matter(terms, has_matter):
    assert names_a_matter(terms) is has_matter
