"""The part of a report that sets a reproduction beside the paper: from rows to sections. Needs no torch."""
