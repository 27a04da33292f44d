"""The parts `[schedule]` and `[alerts]` of a voc.toml: when voc works by itself, and whom it warns."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from voc.errors import VocError
from voc.source_config import EnvName, Part

AlertKind = Literal["issue_emerging", "nps_drop", "customer_at_risk", "source_silent", "rejects_up", "run_failed"]
_FIELDS = re.compile(r"^[0-9A-Za-z*,/#?-]+( [0-9A-Za-z*,/#?-]+){4}$")
_ADDRESS = re.compile(r"^[^\s@<>,;:\"\\()\[\]]+@[A-Za-z0-9.-]+$")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _five_fields(cron: str) -> str:
    if cron and not _FIELDS.match(cron):
        raise ValueError("cron の書き方（分 時 日 月 曜日 を空白 1 つで区切る）にしてください。例: \"0 6 * * *\"（毎朝 6 時）")
    if cron:
        from voc.due import next_due  # it brings pandas, which the command line starts without

        try:
            next_due(cron, now=datetime(2026, 1, 1, tzinfo=UTC), timezone="UTC")
        except VocError as error:
            raise ValueError(str(error)) from None
    return cron


def _address(text: str) -> str:
    if not _ADDRESS.match(text):
        raise ValueError("メールアドレスを 1 つ、名前や山括弧を付けずに書いてください。例: \"cs@example.co.jp\"")
    return text


Cron = Annotated[str, AfterValidator(_five_fields)]
"""Five fields; empty: never."""
Address = Annotated[str, AfterValidator(_address)]


class Schedule(Part):
    """Times in the company's time zone. An empty text switches one off."""

    daily: Cron = Field("0 6 * * *", description="read, analyse, report, warn")
    weekly: Cron = Field("0 7 * * 1", description="weekly report out of the store")
    monthly: Cron = Field("0 7 1 * *", description="monthly report out of the store")


class Mail(Part):
    """A mail server to hand alerts to. `tls`: from the first byte (port 465), starttls: before anything is said (587)."""

    host: str = Field(min_length=1, pattern=r"^[A-Za-z0-9.:-]+$")
    port: int | None = Field(None, ge=1, le=65535)
    tls: Literal["tls", "starttls", "none"] = "starttls"
    ca_file: str | None = Field(None, description="PEM of the company's own authority, relative to the configuration")
    user: str | None = None
    password_env: EnvName | None = None
    sender: Address
    to: list[Address] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _password_is_not_shown(self) -> "Mail":
        if (self.user is None) != (self.password_env is None):
            raise ValueError("user と password_env は両方書くか、両方とも書かないでください")
        if self.tls == "none" and self.password_env and self.host not in _LOOPBACK:
            raise ValueError("tls = \"none\" ではパスワードが暗号化されずに流れます。tls を \"starttls\" か \"tls\" にしてください")
        return self


class Webhook(Part):
    """An address that takes `{"text": ...}` by POST (Slack, Mattermost, a relay). The address itself is a secret."""

    url_env: EnvName


class Alerts(Part):
    """Where alerts go. Without a channel they stand in the table `alerts` and in `voc status` only."""

    kinds: list[AlertKind] = Field(list(AlertKind.__args__), description="those that are sent")
    at_most: int = Field(10, ge=1, le=100, description="alerts told in one message; the others are counted in it")
    file: str | None = Field(None, min_length=1, description="file of JSON lines, relative to the configuration")
    mail: Mail | None = None
    webhook: Webhook | None = None
