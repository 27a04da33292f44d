# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04　自社の部品を加える
#
# 埋め込み（文をベクトルにする関数）を自分で書き、voc の約束を守っているか確かめ、標準のものと同じ物差しで比べます。
# そのあと、標準にはない意図「再問い合わせ」を数個の例文から作り、記録と突き合わせて確かめます。

# %%
import zlib

import altair as alt
import numpy as np
import pandas as pd

import voc
from voc.embeddings import join_vectors
from voc.parts import check_embedder

alt.renderers.enable("png", ppi=80)
lake = voc.open("../voc-demo/store")
sentences = lake.sentences[["sentence_id", "contact_id", "text"]]

# %% [markdown]
# ## 部品は、ただの関数
#
# 埋め込みの部品は「文のリスト → 1 文 1 行、長さ 1 のベクトル」の関数です。ここでは、1〜3 文字の並びを 512 個の箱に数えるだけの、意味を何も知らない埋め込みを書きます。
# 何かを学んだモデルが、この単純なものよりどれだけ良いかを知るための物差しになります。


# %%
def letters(texts):
    counts = np.full((len(texts), 512), 1e-6)
    for row, text in zip(counts, texts, strict=True):
        for size in (1, 2, 3):
            for start in range(len(text) - size + 1):
                row[zlib.crc32(text[start : start + size].encode()) % 512] += 1
    weights = np.sqrt(counts)
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


check_embedder(letters)

# %% [markdown]
# 何も表示されなければ、約束（形・長さ・順番や一緒に渡す文に左右されないこと・2 回呼んで同じこと・空のリスト）をすべて守っています。
# 守っていない部品は、理由をまとめて言われます。例えば、長さを 1 にし忘れると次のようになります。


# %%
def unfinished(texts):
    return letters(texts) * 3


try:
    check_embedder(unfinished)
except voc.errors.VocError as error:
    print(error)

# %% [markdown]
# ## 標準の埋め込みと比べる
#
# 正解の表がなくても比べられます。台帳の課題がついた文を 2,000 まで選び、「いちばん近い別の文が、同じ課題である割合」を数えます。
# ただし課題は標準の埋め込みでまとめたものなので、**この物差しは標準に有利**です。自社で人が付け直した課題（`voc issues sample`）があれば、そちらで比べてください。

# %%
likeliest = lake.table("mentions").sort_values(["probability", "sentence_id"], ascending=[False, True]).drop_duplicates("sentence_id")
labelled = likeliest.merge(sentences[["sentence_id", "text"]], on="sentence_id").drop_duplicates("text")
stored = lake.embeddings.merge(sentences[["sentence_id", "text"]], on="sentence_id").drop_duplicates(["model", "text"])
by_model = {model: rows.set_index("text")["vector"] for model, rows in stored.groupby("model") if model in ("e5", "use")}
labelled = labelled[labelled["text"].isin(by_model["e5"].index) & labelled["text"].isin(by_model["use"].index)]
sample = labelled.sample(min(2000, len(labelled)), random_state=1).sort_values("sentence_id")
texts, issues = sample["text"].tolist(), sample["issue_id"].to_numpy()
spaces = {
    "標準（E5 と USE）": join_vectors({model: np.vstack(rows.loc[texts].to_list()) for model, rows in by_model.items()}),
    "標準のうち USE だけ": join_vectors({"use": np.vstack(by_model["use"].loc[texts].to_list())}),
    "自作（文字の並び）": letters(texts),
}
scores = {"まったくの偶然": float((pd.Series(issues).value_counts(normalize=True) ** 2).sum())}
for name, vectors in spaces.items():
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    scores[name] = float((issues == issues[cosines.argmax(axis=1)]).mean())
agreement = pd.DataFrame({"name": scores.keys(), "share": scores.values()})
agreement.round(3)

