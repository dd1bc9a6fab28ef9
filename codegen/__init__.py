"""Turns the API description into the generated part of the SDK. Never shipped."""

from __future__ import annotations

__version__ = "1"
"""Version of the generator, written into every generated file."""
