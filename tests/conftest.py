"""Shared by all tests: programs that may be missing, and the flags that make their absence a failure."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of headless Chromium; the test is skipped where it is missing, or fails with VOC_REQUIRE_PROGRAMS=1."""
    return _program("chromium", "chromium-browser", "google-chrome")


def _program(*names: str) -> str:
    found = next((path for path in map(shutil.which, names) if path), None)
    if found:
        return found
    if os.environ.get("VOC_REQUIRE_PROGRAMS") == "1":
        pytest.fail(f"none of {names} is installed, and VOC_REQUIRE_PROGRAMS=1 asks for it")
    pytest.skip(f"none of {names} is installed")
