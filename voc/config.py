"""One `voc.toml`: what is read, how it is processed, what a contact costs. All faults are told at once."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from voc.config_values import Day, Pattern, RateRange, Share, ShareRange, Yen, Zone
from voc.errors import ConfigError
from voc.operations_config import Alerts, Schedule
from voc.source_config import Part, Source

ADDRESS = r"^[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*$"
"""How a company's own part is named: module:function."""
PartAddress = Annotated[str, Field(pattern=ADDRESS)]
IssueKind = Literal["不具合", "使い方", "手続き", "要望", "料金", "対応", "称賛", "解約"]
HealthRule = Literal[
    "usage_drop", "usage_fall", "usage_none", "usage_low", "usage_very_low", "contacts_two", "contacts_many", "contact_repeated", "contact_unresolved",
    "effort", "urgency", "sentiment_low", "sentiment_very_low", "detractor", "cancel_asked",
]  # fmt: skip
DEFLECTABLE = {"使い方": (0.5, 0.8), "手続き": (0.5, 0.8), "不具合": (0.1, 0.3), "料金": (0.1, 0.3), "解約": (0.0, 0.0)}
"""Part of an issue's contacts that FAQ or self-service could take over: assumptions with a range, by kind."""
DEFLECTABLE_OTHER = (0.0, 0.1)


class Company(Part):
    name: str = "御社"
    as_of_on: Day | None = Field(None, description="analysis date; default: the day after the last contact")
    timezone: Zone = "Asia/Tokyo"


class Store(Part):
    path: str = Field("store", description="folder, relative to the configuration, or s3://bucket/folder")
    endpoint: str | None = Field(None, pattern=r"^https?://", description="URL of an S3-compatible store; default: AWS")
    region: str | None = Field(None, description="region of the bucket; default: what the environment says (AWS_REGION)")


class Compute(Part):
    """Where the heavy stages run. The results are the same everywhere."""

    workers: int | None = Field(None, ge=1, le=256, description="processes, one thread each; default: one per processor core")
    dask: str | None = Field(None, pattern=r"^(tcp|tls)://.+|^local$", description="""address of a Dask scheduler (tcp://host:8786),
        whose workers have voc installed; local: a cluster of `workers` processes on this machine""")


class Reports(Part):
    path: str = "reports"
    top: int = Field(20, ge=1, description="issues shown in full")


class Privacy(Part):
    pseudonym_key_env: str | None = Field(None, description="environment variable that holds the key for pseudonyms")
    pseudonym_key_file: str = Field("pseudonym.key", description="used where no variable is named; made on the first run")
    id_patterns: dict[str, Pattern] = Field({}, description="name -> regular expression of numbers to mask (member number, ...)")
    pseudonym_map: str | None = Field("identity", description="""folder of the map pseudonym -> customer number, outside
        the store; empty: none is kept, and reports and `voc reveal` show pseudonyms""")
    retention_months: int | None = Field(None, ge=1, description="contacts older than this are removed, with their history")


class Japanese(Part):
    terms: str | None = Field(None, min_length=1, description="""CSV of the company's own words, relative to the
        configuration: term, kind (product, screen, feature, competitor), synonyms (separated by |), reading""")


class Issues(Part):
    min_sentences: int = Field(15, ge=2, description="smallest issue")
    max_fit: int = Field(20_000, ge=100, description="unique sentences that the topic model is fitted on")
    dead_after_months: int = Field(12, ge=1, description="an issue that nobody mentions for so long rests")
    reopen_contacts: int = Field(3, ge=1, description="so many contacts after its close reopen a solved issue")
    categories: str | None = Field(None, description="CSV of the company's own issues: name, kind, parent, examples")


class Parts(Part):
    """Parts of the analysis that a company puts its own in place of; contracts: voc/parts.py.

    `module:function` must be importable where voc runs (PYTHONPATH, or installed), by every worker too.
    """

    embedder: str | None = Field(None, min_length=1, description="""`use`, `e5`, a model name or local path that
        sentence-transformers takes, or module:function; default: e5 and use joined""")
    opinions: PartAddress | None = Field(None, description="module:function that judges sentences")
    clusterer: PartAddress | None = Field(None, description="module:function that clusters what no known issue holds; default: BERTopic")

    @field_validator("embedder")
    @classmethod
    def _means_something(cls, name: str | None) -> str | None:
        if name == "opinions":
            raise ValueError("opinions は意見の判定のためのモデルです。use、e5、モデル名、モジュール:関数 のどれかにしてください")
        return name


