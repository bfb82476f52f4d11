"""What the paper's text claims, and what its own numbers say about it. Needs no torch."""

from rsc_snn.paper.claims import CLAIMS
from rsc_snn.report.reproduction.place import PLACES
from rsc_snn.report.sections import Section
from rsc_snn.report.tables import MISSING, Table


def claims_section() -> Section:
    """Return the section "Claims of the paper"."""
    rows = []
    for claim in CLAIMS:
        answer = claim.answer()
        where = answer.measured_by
        rows.append(
            [
                claim.says,
                claim.section,
                str(answer.verdict),
                "; ".join(answer.evidence) or MISSING,
                PLACES[where].name if where in PLACES else where or MISSING,
            ]
        )
    columns = ("claim, in other words", "where", "the paper's own numbers", "why", "measured by")
    words = (
        "What the text says, held against the numbers that the paper prints; what is measured stands above.",
    )
    return Section("Claims of the paper", words, [Table("Claims of the paper", columns, rows)])
