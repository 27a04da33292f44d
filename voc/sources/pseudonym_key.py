"""The key behind the pseudonyms of customers: from an environment variable or a file beside the configuration."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from voc.config import Privacy
from voc.errors import ConfigError

MIN_BYTES = 16


def pseudonym_key(privacy: Privacy, *, base: Path, environ: Mapping[str, str], may_make: bool = True) -> bytes:
    """The key named by `privacy`: the environment variable where one is named, else the key file under `base`.

    A missing file is made once, at random, readable by its owner only, unless `may_make` is false: who looks a customer
    up needs the key that the ingest had. Raises ConfigError where the variable is not set, the file is missing and may
    not be made, or the key is shorter than 16 bytes.
    """
    if privacy.pseudonym_key_env is not None:
        place = f"環境変数 {privacy.pseudonym_key_env}"
        key = environ.get(privacy.pseudonym_key_env, "").strip().encode()
        if not key:
            raise ConfigError("[privacy]", [
                f"pseudonym_key_env: {place} が設定されていません。仮名の鍵（{MIN_BYTES} バイト以上）を設定するか、"
                "この項目を消して鍵ファイル（pseudonym_key_file）を使ってください。"
            ])
    else:
        path = base / privacy.pseudonym_key_file
        place = f"鍵ファイル {path}"
        if not may_make and not path.exists():
            raise ConfigError("[privacy]", [
                f"pseudonym_key_file: {place} がありません。顧客を探すには取り込みに使った鍵が必要です。"
                "元の鍵を戻すか、設定ファイルの場所を確かめてください。"
            ])
        try:
            key = _file_key(path)
        except OSError as error:
            raise ConfigError("[privacy]", [
                f"pseudonym_key_file: {place} を読み書きできません（{error.strerror}）。権限を確かめてください。"
            ]) from None
    if len(key) < MIN_BYTES:
        raise ConfigError("[privacy]", [
            f"{place} の鍵が短すぎます（{len(key)} バイト、必要なのは {MIN_BYTES} バイト以上）。"
            "鍵を替えると顧客の仮名がすべて変わります。元の鍵があれば戻してください。"
        ])
    return key


def _file_key(path: Path) -> bytes:
    """What `path` holds. A new key is whole before it gets its name: a run that is killed leaves no empty key behind."""
    if not path.exists():
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(32).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # another process was first: its key is the one
                os.link(part, path)
        finally:
            part.unlink()
    return path.read_bytes().strip()
