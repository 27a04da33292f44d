"""Objects under `s3://`: AWS or any S3-compatible store, through fsspec."""

from collections.abc import Callable, Mapping

import s3fs
from botocore.exceptions import BotoCoreError, ClientError

from voc.errors import SourceError
from voc.raw import RawFile
from voc.source_config import S3, Source
from voc.sources.archives import faulty, too_large, unpack
from voc.sources.environment import secret, without
from voc.sources.files import split_path, take
from voc.sources.watermarks import Pulled

_FAULTS = (OSError, BotoCoreError, ClientError)
"""s3fs tells most faults as OSError; those of botocore that it does not know come through."""
_TIMEOUTS = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}


def pull_objects(
    source: Source, *, environ: Mapping[str, str], known: Mapping[str, str], max_bytes: int, pull_bytes: int,
    mark_of: Callable[[str], str] = str,
) -> Pulled:  # fmt: skip
    """New and changed objects only: those whose ETag is not the one in `known` (mark -> ETag).

    Names are full addresses. Raises SourceError where the store cannot be reached or nothing matches.
    """
    secrets = _secrets(source, environ)
    members, _ = split_path(source)
    store, found = _found(source, secrets)

    def read(name: str) -> tuple[list[RawFile], str]:
        if found[name]["size"] > max_bytes:
            return [too_large(source.name, name, max_bytes)], ""
        try:
            stored = store.cat_file(name)
        except _FAULTS as error:
            return [faulty(source.name, name, _fault(source, error, secrets))], ""
        return unpack(source.name, name, stored, members=members, max_bytes=max_bytes), _signature(found[name])

    signatures = {name: _signature(info) for name, info in found.items()}
    return take(source, known, signatures, mark_of=mark_of, pull_bytes=pull_bytes, read=read)


def object_signatures(source: Source, *, environ: Mapping[str, str]) -> dict[str, str]:
    """name -> ETag of every object that the path names, from the listing. Raises SourceError as `pull_objects`."""
    return {name: _signature(info) for name, info in _found(source, _secrets(source, environ))[1].items()}


def count_objects(source: Source, *, environ: Mapping[str, str]) -> int:
    """Objects that the path names. Raises SourceError as `pull_objects`."""
    return len(_found(source, _secrets(source, environ))[1])


def _found(source: Source, secrets: Mapping[str, str | None]) -> tuple[s3fs.S3FileSystem, dict[str, dict]]:
    try:
        store = _store(source.s3 or S3(), secrets)
        listed = store.glob(split_path(source)[1].removeprefix("s3://"), detail=True)
    except _FAULTS as error:
        raise SourceError(_fault(source, error, secrets)) from None
    found = {
        f"s3://{path}": info
        for path, info in sorted(listed.items())
        if info["type"] == "file" and not path.rpartition("/")[2].startswith(".") and not path.endswith("/")
    }
    if not found:
        raise SourceError(
            f"ソース {source.name}: 「{source.path}」に当たるファイルがありません。"
            "バケット名、フォルダー、[sources.s3] の接続先を確かめてください。"
        )
    return store, found


def _signature(info: Mapping) -> str:
    """The listing's ETag. An object that changes before it is read has another one at the next pull."""
    return str(info.get("ETag") or f"{info['size']} {info.get('LastModified', '')}").strip('"')


def _secrets(source: Source, environ: Mapping[str, str]) -> dict[str, str | None]:
    named = (source.s3 or S3()).model_dump(include={"endpoint_env", "key_env", "secret_env", "token_env"})
    return {
        option: variable and secret(environ, variable, source=source.name, option=f"[sources.s3] {option}")
        for option, variable in named.items()
    }


def _store(place: S3, secrets: Mapping[str, str | None]) -> s3fs.S3FileSystem:
    # instances and listings are cached by s3fs: a second pull in one process would see the first one's listing
    return s3fs.S3FileSystem(
        key=secrets["key_env"], secret=secrets["secret_env"], token=secrets["token_env"],
        endpoint_url=secrets["endpoint_env"], client_kwargs={"region_name": place.region} if place.region else {},
        config_kwargs=_TIMEOUTS, use_listings_cache=False, skip_instance_cache=True,
    )  # fmt: skip


def _fault(source: Source, error: Exception, secrets: Mapping[str, str | None]) -> str:
    hidden = [value for option, value in secrets.items() if option != "endpoint_env"]
    told = without(f"{type(error).__name__}: {error}", *hidden)
    return (
        f"ソース {source.name}: 「{source.path}」を読めません（{told}）。"
        "[sources.s3] の接続先と鍵の環境変数、読み取りの権限を確かめてください。"
    )
