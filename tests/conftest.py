import pytest


@pytest.fixture
def example_files():
    from pathlib import Path

    root = Path(__file__).parent.parent / "examples"
    return sorted([*root.glob("*.toml"), *root.glob("*.json")])
