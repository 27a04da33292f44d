import pytest

from voc.config import Source
from voc.parsing import parse_contacts
from voc.parsing.scales import five_step
from voc.raw import RawFile


@pytest.mark.parametrize(("answers", "numbers"), [
    ("とても満足 満足 どちらでもない 不満 とても不満", [5, 4, 3, 2, 1]),
    ("大変満足 満足 ふつう 不満 非常に不満", [5, 4, 3, 2, 1]),
    ("満足 やや満足 どちらともいえない やや不満 不満", [5, 4, 3, 2, 1]),
    ("大変満足 やや満足 普通 やや不満 大変不満", [5, 4, 3, 2, 1]),
    ("とても良い 良い 普通 悪い とても悪い", [5, 4, 3, 2, 1]),
    ("1.とても満足 ②満足 5：とても不満", [5, 4, 1]),
    ("満足 ふつう 不満", [None, 3, None]),
    ("とても満足 満足 やや満足", [5, None, 4]),
    ("最高 5 満足ではない", [None, None, None]),
])  # fmt: skip
def test_words(answers, numbers):
    words = answers.split()
    assert [five_step(words).get(word) for word in words] == numbers


def test_a_survey_without_scales():
    rows = "started_at,csat,nps,t\n令和7年4月1日,とても満足,９,良い\n２０２５年４月２日,満足,とても満足,\n2025/4/3,微妙,,x\n"
    source = Source(name="s", format="survey", path="x", texts={"t": "質問"}, columns={"csat": "csat", "nps": "nps"})
    parsed = parse_contacts([RawFile("s", "a.csv", rows.encode("cp932"), "")], source)
    assert parsed.contacts.sort_values("started_at")["csat"].fillna(-1).tolist() == [5, 4, -1]
    told = parsed.rejects.set_index("source_row")["reason"]
    assert "0〜10" in told["a.csv:3"] and "微妙" in told["a.csv:4"] and "どちらでもない" in told["a.csv:4"]
