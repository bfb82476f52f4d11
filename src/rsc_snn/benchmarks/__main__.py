"""The process of a case: ``python -m rsc_snn.benchmarks ANSWER.json`` with the request on standard input."""

import json
import sys
from pathlib import Path

import torch

from rsc_snn.benchmarks.cases import case_by_name
from rsc_snn.benchmarks.processes import BAD_INPUT
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.errors import InputError
from rsc_snn.memory import keep_freed_memory
from rsc_snn.runs.files import replace_text
from rsc_snn.spec import from_data


def main() -> int:
    """Answer the request; return the exit status."""
    request = json.load(sys.stdin)
    settings = from_data(request["settings"], Settings, where="settings")
    case, task = case_by_name(request["case"]), request["task"]
    torch.set_num_threads(settings.threads)
    try:
        if task is None:
            keep_freed_memory()
            answer: object = case.measure(settings)
        else:
            answer = case.perform(task, settings)
    except InputError as err:
        print(" ".join(str(err).split()), file=sys.stderr)
        return BAD_INPUT
    replace_text(Path(sys.argv[1]), json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
