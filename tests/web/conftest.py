"""The browser and the playground of every test here that asks for them."""

from browsing import browser  # noqa: F401
from web.playing import play, server  # noqa: F401
