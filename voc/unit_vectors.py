"""Vectors of length one, whose product is their cosine."""

import numpy as np

_LEAST = 1e-12  # a vector of zeros stays one


def unit(vectors: np.ndarray) -> np.ndarray:
    """One vector (d,) or several (n, d), each divided by its length; zeros stay zeros."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _LEAST)
