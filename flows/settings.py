"""Prefect's environment. `prepare` must run before prefect is imported anywhere in the process."""

import os
from pathlib import Path

from voc.config import Config

_UMASK = 0o027
"""What voc writes (store, reports, logs) is for its user and group: 0640 and 0750. The key and the map of pseudonyms are 0600."""
SETTINGS = {
    # both are needed: with DO_NOT_TRACK alone the server still looks its telemetry host up
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",  # hides the temporary server's tracebacks when the process ends
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # stages report themselves; a fault is told once, in Japanese, by the CLI
    "PREFECT_LOGGING_TO_API_ENABLED": "false",  # no log line, and so no text, goes into Prefect's database
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
    # one thread per native library: two stages never run at once, and oversubscription costs more than it gives
    "OMP_NUM_THREADS": "2",
    "NUMBA_NUM_THREADS": "2",
}


def prepare(folder: Path) -> None:
    """Set what is not set already; Prefect's home goes into `folder`, so nothing is written to $HOME. Closes files to others."""
    os.umask(_UMASK)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_HOME", str(folder / "prefect"))
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder / "cache" / "numba"))
    os.environ.setdefault("MPLCONFIGDIR", str(folder / "cache" / "matplotlib"))
    os.environ.setdefault("HF_HOME", str(folder / "cache" / "huggingface"))


def store_of(config: Config, base: Path) -> str:
    """The store's address: as configured where it is a URL, else under the configuration file's folder.

    What the configuration says of an S3 store is put where the store looks for it, the environment (AWS_...); keys stand
    there already or come from the machine's role.
    """
    if "://" not in config.store.path:
        return str(base / config.store.path)
    endpoint, region = config.store.endpoint, config.store.region
    if endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        os.environ["AWS_ALLOW_HTTP"] = str(endpoint.startswith("http://")).lower()
    if region:
        os.environ["AWS_REGION"] = region
    return config.store.path
