"""The claims of the paper's text that numbers can support or refute, in the order of its sections."""

from rsc_snn.paper import claims_of_method, claims_of_results
from rsc_snn.paper.claim import Claim

CLAIMS: tuple[Claim, ...] = (*claims_of_method.CLAIMS, *claims_of_results.CLAIMS)