class Costs(Part):
    """What a contact costs, by channel. `yen_per_hour` is the loaded rate (pay, social insurance, seat, supervisor, systems)."""

    yen_per_hour: dict[str, Yen] = Field({"call": 3600.0, "chat": 3600.0, "email": 3600.0, "ticket": 3600.0, "survey": 0.0, "review": 0.0})
    default_handle_seconds: dict[str, Yen] = Field({
        "call": 480.0, "chat": 600.0, "email": 540.0, "ticket": 540.0, "survey": 0.0, "review": 0.0,
    })  # fmt: skip
    after_call_seconds: dict[str, Yen] = Field({}, description="""after-call work per contact, where handle_seconds leaves
        it out; not added to default_handle_seconds, which hold it""")
    concurrency: dict[str, Annotated[float, Field(gt=0)]] = Field({"chat": 2.0})
    transfer_yen: Yen = Field(400.0, description="handing over one contact")
    reexplain_seconds: Yen = Field(0.0, description="time in which a customer explains the matter again, per transfer")
    yen_per_contact: dict[str, Yen] = Field({}, description="channels that are paid by the contact: instead of time and transfers")
    total_yen_per_month: Yen | None = Field(None, description="""real cost of all contacts of a month: spread over them by
        what the rates above give; for companies that know the total alone""")
    repeat_days: int = Field(7, ge=1)
    cash_share: dict[str, Share] = Field({}, description="""part of a channel's cost that is paid less when contacts fall
        (per-contact fees, overtime); the rest, and channels not named, is capacity (salaries) and only frees time""")
    deflectable: dict[IssueKind, ShareRange] = Field({}, description="part of a kind's contacts that self-service can take over")
    deflection_success: ShareRange = Field((1.0, 1.0), description="part of those that an article really answers")
    faq_yen_per_month: Yen = Field(0.0, description="running cost of FAQ and chat bot")

    def deflectable_range(self, kind: str) -> tuple[float, float]:
        """[low, high] for an issue kind: the company's, else the assumption of voc."""
        return self.deflectable.get(kind) or DEFLECTABLE.get(kind, DEFLECTABLE_OTHER)


class Value(Part):
    """Life-time value of a customer (LTV) in yen.

    `price_over_churn`: price / churn. `price_frequency_duration`: price x purchases a month x months.
    `price_frequency_duration_margin`: the same x gross margin. Months are given by the company, else 1 / churn.
    `module:function`: the company's own, (yen a month, churn a month) -> yen; months within the limits below come in as their churn.
    """

    formula: Literal["price_over_churn", "price_frequency_duration", "price_frequency_duration_margin"] | PartAddress = (
        "price_frequency_duration_margin"
    )
    gross_margin: Share = 0.7
    churn_floor: Share = Field(0.005, description="monthly churn is never taken as lower")
    cap_months: float = Field(60.0, gt=0)
    discount_per_year: float = Field(0.0, ge=0, le=1, description="yearly rate at which later months count less; 0: they count in full")
    plan_monthly_churn: dict[str, Share] = Field({}, description="plan -> monthly churn rate known to the company; else measured")
    duration_months: dict[str, Annotated[float, Field(gt=0)]] = Field({}, description="plan -> months that a customer stays; else 1 / churn")
    frequency_per_month: dict[str, Annotated[float, Field(gt=0)]] = Field({}, description="""plan -> purchases a month; the
        plan's monthly_price_yen is then the price of one purchase; else 1""")
    tier_quantiles: tuple[Share, Share] = Field((0.5, 0.8), description="shares of customers below middle and below high touch")
    tier_yen: tuple[Yen, Yen] | None = Field(None, description="LTV from which a customer is middle, and high touch; instead of quantiles")

    @model_validator(mode="after")
    def _tiers_ascend(self) -> "Value":
        for name in ("tier_quantiles", "tier_yen"):
            cuts = getattr(self, name)
            if cuts is not None and cuts[0] > cuts[1]:
                raise ValueError(f"{name} は [ミドルタッチの下限, ハイタッチの下限] の順に小さい方から書いてください（現在: {list(cuts)}）")
        return self


class Health(Part):
    """Health score of customers: 100 minus the points of the rules that apply (voc/customers/health.py)."""

    days: int = Field(90, ge=30, le=365, description="contacts of so many days count")
    points: dict[HealthRule, Annotated[float, Field(ge=0, le=100)]] = Field({}, description="rule -> points; 0 switches a rule off")
    caution_below: float = Field(90.0, description="scores below are 注意")
    danger_below: float = Field(75.0, description="scores below are 危険")

    @model_validator(mode="after")
    def _danger_is_the_lower_one(self) -> "Health":
        if self.danger_below > self.caution_below:
            raise ValueError(f"danger_below（危険、現在: {self.danger_below:g}）は caution_below（注意、現在: {self.caution_below:g}）以下にしてください")
        return self


