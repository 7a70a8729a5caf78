"""The browser and the playground of every test here that asks for them."""

from web.playing import play, server  # noqa: F401
