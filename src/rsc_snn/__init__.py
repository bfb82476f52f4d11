"""rsc-snn: randomized smoothing coding, and how robust spiking networks really are.

    import rsc_snn as rs

Names are imported when they are first used, so that the command's ``--help`` and ``report`` start
without torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsc_snn import attacks, codings, data, gradients, networks, neurons, objectives
    from rsc_snn.auditing.audit import audit
    from rsc_snn.certification.certify import certify
    from rsc_snn.certification.predict import predict
    from rsc_snn.classifier import SpikingClassifier
    from rsc_snn.evaluation.evaluate import evaluate
    from rsc_snn.evaluation.qte import qte
    from rsc_snn.interop.wrap import wrap
    from rsc_snn.rng import Streams
    from rsc_snn.runs.storage import load, save
    from rsc_snn.training import train

__version__ = "0.1.0"

__all__ = [
    "SpikingClassifier",
    "Streams",
    "attacks",
    "audit",
    "certify",
    "codings",
    "data",
    "evaluate",
    "gradients",
    "load",
    "networks",
    "neurons",
    "objectives",
    "predict",
    "qte",
    "save",
    "train",
    "wrap",
]

_PACKAGES = {"attacks", "codings", "data", "gradients", "networks", "neurons", "objectives"}
_HOMES = {
    "SpikingClassifier": "rsc_snn.classifier",
    "Streams": "rsc_snn.rng",
    "audit": "rsc_snn.auditing.audit",
    "certify": "rsc_snn.certification.certify",
    "evaluate": "rsc_snn.evaluation.evaluate",
    "load": "rsc_snn.runs.storage",
    "predict": "rsc_snn.certification.predict",
    "qte": "rsc_snn.evaluation.qte",
    "save": "rsc_snn.runs.storage",
    "train": "rsc_snn.training",
    "wrap": "rsc_snn.interop.wrap",
}


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"rsc_snn.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'rsc_snn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
