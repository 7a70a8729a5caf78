"""The packages of an extra, asked for where they are first needed."""

from __future__ import annotations

import importlib.util

from ..errors import MiyaInputError


def need(package: str, extra: str, what: str) -> None:
    """Raise MiyaInputError E640 where `package` is not installed; `what` needs it."""
    if importlib.util.find_spec(package) is None:
        raise MiyaInputError(
            "E640",
            f"{what} the {package} package",
            hint=f'install it with: pip install "miya[{extra}]"',
        )


def need_torch() -> None:
    need("torch", "torch", "a model needs")
