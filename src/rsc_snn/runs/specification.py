"""The schema of run.yaml. Needs no torch."""

from typing import Any

from rsc_snn.errors import RunFolderError, UnknownNameError
from rsc_snn.runs.folder import RunFolder

SCHEMA = 1
_KEYS = ("schema", "seed", "data", "recipe", "classifier")


def require_schema(data: dict[str, Any], folder: RunFolder) -> dict[str, Any]:
    """Raise unless this version of the library can read the specification."""
    if data.get("schema") != SCHEMA:
        raise RunFolderError(
            f"{str(folder.spec)!r} has schema {data.get('schema')!r}, this version reads {SCHEMA}; use the "
            "version of rsc-snn that wrote it (environment.json)"
        )
    for key in data:
        if key not in _KEYS:
            raise UnknownNameError(f"key in {str(folder.spec)!r}:", str(key), _KEYS)
    return data
