"""When step sizes are reviewed."""


def checkpoints(num_steps: int) -> dict[int, int]:
    """Return after which of the steps (1, 2, ...) a review takes place, each with the steps since the last.

    The first comes after 22 % of the steps; each further wait is shorter by 3 % of the steps, down to 6 %
    [arXiv:2003.01690, Section 3]. Shares are rounded down, but to 1 at least, as in the authors' code.
    """
    length, shortest, change = (max(int(share * num_steps), 1) for share in (0.22, 0.06, 0.03))
    found, step = {}, length
    while step <= num_steps:
        found[step] = length
        length = max(length - change, shortest)
        step += length
    return found
