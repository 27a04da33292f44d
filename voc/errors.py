"""Errors that a user of voc meets. Each names the place, what was found, what is allowed, what to do."""


class VocError(Exception):
    """A fault that the person running voc can repair; its text is shown without a traceback."""


class ConfigError(VocError):
    """The configuration file is wrong. Carries every fault found, not only the first."""

    def __init__(self, path: str, faults: list[str]):
        self.faults = faults
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"設定ファイル {path} に {len(faults)} 件の問題があります。\n{lines}")


class SourceError(VocError):
    """A source (file, folder, table) cannot be read or lacks what it must have."""


class TableError(VocError):
    """A table breaks its contract: a programming fault or a store written by another version."""


class StoreError(VocError):
    """The store cannot be read or written (disk full, no permission, in use by another run), or has not what was asked for."""
