"""``python -m rsc_snn`` is the command ``rsc-snn``."""

from rsc_snn.cli.app import run

if __name__ == "__main__":
    run()