class Impact(Part):
    window_months: int | None = Field(None, ge=1, le=12, description="""a contact counts as exposure for so many months;
        default: as long as fits the data best, 4 where they do not tell""")
    learning_lag_days: int = Field(7, ge=0, le=60)
    decision_days: int = Field(60, ge=0, le=180, description="look back for the first cancellation contact")
    min_months: int = 12
    min_churns: int = 300
    min_contacts: int = 1500
    draws: int = Field(1000, ge=100)
    not_reverse: list[str] = Field([], description="issue ids that a person declared to be real causes")
    reporting_rate: RateRange | None = Field(None, description="""part of the customers with a problem who tell it, [low, high],
        as a survey of the company found: corrects every figure for silent sufferers among those compared with, and gives an
        estimate of the silent customers themselves; without it no figure is raised, and only intervals allow for 0.2 to 1""")
    reverse: list[str] = Field([], description="issue ids that a person declared to follow the decision to leave")
    controls: list[str] = Field([], description="issue ids that cannot cause churn (address change, receipt): 3 to 8 of them")

    @model_validator(mode="after")
    def _one_word_per_issue(self) -> "Impact":
        for other in ("not_reverse", "controls"):
            both = sorted(set(self.reverse) & set(getattr(self, other)))
            if both:
                raise ValueError(f"reverse と {other} の両方に書かれた課題があります: {both}。どちらか一方にしてください")
        return self


class Matches(Part):
    """From which cosine on a text is about an issue.

    The defaults part the planted pairs of the demo from the nearest wrong ones. Articles: 30 draws of 15 sentences an issue
    have 0.53 or more and 0.45 or less; of 40 issues of four demo ledgers one lies on the wrong side. Options: 0.54 and
    0.46. Own searches have 0.26 or more. Another company's texts may want other ones.
    """

    article: float = Field(0.48, ge=-1, le=1, description="an FAQ article answers an issue")
    query: float = Field(0.25, ge=-1, le=1, description="a search in the FAQ is about an issue")
    option: float = Field(0.5, ge=-1, le=1, description="an option of the catalogue gives what is requested")


class Planning(Part):
    """What recommendations are made of where the ledger does not say it."""

    departments: dict[IssueKind, str] = Field({}, description="kind -> department that is proposed as owner")
    yen_per_person_day: Yen | None = Field(None, description="cost of one 人日 of the ledger's effort; without it no payback")


class Config(Part):
    company: Company = Company()
    sources: list[Source] = Field(min_length=1)
    store: Store = Store()
    compute: Compute = Compute()
    reports: Reports = Reports()
    privacy: Privacy = Privacy()
    japanese: Japanese = Japanese()
    issues: Issues = Issues()
    parts: Parts = Parts()
    costs: Costs = Costs()
    value: Value = Value()
    health: Health = Health()
    impact: Impact = Impact()
    matches: Matches = Matches()
    planning: Planning = Planning()
    schedule: Schedule = Schedule()
    alerts: Alerts = Alerts()
    seed: int = 42

    @model_validator(mode="after")
    def _source_names_differ(self) -> "Config":
        names = [source.name for source in self.sources]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"sources の name が重複しています: {doubled}")
        return self

    def sha(self) -> str:
        """SHA-256 of everything that the configuration says."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def load_config(path: Path) -> Config:
    """Read and check `path`. Raises ConfigError that lists every fault with its place and the allowed values."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(str(path), ["ファイルがありません。パスを確認してください。雛形は README の「設定」にあります。"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"読み込めません（{error}）。UTF-8 のテキストで保存してください。"]) from None
    try:
        return Config.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), [f"TOML の書式が正しくありません: {error}"]) from None
    except RecursionError:
        raise ConfigError(str(path), ["TOML の入れ子が深すぎます。括弧の閉じ忘れがないか確かめてください。"]) from None
    except ValidationError as error:
        raise ConfigError(str(path), [_fault(item) for item in error.errors()]) from None


def _fault(item: dict) -> str:
    place = ".".join(str(part) for part in item["loc"]) or "全体"
    # a password written where it does not belong (password = "...", url_env = "postgresql://...") is not repeated
    may_be_secret = item["type"] == "extra_forbidden" or place.endswith("_env") or isinstance(item["input"], (dict, list))
    found = "" if item["type"] == "missing" or may_be_secret else f"（現在の値: {str(item['input'])[:80]}）"
    wording = {
        "missing": "必須の項目がありません",
        "extra_forbidden": "この名前の項目はありません。綴りを確認してください",
    }.get(item["type"], item["msg"].removeprefix("Value error, "))
    return f"{place}: {wording}{found}"
