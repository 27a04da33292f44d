"""Recipe of centres.npz: the mean vector of each registered model over our own training sentences.

Run `python models/centres.py` from a checkout after a model in registry.toml changed. Centring matters wherever a
cosine meets a fixed threshold: raw E5 cosines lie between .8 and .95 whatever the texts say.
"""

import csv
from pathlib import Path

import numpy as np

from voc.embeddings import embed, registry

FOLDER = Path(__file__).parent


def main() -> None:
    with (FOLDER / "opinions" / "sentences.tsv").open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    centres = {name: embed(texts, model=name).mean(axis=0, dtype="float64").round(6) for name in sorted(registry())}
    np.savez_compressed(FOLDER / "centres.npz", **centres)
    print({name: centre.shape for name, centre in centres.items()}, len(texts), "sentences")


if __name__ == "__main__":
    main()
