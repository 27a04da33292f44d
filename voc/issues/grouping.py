"""Clusters of sentences -> groups that are one matter each: what BERTopic joined is parted, what it left out is placed.

All tests are ratios of mean cosines, so that one rule serves narrow matters (a company's issues) and broad ones
(topics of the news), whose cosines lie on different levels.
"""

import numpy as np
from scipy.sparse import csr_matrix

from voc.unit_vectors import unit

OUTLIER = -1
_PART = 0.75  # pieces of one cluster whose cross-similarity is below this share of their own similarity are two
_JOIN = 0.80  # pieces of two clusters above this share are one
_TOLD = 0.15  # so much the needed share falls with each unit of log lift of being told in one contact
_DOUBT = 0.5  # contacts added to what was seen and what chance gives, so that rare pieces say little
_PIECE = 3  # smaller pieces of a cluster are part of the nearest one
_NEIGHBOURS = 10
_ROUNDS = 2
_CHUNK = 2048


def smoothed(vectors: np.ndarray) -> np.ndarray:
    """Each unit vector plus the mean of its ten nearest others, of unit length: what sets a phrasing apart from
    its neighbours weighs less, what it shares with them weighs more. (n, d) -> (n, d)."""
    n = len(vectors)
    if n <= _NEIGHBOURS:
        return vectors
    near = neighbours(vectors, _NEIGHBOURS)
    around = np.zeros_like(vectors)
    for column in range(near.shape[1]):
        around += vectors[near[:, column]]
    return unit(vectors + around / near.shape[1])


def regroup(
    vectors: np.ndarray, smooth: np.ndarray, broad: np.ndarray, fine: np.ndarray, told: csr_matrix | None = None,
    *, n_groups: int | None = None,
) -> np.ndarray:  # fmt: skip
    """(n,) groups 0 ... k - 1 from `broad` clusters and the `fine` ones inside them (both -1 for rows left out).

    The fine pieces of a broad cluster stay together while their cross-similarity is near their own; pieces of
    different broad clusters join only where they are all but the same. `told` (contacts x n) says which rows stand
    in one contact: pieces that customers tell together more often than by chance need less similarity, pieces that
    they tell apart need more. With `n_groups` pieces are joined until so many are left, alike or not (fewer where there
    are fewer pieces). Then every row goes to the group whose centre in `smooth` is nearest, and the centres
    are taken again. Without any cluster each row is -1.
    """
    pieces, parents = _pieces(smooth, _numbered(broad), fine)
    if not len(parents):
        return np.full(len(vectors), OUTLIER)
    groups = _joined(vectors, pieces, parents, told, n_groups=n_groups)
    for _ in range(_ROUNDS):
        groups = _numbered((smooth @ centres(smooth, groups).T).argmax(axis=1))
    return groups


