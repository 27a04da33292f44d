"""One `voc.toml`: what is read, how it is processed, what a contact costs. All faults are told at once."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from voc.errors import ConfigError

Format = Literal["transcript", "email", "chat", "survey", "customers", "usage", "faq"]
Share = Annotated[float, Field(ge=0, le=1)]
Yen = Annotated[float, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Company(_Part):
    name: str = "御社"
    as_of_on: str | None = Field(None, pattern=r"^\d{4}-\d{2}-\d{2}$", description="analysis date; default: the day after the last contact")
    timezone: str = "Asia/Tokyo"


class Source(_Part):
    """One place to read. `columns` maps our column names to the names in the file."""

    name: str = Field(pattern=r"^[\w-]+$")
    format: Format
    path: str = Field(description="file or glob, relative to the configuration file")
    channel: str | None = Field(None, description="call, email, chat, survey, ...; default: from the format")
    encoding: str | None = Field(None, description="default: detected per file")
    columns: dict[str, str] = {}
    texts: dict[str, str] = Field({}, description="survey: column with free text -> question shown in reports")
    scales: dict[str, dict[str, float]] = Field({}, description="our column (csat, nps, rating) -> answer -> number")

    @model_validator(mode="after")
    def _survey_names_its_texts(self) -> "Source":
        if self.format == "survey" and not self.texts:
            raise ValueError("format = \"survey\" では [sources.texts] に自由記述の列名と設問文を書いてください")
        return self


class Store(_Part):
    path: str = "store"


class Reports(_Part):
    path: str = "reports"
    top: int = Field(20, ge=1, description="issues shown in full")


class Privacy(_Part):
    pseudonym_key_env: str | None = Field(None, description="environment variable that holds the key for pseudonyms")
    pseudonym_key_file: str = Field("pseudonym.key", description="used where no variable is named; made on the first run")
    id_patterns: dict[str, str] = Field({}, description="name -> regular expression of numbers to mask (member number, ...)")


class Issues(_Part):
    min_sentences: int = Field(15, ge=2, description="smallest issue")
    max_fit: int = Field(20_000, ge=100, description="unique sentences that the topic model is fitted on")


class Costs(_Part):
    """What a contact costs. `yen_per_hour` is the loaded rate (pay, social insurance, seat, supervisor, systems)."""

    yen_per_hour: dict[str, Yen] = {"call": 3600.0, "chat": 3600.0, "email": 3600.0, "survey": 0.0}
    default_handle_seconds: dict[str, Yen] = {"call": 480.0, "chat": 600.0, "email": 540.0, "survey": 0.0}
    concurrency: dict[str, Annotated[float, Field(gt=0)]] = {"chat": 2.0}
    transfer_yen: Yen = 400.0
    repeat_days: int = Field(7, ge=1)


class Value(_Part):
    """Life-time value of a customer: price x gross margin / monthly churn of the plan, with floor and cap."""

    gross_margin: Share = 0.7
    churn_floor: Share = Field(0.005, description="monthly churn is never taken as lower")
    cap_months: float = Field(60.0, gt=0)


class Impact(_Part):
    window_months: int = Field(4, ge=1, le=12, description="a contact counts as exposure for so many months")
    learning_lag_days: int = Field(7, ge=0, le=60)
    decision_days: int = Field(60, ge=0, le=180, description="look back for the first cancellation contact")
    min_months: int = 12
    min_churns: int = 300
    min_contacts: int = 1500
    draws: int = Field(1000, ge=100)
    not_reverse: list[str] = Field([], description="issue ids that a person declared to be real causes")


class Config(_Part):
    company: Company = Company()
    sources: list[Source] = Field(min_length=1)
    store: Store = Store()
    reports: Reports = Reports()
    privacy: Privacy = Privacy()
    issues: Issues = Issues()
    costs: Costs = Costs()
    value: Value = Value()
    impact: Impact = Impact()
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
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


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
    except ValidationError as error:
        raise ConfigError(str(path), [_fault(item) for item in error.errors()]) from None


def _fault(item: dict) -> str:
    place = ".".join(str(part) for part in item["loc"]) or "全体"
    found = "" if item["type"] == "missing" else f"（現在の値: {str(item['input'])[:80]}）"
    wording = {
        "missing": "必須の項目がありません",
        "extra_forbidden": "この名前の項目はありません。綴りを確認してください",
    }.get(item["type"], item["msg"].removeprefix("Value error, "))
    return f"{place}: {wording}{found}"
