import pytest
from browsing import browser, open_page

__all__ = ["browser", "open_page"]  # one browser for every test that opens pages


@pytest.fixture
def example_files():
    from pathlib import Path

    root = Path(__file__).parent.parent / "examples"
    return sorted([*root.glob("*.toml"), *root.glob("*.json")])
