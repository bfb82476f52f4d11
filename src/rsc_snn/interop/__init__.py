"""Bridges to networks and attacks of other libraries."""

from rsc_snn.interop.paths import available_paths, describe
from rsc_snn.interop.wrap import wrap

__all__ = ["available_paths", "describe", "wrap"]
