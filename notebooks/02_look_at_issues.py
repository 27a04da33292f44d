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
# # 02　課題を疑ってみる
#
# 課題は機械が声をまとめたものです。近すぎる課題はないか、判定は安定しているか、名前は声に合っているかを確かめ、名前を直した結果が台帳に残ることまで見ます。

# %%
import altair as alt
import numpy as np
import pandas as pd

import voc
from voc.issues.edits import Edit, edit_rows
from voc.issues.events import advance, replay

alt.renderers.enable("png", ppi=80)
lake = voc.open("../voc-demo/store")
issues = lake.issues
issues[["issue_id", "label", "kind", "parent", "n_sentences", "status"]].head(8)

# %% [markdown]
# ## 近い課題
#
# 各課題には中心となる向き（`centroid`）があります。向きが近い二つは、人が見れば一つの課題かもしれません。`issue_quality` の `nearest_id` と `may_be_one` がその手がかりです。

# %%
names = issues.set_index("issue_id")["label"]
quality = lake.issue_quality[lake.issue_quality["issue_id"] != "*"].dropna(subset=["nearest_id"])
near = quality.assign(label=quality["issue_id"].map(names), nearest=quality["nearest_id"].map(names))
near.nlargest(6, "similarity")[["label", "nearest", "similarity", "may_be_one"]].round(2)

# %%
largest = issues.nlargest(14, "n_sentences")
directions = np.vstack(largest["centroid"].to_list())
directions /= np.linalg.norm(directions, axis=1, keepdims=True)
cosines = pd.DataFrame(directions @ directions.T, index=largest["label"], columns=largest["label"])
long = cosines.rename_axis("a").reset_index().melt("a", var_name="b", value_name="cosine")
alt.Chart(long).mark_rect().encode(
    x=alt.X("b:N", sort=list(cosines), title=None, axis=alt.Axis(labelLimit=150)),
    y=alt.Y("a:N", sort=list(cosines), title=None, axis=alt.Axis(labelLimit=200)),
    color=alt.Color("cosine:Q", title="近さ", scale=alt.Scale(scheme="viridis")),
).properties(width=320, height=320)

# %% [markdown]
# ## 確率は、迷いの少なさを表す
#
# `mentions` の `probability` は「その文がその課題である確率」です。低い文を上から読むと、課題の境目がわかります。

# %%
biggest = largest["issue_id"].iloc[0]
doubtful = lake.mentions(issue=biggest).sort_values("probability")
doubtful[["text", "probability"]].head(6)

# %%
alt.Chart(lake.table("mentions").sample(min(4000, len(lake.table("mentions"))), random_state=1)).mark_bar().encode(
    x=alt.X("probability:Q", bin=alt.Bin(maxbins=20), title="その課題である確率"), y=alt.Y("count()", title="文の数")
).properties(width=420, height=180)

# %% [markdown]
# ## 名前を直す
#
# 名前の変更・統合・固定などは「出来事」として台帳に残り、次の実行でも必ず優先されます。ここでは手元の写しで試します（保存先は変えません。実際に直すには `voc issues rename` か `issues.xlsx` を使います）。

# %%
edit = Edit("rename", biggest, to="（確認済み）" + names[biggest])
rows = edit_rows([edit], issues, lake.issue_events, at=pd.Timestamp("2026-12-01", tz="UTC"), by="CS部", today=pd.Timestamp("2026-12-01"))
after, history = advance(issues, lake.issue_events, rows)
after.loc[after["issue_id"] == biggest, ["issue_id", "label", "label_by"]]

# %% [markdown]
# ## 確かめたこと
#
# 出来事を最初から並べ直すと、直した名前のまま同じ台帳が再現されます。課題番号は一つも変わりません。

# %%
replayed = replay(history).set_index("issue_id")
assert replayed.loc[biggest, "label"] == "（確認済み）" + names[biggest]
assert set(replayed.index) == set(issues["issue_id"])
