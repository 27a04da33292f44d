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
# # 01　最初の結果を見る
#
# `voc demo` が作った保存先（`voc-demo/store`）を開き、「どの課題が、毎月何名の解約と、いくらの問い合わせコストにつながっているか」を表とグラフで確かめます。
# 先に、このリポジトリの一番上のフォルダーで `voc demo` を実行しておいてください。

# %%
import altair as alt

import voc

alt.renderers.enable("png", ppi=80)
lake = voc.open("../voc-demo/store")
lake

# %% [markdown]
# 保存先の表は、どれも `lake.表の名前` で pandas の表になります。列の意味は `describe` で確かめられます。

# %%
lake.describe("impact")[["column", "type", "meaning"]].head(12)

# %% [markdown]
# ## 課題ごとの影響
#
# `churns_prevented` は「その課題がなければ防げた解約（名／月）」、`churns_low` から `churns_high` はその 90％区間です。
# データが足りない課題には数字を入れません（`データ不足`）。空欄は 0 ではなく「わからない」です。

# %%
impact = lake.impact()
columns = ["issue_id", "label", "kind", "tier", "churns_prevented", "churns_low", "churns_high", "ltv_yen", "contact_cost_yen"]
impact[columns].head(10).round(1)

# %% [markdown]
# ## 区間を見る
#
# 点だけを見ると順位ははっきりしているように見えますが、区間は重なります。区間が 0 をまたぐ課題は「影響がない」とも「ある」とも言い切れません。

# %%
answered = impact.dropna(subset=["churns_prevented"]).head(12)
order = alt.EncodingSortField("churns_prevented", order="descending")
base = alt.Chart(answered).encode(y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)))
(
    base.mark_rule(strokeWidth=2).encode(x=alt.X("churns_low:Q", title="防げる解約（名／月）"), x2="churns_high:Q")
    + base.mark_circle(size=70).encode(x="churns_prevented:Q", color=alt.Color("tier:N", title="確かさ"))
    + alt.Chart(answered.head(1)).mark_rule(strokeDash=[4, 3]).encode(x=alt.datum(0))
).properties(width=420, height=300)

# %% [markdown]
# ## 問い合わせコストの内訳
#
# 対応費用は、1 件の問い合わせを課題ごとに分けたものです。分けた金額を足すと、会社全体の費用に戻ります。
# 一方、**防げる解約は課題ごとに足してはいけません**（同じ顧客が複数の課題に当たるため）。まとめて解消したときの人数は `impact_totals` にあります。

# %%
parts = lake.cost_parts
by_issue = parts[parts["scope"] == "issue"].merge(lake.issues[["issue_id", "label"]], on="issue_id", how="left")
by_issue["label"] = by_issue["label"].fillna("どの課題にも入らない問い合わせ")
top = by_issue.nlargest(10, "contact_cost_yen")
alt.Chart(top).mark_bar().encode(
    x=alt.X("contact_cost_yen:Q", title="対応費用（円／月）"),
    y=alt.Y("label:N", sort="-x", title=None, axis=alt.Axis(labelLimit=260)),
).properties(width=420, height=240)

# %%
lake.impact_totals[["scope", "n_issues", "churns_prevented", "churns_low", "churns_high", "contact_cost_yen", "note"]].round(1)

# %% [markdown]
# ## 根拠の声まで 1 行で戻る
#
# どの数字も、伏せ字にした元の文まで戻れます。

# %%
first = answered["issue_id"].iloc[0]
lake.mentions(issue=first)[["text", "probability", "mentioned_at"]].head(5)

# %% [markdown]
# DuckDB の SQL も同じ表に使えます。

# %%
lake.sql("""
    select label, count(distinct contact_id) as contacts, round(avg(strength), 2) as mood
    from mentions join issues using (issue_id) join opinions using (sentence_id)
    group by label order by contacts desc limit 5
""").df()

# %% [markdown]
# ## 確かめたこと
#
# 課題ごとの対応費用を足すと会社全体の費用に一致し、まとめて解消したときに防げる解約は、会社全体の実際の解約数を超えません。

# %%
company = parts.loc[parts["scope"] == "company", "contact_cost_yen"].sum()
totals = lake.impact_totals.set_index("scope")["churns_prevented"]
assert abs(parts.loc[parts["scope"] == "issue", "contact_cost_yen"].sum() - company) < 1e-6 * company
assert (totals.drop("company").dropna() <= totals["company"]).all()
