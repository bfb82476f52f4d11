"""Trying all of it, and the files that stay: theory.jsonl, theory-images.safetensors, environment.json."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from rsc_snn import data
from rsc_snn.checks import require_counts
from rsc_snn.data import Digits, ImageSet
from rsc_snn.errors import InputError, RangeError
from rsc_snn.runs.environment import describe_environment, write_environment
from rsc_snn.runs.files import Row, read_environments, replace_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.theory_schema import INFO, SIMILARITY
from rsc_snn.theory.claims import findings_of
from rsc_snn.theory.covariance import require_samples
from rsc_snn.theory.finding import Finding
from rsc_snn.theory.pictures import save_pictures
from rsc_snn.theory.similarity import similarity_findings
from rsc_snn.theory.subjects import Subject, made_up_subjects, run_subject

NUM_SAMPLES, NUM_IMAGES = 100_000, 500
MIN_IMAGES = 4
Progress = Callable[[Finding], None]


def run_theory(
    out: str | Path,
    *,
    runs: Sequence[str | Path] = (),
    data_root: str | Path | None = None,
    num_samples: int = NUM_SAMPLES,
    limit: int = NUM_IMAGES,
    seed: int = 0,
    on_finding: Progress = lambda finding: None,
) -> list[Row]:
    """Try every claim and write the rows; those of the folder with other names are kept.

    Args:
        out: Folder for the files; made if it is not there.
        runs: Run folders whose first layer is tried too.
        data_root: See ``rs.data.load``; without one only the digits are looked at, nothing is downloaded.
        num_samples: For each covariance.
        limit: Images of each data set, from the first test image on.
        seed: Of everything random.
        on_finding: Called with each finding as it is made.

    Returns the rows of this call.

    Raises:
        InputError: a run, a number or the folder does not fit; nothing is sampled then.
    """
    require_samples(num_samples)
    require_counts(limit=limit)
    if limit < MIN_IMAGES:
        raise RangeError(
            f"--limit must be at least {MIN_IMAGES}, got {limit}: the control needs two pairs of images"
        )
    folder, root = RunFolder(Path(out)), data.data_root(data_root)
    if folder.path.exists() and not folder.path.is_dir():
        raise InputError(f"--out expects a folder, got the file {str(folder.path)!r}; give another name")
    sets, missing = present_data(root, limit)
    with folder.locked():
        earlier = folder.theory_rows()
        read_environments(folder.environment)
        subjects = [*made_up_subjects(seed), *_run_subjects(runs, root, seed)]
        rows: list[Row] = []
        for subject in subjects:
            for finding in findings_of(subject, num_samples=num_samples, seed=seed):
                rows.append(finding.row(seed=seed, num_samples=num_samples))
                on_finding(finding)
        for finding in [*_similarities(sets, seed), _data_finding(sets, missing)]:
            rows.append(finding.row(seed=seed))
            on_finding(finding)
        save_pictures(folder.theory_images, sets, seed=seed)
        names = {row["name"] for row in rows}
        replace_rows(folder.theory, [*(row for row in earlier if row["name"] not in names), *rows])
        prints = {name: images.fingerprint()[:16] for name, images in sets.items()}
        weights = {Path(run).resolve().name: _digest(RunFolder(Path(run)).weights) for run in runs}
        facts = {"seed": seed, "num_samples": num_samples, "data": prints, "weights": weights}
        write_environment(folder.environment, describe_environment(torch.device("cpu"), **facts))
    return rows


def present_data(root: Path | None, limit: int) -> tuple[dict[str, ImageSet], list[str]]:
    """Return the first test images of every data set that is here, and the names of the others."""
    found: dict[str, ImageSet] = {}
    missing: list[str] = []
    for name in data.names():
        if not _is_here(name, root):
            missing.append(name)
            continue
        images = data.load(name, root).at(slice(limit)).fetch()
        if len(images) < MIN_IMAGES:
            raise InputError(
                f"data set {name!r} has fewer than {MIN_IMAGES} readable test images; restore it"
            )
        found[name] = images
    return found, missing


def present_names(root: Path | None) -> list[str]:
    """Return the names of the data sets that are here; without a root only the digits are."""
    return [name for name in data.names() if _is_here(name, root)]


def _is_here(name: str, root: Path | None) -> bool:
    dataset = data.by_name(name)
    if root is None:
        return isinstance(dataset, Digits)
    try:
        dataset.locate(root)
    except InputError:
        return False
    return True


def _run_subjects(runs: Sequence[str | Path], root: Path | None, seed: int) -> list[Subject]:
    paths = list(dict.fromkeys(Path(run).resolve() for run in runs))
    names = [path.name for path in paths]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two runs are called {name!r}, rows go by that name; rename one folder")
    return [run_subject(path, data_root=root, seed=seed) for path in paths]


def _similarities(sets: dict[str, ImageSet], seed: int) -> list[Finding]:
    found: list[Finding] = []
    for name, images in sets.items():
        found += similarity_findings(name, images, seed=seed)
    return found


def _data_finding(sets: dict[str, ImageSet], missing: list[str]) -> Finding:
    """Which data sets were looked at, and which were not there."""
    note = f"not there: {', '.join(missing)}; name their folder with --data-root" if missing else ""
    return Finding(
        name="data",
        part=SIMILARITY,
        title="Data sets that were looked at",
        subject=", ".join(sets),
        verdict=INFO,
        value=float(len(sets)),
        note=note,
        details={"present": {name: len(images) for name, images in sets.items()}, "missing": missing},
    )


def _digest(weights: Path) -> str:
    return hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