# %%
alt.Chart(agreement).mark_bar().encode(
    x=alt.X("share:Q", title="いちばん近い文が同じ課題である割合", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
    y=alt.Y("name:N", sort="-x", title=None, axis=alt.Axis(labelLimit=200)),
).properties(width=420, height=130)

# %% [markdown]
# 気に入ったら、関数を `mycompany.py` に置き、そのフォルダーを環境変数 `PYTHONPATH` に書いて、`voc.toml` に 1 行足します。
#
# ```toml
# [parts]
# embedder = "mycompany:letters"
# ```
#
# `voc check voc.toml` が同じ約束を確かめます。埋め込みを替えると課題の並ぶ空間が変わるので、保存先（`[store] path`）も新しくしてください。
# `opinions`（意見の判定）、`clusterer`（まとめ方）、`[value] formula`（LTV の式）も同じ形で替えられます。表にした文をその場でまとめるだけなら `voc.group(texts, embedder=letters)` です。
#
# ## 自社の意図を加える
#
# 「前にも連絡したのに」という再問い合わせは、標準の意図（不満・要望・質問・称賛・解約）にはありません。例文と、似ているが違う例文を書き、近さ（コサイン）で拾います。
# 反例の後ろ四つは、一度目の結果を読んで足したものです。

# %%
examples = ["先週もお問い合わせしました。", "何度も連絡しています。", "前にも電話しましたが、まだ直っていません。", "折り返しの電話がまだ来ません。", "メールの返事がありません。"]
others = [
    "電話の説明が丁寧で助かりました。", "困っているので連絡しました。", "電話がつながりません。", "確認したいことがあります。",
    "また何かあったら電話します。", "電話番号は前と同じです。", "先ほどのメールは誤って送信しました。", "昨日問い合わせたらすぐ返事をもらえて感激しました。",
]  # fmt: skip
said = by_model["use"].sort_index()
vectors = join_vectors({"use": np.vstack(said.to_list())})
near, far = (vectors @ join_vectors({"use": voc.embed(group)}).T for group in (examples, others))
again = said.index[(near.max(axis=1) > 0.5) & (near.max(axis=1) > far.max(axis=1))]
found = sentences[sentences["text"].isin(again)]
found["text"].value_counts().head(12).to_frame("件数")

# %% [markdown]
# 読んでみて、違うものが混じっていれば、反例に足してもう一度実行します。しきい値 0.5 は、この会社の文を読んで決めたものです。

# %%
contacts = lake.contacts
contacts = contacts[contacts["duplicate_of"].isna()].sort_values(["started_at", "contact_id"])
contacts = contacts.assign(
    month=contacts["started_at"].dt.tz_convert("Asia/Tokyo").dt.tz_localize(None).dt.to_period("M").dt.to_timestamp(),
    says_again=contacts["contact_id"].isin(found["contact_id"]),
)
monthly = contacts.groupby("month", as_index=False)["says_again"].sum()
alt.Chart(monthly).mark_bar().encode(
    x=alt.X("yearmonth(month):T", title=None), y=alt.Y("says_again:Q", title="「再問い合わせ」の件数（月）")
).properties(width=420, height=180)

# %% [markdown]
# ## 記録と突き合わせる
#
# 言葉から拾った意図が正しいなら、その連絡は、同じやり取り（`episode_id`）の二度目以降であることが多いはずです。これは言葉を使わずに日時と顧客番号だけで決まるので、別の角度からの確かめになります。
# 経路によって二度目以降の割合がもともと違うので、経路ごとに比べます。件数の少ない行は偶然でも大きく動きます。差のない経路では、言葉だけで「再問い合わせ」と数えないほうが安全です。

# %%
known = contacts[contacts["episode_id"].notna()]
known = known.assign(is_later=known.groupby("episode_id").cumcount() > 0, group=np.where(known["says_again"], "「再問い合わせ」と拾った連絡", "ほかの連絡"))
later = known.groupby(["channel", "group"])["is_later"].agg(["mean", "size"])
later.rename(columns={"mean": "二度目以降の割合", "size": "件数"}).round(3)

# %% [markdown]
# ## 確かめたこと
#
# 文字の並びを数えるだけの埋め込みでも偶然よりずっと良く、標準の埋め込みはそれより良い。差が小さいときは、重いモデルが要るのかを考え直す材料になります。

# %%
assert scores["標準（E5 と USE）"] > scores["自作（文字の並び）"] > 3 * scores["まったくの偶然"]
