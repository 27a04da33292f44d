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
# # 03　解約の推定を疑ってみる
#
# 「この課題を解消すれば、毎月〇〇名の解約を防げる」という数字は、観察データからの推定です。ここでは同じ推定を手元でもう一度行い、元になる「顧客×月」の表、起こるはずのない効果（プラセボ）、前提を変えたときの動き、自分の持っている情報を加えたときの動きを順に見ます。

# %%
import json
from dataclasses import replace
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd

import voc
from voc.config import load_config
from voc.customers.signals import contact_moods
from voc.impact.case import estimate_case, panel_of
from voc.impact.estimation import estimate
from voc.issues.prototypes import reported

alt.renderers.enable("png", ppi=80)
lake, config = voc.open("../voc-demo/store"), load_config(Path("../voc-demo/voc.toml"))

# %% [markdown]
# ## もう一度、推定する
#
# 入力は保存先の表だけです。重複した問い合わせと、報告に出さない課題を除いて `estimate` に渡します。同じ表・同じ設定なら、同じ数字になります。

# %%
last_run = lake.runs.query("status == 'completed'").iloc[-1]
issues = reported(lake.issues)
mentions = lake.table("mentions")
mentions = mentions[mentions["issue_id"].isin(issues["issue_id"])]
contacts = lake.contacts[lake.contacts["duplicate_of"].isna()]
moods = contact_moods(lake.opinions, lake.sentences)
found = estimate(
    contacts, mentions, lake.customers, lake.usage, issues, impact=config.impact, value=config.value, costs=config.costs,
    as_of=last_run["as_of_on"], seed=config.seed, sentiment=moods.set_index("contact_id")["strength"],
    is_calibrated=json.loads(last_run["settings"])["is_calibrated"],
)
names = issues.set_index("issue_id")["label"]
found.impact.assign(label=found.impact["issue_id"].map(names))[["label", "tier", "churns_prevented", "churns_low", "churns_high"]].dropna().round(2).head()

# %% [markdown]
# ## 顧客×月の表
#
# 1 行が「ある顧客の、ある月」です。その月に解約を決めたか（`is_event`）と、その前に接した課題、利用状況などの列が並びます。解約は、解約の連絡があった日にさかのぼって数えます。

# %%
panel = panel_of(found.case, impact=config.impact, seed=config.seed)
months = pd.DataFrame({"month": panel.month, "is_event": panel.is_event, "is_exposed": panel.counting.sum(axis=1).A1 > 0.5})
rates = months.groupby(["month", "is_exposed"], as_index=False)["is_event"].mean()
rates["group"] = np.where(rates["is_exposed"], "課題に接した月", "接していない月")
alt.Chart(rates).mark_line(point=True).encode(
    x=alt.X("month:O", title="月（集計の初めから）"), y=alt.Y("is_event:Q", title="解約を決めた割合", axis=alt.Axis(format=".1%")),
    color=alt.Color("group:N", title=None),
).properties(width=420, height=200)

# %% [markdown]
# この差をそのまま「課題の影響」と読んではいけません。解約を決めたあとの手続きの問い合わせも、もともと不満の強い顧客も混ざっているからです。前者は「解約の結果の課題」として外しています。

# %%
found.reverse.assign(label=found.reverse["issue_id"].map(names))[["label", "basis", "churn_share"]].round(2)

# %% [markdown]
# ## 起こるはずのない効果
#
# 住所変更や領収書のように解約の原因になりえない課題（対照）には、効果が出てはいけません。ここではさらに、どの顧客がどの課題に接したかをでたらめに入れ替えて推定します。区間が 0 を含まない課題は、偶然の分（10 件に 1 件ほど）しか残らないはずです。

# %%
order = np.random.default_rng(7).permutation(len(panel.customer))
shuffled = replace(panel, learning=panel.learning[order], counting=panel.counting[order])
placebo = estimate_case(found.case, shuffled, controls=set(), impact=config.impact, value=config.value, seed=config.seed).table
real = estimate_case(found.case, panel, controls=set(), impact=config.impact, value=config.value, seed=config.seed).table
both = pd.concat([real.assign(which="実際のデータ"), placebo.assign(which="入れ替えたデータ")])
alt.Chart(both).mark_tick(thickness=2, size=22).encode(
    x=alt.X("log_odds:Q", title="解約の対数オッズ比"), y=alt.Y("which:N", title=None)
).properties(width=420, height=110)

# %%
outside = both.assign(is_outside=(both["log_odds"].abs() > 1.645 * both["log_odds_se"])).groupby("which")["is_outside"].mean()
outside.round(2)

# %% [markdown]
# ## 前提を変える
#
# 影響が続く期間、最初の問い合わせだけを数える場合、利用状況で調整しない場合。前提で大きく動く数字は、断言に使えません。

# %%
lines = lake.impact_sensitivity.assign(label=lake.impact_sensitivity["issue_id"].map(names))
top = lake.impact().dropna(subset=["churns_prevented"])["issue_id"].head(5)
alt.Chart(lines[lines["issue_id"].isin(top)]).mark_point(filled=True, size=55).encode(
    x=alt.X("churns_prevented:Q", title="防げる解約（名／月）"), y=alt.Y("label:N", title=None, axis=alt.Axis(labelLimit=240)),
    color=alt.Color("line:N", title="変えた前提"),
).properties(width=360, height=180)

# %% [markdown]
# ## 自分の情報を加える
#
# 手元にだけある情報（営業の担当者、導入支援の有無など）も、列を 1 本加えれば調整に使えます。ここでは例として「顧客番号から作った意味のない列」を加えます。意味がないので、結果はほとんど動きません。

# %%
customers = found.case.customers["customer_id"].to_numpy()[panel.customer]
mine = (pd.util.hash_array(customers.astype(object)) % 2).astype("float64")
wider = replace(panel, covariates=np.column_stack([panel.covariates, mine]), names=[*panel.names, "自分の列"])
adjusted = estimate_case(found.case, wider, controls=set(), impact=config.impact, value=config.value, seed=config.seed).table
moved = (adjusted["log_odds"] - real["log_odds"]).abs()
moved.describe()[["mean", "max"]].round(3)

# %% [markdown]
# ## 確かめたこと
#
# もう一度推定しても報告の数字は変わらず、入れ替えたデータで「影響がある」とされた課題は偶然の範囲にとどまり、意味のない列では推定がほとんど動きません。

# %%
stored = lake.table("impact").set_index("issue_id")["churns_prevented"]
pd.testing.assert_series_equal(found.impact.set_index("issue_id")["churns_prevented"], stored)
assert outside["入れ替えたデータ"] <= 0.35 and moved.mean() < 0.3 * real["log_odds_se"].mean()
