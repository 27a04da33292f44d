"""The `[[sources]]` of a voc.toml: where records are and what their columns mean."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Format = Literal[
    "transcript", "contact_lens", "transcribe", "vtt", "whisper", "turns", "email", "chat", "ticket", "review", "survey",
    "customers", "usage", "faq", "faq_logs", "catalogue", "counts", "orders", "price_changes",
]  # fmt: skip
FILE_FORMATS = ("contact_lens", "transcribe", "vtt", "whisper", "email")
"""Whole files; the other formats may also be rows of a query."""
Speaker = Literal["customer", "operator", "bot", "unknown"]
NAME_GROUPS = ("contact_id", "customer_id", "started_at", "queue")
"""What `name_pattern` may find in the name of a file."""
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="name of an environment variable")]


class Part(BaseModel):
    """A part of the configuration: unknown names are refused, values stay as they were read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class S3(Part):
    """Where `s3://` paths are. Keys that are not named are looked for where the machine's own role keeps them."""

    endpoint_env: EnvName | None = Field(None, description="URL of an S3-compatible store; default: AWS")
    key_env: EnvName | None = None
    secret_env: EnvName | None = None
    token_env: EnvName | None = None
    region: str | None = None

    @model_validator(mode="after")
    def _keys_come_in_pairs(self) -> "S3":
        if (self.key_env is None) != (self.secret_env is None):
            raise ValueError("key_env と secret_env は両方書くか、両方とも書かないでください")
        return self


class Imap(Part):
    """A mailbox, only ever opened for reading."""

    host: str = Field(min_length=1)
    port: int | None = Field(None, ge=1, le=65535, description="default: 993 with tls, else 143")
    user: str = Field(min_length=1)
    password_env: EnvName
    folder: str = Field("INBOX", min_length=1)
    tls: Literal["tls", "starttls", "none"] = "tls"
    ca_file: str | None = Field(None, description="PEM of the company's own authority, relative to the configuration")


class Sql(Part):
    """One query. With `watermark_column` it names `:since` and is ordered by that column; without, it is read whole."""

    url_env: EnvName
    query: str = Field(min_length=1)
    watermark_column: str | None = None
    start: datetime | date | int | str | None = Field(None, description="`:since` of the first run, of the column's type")

    @model_validator(mode="after")
    def _watermark_is_whole(self) -> "Sql":
        has_since = re.search(r"(?<!:):since\b", self.query) is not None
        if len({has_since, self.watermark_column is not None, self.start is not None}) > 1:
            raise ValueError("差分で読むには query の中の :since、watermark_column、start の 3 つをそろえて書いてください"
                             "（毎回すべて読むなら 3 つとも書かないでください）")
        return self


class Source(Part):
    """One place to read: exactly one of `path`, `imap`, `sql`. `columns` maps our column names to those found there."""

    name: str = Field(pattern=r"^[^\W_][\w-]*$")  # "__store__" is ours, in watermarks
    format: Format
    path: str | None = Field(None, min_length=1, description="""file or glob, relative to the configuration file;
        s3://bucket/*.json; a .zip is opened, zip://*.csv::archive.zip takes some of its files""")
    imap: Imap | None = None
    sql: Sql | None = None
    s3: S3 | None = None
    channel: str | None = Field(None, description="call, email, chat, survey, ...; default: from the format")
    encoding: str | None = Field(None, description="default: detected per file")
    columns: dict[str, str] = {}
    texts: dict[str, str] = Field({}, description="survey: column with free text -> question shown in reports")
    scales: dict[str, dict[str, float]] = Field({}, description="our column (csat, nps, rating) -> answer -> number")
    speakers: dict[str, Speaker] = Field({}, description="calls, chats: word for a speaker in the file -> role")
    own_domains: list[str] = Field([], description="email, ticket: the company's mail domains; their mails are operators' turns")
    name_pattern: str | None = Field(
        None, description="calls without a start inside: regular expression over the file's name with groups started_at, contact_id, ..."
    )

    @model_validator(mode="after")
    def _is_one_place(self) -> "Source":
        places = [name for name in ("path", "imap", "sql") if getattr(self, name) is not None]
        if len(places) != 1:
            raise ValueError("path、[sources.imap]、[sources.sql] のどれか 1 つだけを書いてください"
                             f"（現在: {'、'.join(places) or 'なし'}）")
        if self.imap and self.format != "email":
            raise ValueError("[sources.imap] を読めるのは format = \"email\" だけです")
        if self.sql and self.format in FILE_FORMATS:
            raise ValueError(f"format = \"{self.format}\" は [sources.sql] では読めません。path などファイルの場所を使ってください")
        if self.s3 and "s3://" not in (self.path or ""):
            raise ValueError("[sources.s3] は path が s3:// のときだけ書けます")
        return self

    @model_validator(mode="after")
    def _survey_names_its_texts(self) -> "Source":
        if self.format == "survey" and not self.texts:
            raise ValueError("format = \"survey\" では [sources.texts] に自由記述の列名と設問文を書いてください")
        return self

    @model_validator(mode="after")
    def _name_pattern_is_one(self) -> "Source":
        if self.name_pattern is not None:
            try:
                groups = re.compile(self.name_pattern).groupindex
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError(f"name_pattern が正規表現として正しくありません: {error}") from None
            if not groups or set(groups) - set(NAME_GROUPS):
                allowed = "、".join(f"(?P<{name}>…)" for name in NAME_GROUPS)
                raise ValueError(f"name_pattern には名前付きグループを書いてください。使える名前: {allowed}")
        return self
