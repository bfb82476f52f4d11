"""What the report shows of the inside of a run: example images, spikes and membranes, activity."""

from rsc_snn.report.activity import activity_section
from rsc_snn.report.rasters import raster_section
from rsc_snn.report.sections import Section
from rsc_snn.report.strips import strip_section
from rsc_snn.runs.examples import read_examples
from rsc_snn.runs.folder import RunFolder


def example_sections(name: str, folder: RunFolder) -> list[Section]:
    """Return the sections of what was observed in a run; none where it was not observed.

    Args:
        name: What the report calls the run.
        folder: The run.

    Raises:
        RunFolderError: a file is damaged or of another version.
    """
    sections: list[Section] = []
    examples = read_examples(folder.examples)
    if examples is not None:
        sections += [strip_section(name, examples), raster_section(name, examples)]
    if rows := folder.activity_rows():
        sections.append(activity_section(name, rows))
    return sections