def centres(vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(k, d) unit mean vectors of groups 0 ... k - 1; rows of group -1 count nowhere."""
    return unit(_sums(vectors, groups))


def _pieces(vectors: np.ndarray, broad: np.ndarray, fine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(piece of each row, broad cluster of each piece)."""
    pieces, parents = np.full(len(broad), OUTLIER), []
    for cluster in range(broad.max(initial=OUTLIER) + 1):
        rows = np.flatnonzero(broad == cluster)
        names, sizes = np.unique(fine[rows], return_counts=True)
        names = names[(names != OUTLIER) & (sizes >= _PIECE)]
        if len(names) < 2:
            pieces[rows] = len(parents)
            parents.append(cluster)
            continue
        middle = unit(np.vstack([vectors[rows[fine[rows] == name]].mean(axis=0) for name in names]))
        pieces[rows] = len(parents) + (vectors[rows] @ middle.T).argmax(axis=1)
        parents += [cluster] * len(names)
    used = np.unique(pieces[pieces != OUTLIER])
    return _numbered(pieces), np.asarray(parents)[used]


def _joined(
    vectors: np.ndarray, pieces: np.ndarray, parents: np.ndarray, told: csr_matrix | None, *, n_groups: int | None
) -> np.ndarray:
    """Pairs are joined in falling order of how far their similarity is over what they need."""
    sums = _sums(vectors, pieces)
    sizes = np.bincount(pieces[pieces != OUTLIER]).astype(float)
    seen, both, n_contacts = _together(pieces, len(sizes), told)
    products, home = sums @ sums.T, np.arange(len(sizes))
    while len(sizes) > (n_groups or 1):
        if n_groups is None:
            over = _over_need(products, sizes, parents, seen=seen, both=both, n_contacts=n_contacts)
        else:  # Ward: the pair whose joining spreads least, so that no group swallows the others
            means, own = products / np.outer(sizes, sizes), np.diag(products) / sizes**2
            over = -np.outer(sizes, sizes) / (sizes[:, None] + sizes) * (own[:, None] + own - 2 * means)
        np.fill_diagonal(over, -np.inf)
        first, second = sorted(np.unravel_index(over.argmax(), over.shape))
        if n_groups is None and over[first, second] < 0:
            break
        sizes[first] += sizes[second]
        seen[first] += seen[second]
        for table in (products, both):
            table[first] += table[second]
            table[:, first] += table[:, second]
        home[home == second] = first
        home[home > second] -= 1
        sizes, seen, parents = (np.delete(table, second) for table in (sizes, seen, parents))
        products, both = (np.delete(np.delete(table, second, axis=0), second, axis=1) for table in (products, both))
    placed = pieces != OUTLIER
    groups = pieces.copy()
    groups[placed] = home[pieces[placed]]
    return groups


def _over_need(
    products: np.ndarray, sizes: np.ndarray, parents: np.ndarray, *, seen: np.ndarray, both: np.ndarray, n_contacts: int
) -> np.ndarray:
    """How far the similarity of each two pieces, as a share of their own, is over what they need to be one."""
    within = (np.diag(products) - sizes) / np.maximum(sizes * (sizes - 1), 1)
    own = np.sqrt(np.maximum(np.outer(within, within), 1e-6))
    lift = np.log((both + _DOUBT) / (np.outer(seen, seen) / n_contacts + _DOUBT))
    need = np.where(parents[:, None] == parents[None, :], _PART, _JOIN) - _TOLD * np.clip(lift, -1, 1.5)
    return products / np.outer(sizes, sizes) / own - need


def _together(pieces: np.ndarray, count: int, told: csr_matrix | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Contacts of several rows: in how many each piece stands, how many two pieces share, how many there are."""
    if told is None:
        return np.zeros(count), np.zeros((count, count)), 1
    rows = np.flatnonzero(pieces != OUTLIER)
    by_piece = csr_matrix((np.ones(len(rows)), (rows, pieces[rows])), shape=(len(pieces), count))
    stands = ((told @ by_piece) > 0).astype(float)[np.flatnonzero(told.getnnz(axis=1) > 1)]
    both = np.asarray((stands.T @ stands).todense())
    seen = np.diag(both).copy()
    np.fill_diagonal(both, 0)
    return seen, both, max(stands.shape[0], 1)


def neighbours(vectors: np.ndarray, count: int) -> np.ndarray:
    """(n, count) the rows of the `count` nearest others of each unit vector, in rising order of their number."""
    small = vectors.astype(np.float32)
    found = np.empty((len(small), count), dtype=np.int64)
    for start in range(0, len(small), _CHUNK):
        cosines = small[start : start + _CHUNK] @ small.T
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -2
        found[start : start + _CHUNK] = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
    return np.sort(found, axis=1)  # so that sums do not depend on how the nearest were partitioned


def _sums(vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    total = np.zeros((groups.max(initial=OUTLIER) + 1, vectors.shape[1]))
    placed = groups != OUTLIER
    np.add.at(total, groups[placed], vectors[placed])
    return total


def _numbered(groups: np.ndarray) -> np.ndarray:
    """The same groups, numbered 0 ... k - 1 without gaps."""
    used = np.unique(groups[groups != OUTLIER])
    return np.where(groups == OUTLIER, OUTLIER, np.searchsorted(used, groups))
