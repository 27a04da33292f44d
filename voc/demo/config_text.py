"""The configuration of the demo company, as its administrator would have written it."""

import pandas as pd

from voc.demo import letters


def config_text(as_of_on: pd.Timestamp, **tables: dict[str, str]) -> str:
    """The text of its voc.toml. `tables` (customers, usage, faq, options, logs): our column -> theirs."""
    questions = "\n".join(f'"{question}" = "{question}"' for question in letters.SURVEY_QUESTIONS)
    columns = {name: "\n".join(f'{ours} = "{theirs}"' for ours, theirs in names.items()) for name, names in tables.items()}
    return _CONFIG.format(as_of_on=as_of_on.strftime("%Y-%m-%d"), questions=questions, **columns)


_CONFIG = """# ミナト経理（架空の会社）の設定。パスはこのファイルからの相対です。
seed = 42

[company]
name = "株式会社ミナトワークス（ミナト経理）"
as_of_on = "{as_of_on}"      # 分析日。この日より前のデータを使います
timezone = "Asia/Tokyo"

# --- 読み込むデータ -------------------------------------------------------
[[sources]]
name = "calls"             # コールセンターの通話書き起こし（月ごとの JSON）
format = "transcript"
path = "raw/calls/*.json"

[[sources]]
name = "mails"             # 問い合わせメール（1 通 1 ファイル）
format = "email"
path = "raw/mails/*.eml"

[[sources]]
name = "chats"             # チャットの履歴（月ごとの JSON）
format = "chat"
path = "raw/chats/*.json"

[[sources]]
name = "survey"            # 四半期ごとの NPS アンケート（Shift_JIS の CSV）
format = "survey"
path = "raw/survey/*.csv"
[sources.columns]          # 左が voc の項目名、右がファイルの列名
contact_id = "回答番号"
customer_id = "顧客番号"
started_at = "回答日時"
nps = "おすすめ度"
[sources.texts]            # 自由記述の列 = 設問文
{questions}

[[sources]]
name = "customers"         # 契約者の一覧
format = "customers"
path = "raw/customers.csv"
[sources.columns]
{customers}

[[sources]]
name = "usage"             # 月ごとのログイン回数
format = "usage"
path = "raw/usage.csv"
[sources.columns]
{usage}

[[sources]]
name = "faq"               # 公開している FAQ
format = "faq"
path = "raw/faq.csv"
[sources.columns]
{faq}

[[sources]]
name = "faq-logs"          # FAQ 内の検索と閲覧の記録
format = "faq_logs"
path = "raw/faq_logs.csv"
[sources.columns]
{logs}

[[sources]]
name = "options"           # 契約者が使える機能・オプションの一覧
format = "catalogue"
path = "raw/options.csv"
[sources.columns]
{options}

# --- 出力先 ---------------------------------------------------------------
[store]
path = "store"

[reports]
path = "reports"
top = 20

# --- 個人情報 -------------------------------------------------------------
[privacy]
pseudonym_key_file = "pseudonym.key"
id_patterns = {{ "顧客番号" = '[MUＭＵ]\\d{{6}}' }}

# --- 1 件の対応にかかる費用 -----------------------------------------------
[costs]
transfer_yen = 400         # 転送 1 回あたり（円）
repeat_days = 7            # この日数以内に同じ用件なら「再問い合わせ」
yen_per_hour = {{ call = 3600, chat = 3600, email = 3600, survey = 0 }}
concurrency = {{ chat = 2 }}                       # チャットは 1 人で 2 件同時
default_handle_seconds = {{ call = 480, chat = 600, email = 540, survey = 0 }}

# --- 顧客 1 社の価値 ------------------------------------------------------
[value]
gross_margin = 0.7         # 粗利率
churn_floor = 0.005        # 月次解約率の下限
cap_months = 60            # 継続月数の上限
"""
