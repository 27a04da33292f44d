"""With which settings a store was read and masked: where they changed, a run reads all sources again."""

import hashlib
import json

import pandas as pd

from voc.config import Config
from voc.sources.watermarks import values

STORE_ITSELF = "__store__"
"""The source of the rows of WATERMARKS that tell how the store was made; none of a configuration may have such a name."""
READ_AGAIN = "[privacy] id_patterns か [company] timezone が変わったため、すべての取り込み元を始めから読み直"


def masking_sha(config: Config) -> str:
    """SHA-256 of the settings that decide what every stored text and time is."""
    masking = {"timezone": config.company.timezone, "id_patterns": config.privacy.id_patterns}
    return hashlib.sha256(json.dumps(masking, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def made_with(watermarks: pd.DataFrame) -> dict[str, str]:
    """What WATERMARKS tell of the store: `key`, `masking`; nothing before the first run."""
    return values(watermarks.loc[watermarks["source"] == STORE_ITSELF], "made")
