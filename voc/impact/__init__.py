"""What each issue does: prevented churns with honest intervals, yen at stake, contact cost.

`voc.impact.estimate(contacts, customers, issues, ...)` for a data scientist whose contacts carry labels
(voc/impact/labelled.py); the run of a company's configuration starts at `voc.impact.estimation.estimate`.
"""


def __getattr__(name: str):
    """`voc.impact.estimate`, loaded when first asked for."""
    if name in ("estimate", "estimate_labelled"):
        from voc.impact.labelled import estimate_labelled

        return estimate_labelled
    raise AttributeError(f"module 'voc.impact' has no attribute {name!r}")
