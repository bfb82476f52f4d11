"""Claims of Section 4: attacks, adversarial training, E-RSCT, noise levels, other works."""

from rsc_snn.paper.claim import Answer, Cells, Claim, Verdict
from rsc_snn.paper.evidence import (
    NETWORKS,
    Cell,
    above,
    all_of,
    beside,
    change,
    gain,
    lost,
    measured_by,
    pairs,
)
from rsc_snn.paper.rows import ATTACKED, QTES

_CIFAR10, _CIFAR100, _TINY, _RESNET, _SEW = NETWORKS
_BLACK_BOX = (_CIFAR10, _CIFAR100, _TINY, _SEW)
_CODINGS = ("Direct", "Poisson")
_ERSCT = "RSC-0.1 + E-RSCT"
_ACCURACIES = ("Clean", *ATTACKED)
_IMPOSSIBLE = 58.91


def _impossible_gain(cells: Cells) -> Answer:
    """The gain cannot be larger than the accuracy itself; as a ratio it asks too much of direct coding."""
    rsc = Cell("table6", _CIFAR10, "RSC-0.1", "PGD").value(cells)
    black_box = Cell("table4", _CIFAR10, "Direct", "PGD").value(cells)
    if rsc is None or black_box is None:
        return Answer(Verdict.LOST, ("a cell of PGD on CIFAR-10 is lost",))
    verdict = Verdict.CONTRADICTED if rsc < _IMPOSSIBLE else Verdict.HOLDS
    ratio = rsc / (1 + _IMPOSSIBLE / 100)
    return Answer(
        verdict,
        (
            f"RSC-0.1 has {rsc:.2f} under PGD (Tables 5 and 6), so the gain is at most {rsc:.2f}",
            f"read as a ratio, Direct would have {ratio:.2f}, but it has {black_box:.2f} even under the "
            "black-box attack of Table 4",
        ),
    )


def _average_gain(cells: Cells) -> Answer:
    """The mean over Clean, FGSM and PGD is above one point on each data set; of Clean alone it is not."""
    rows = []
    for network in (_CIFAR100, _TINY, _SEW):
        before = [Cell("table6", network, "RSC-0.1", column).value(cells) for column in _ACCURACIES]
        after = [Cell("table6", network, _ERSCT, column).value(cells) for column in _ACCURACIES]
        rows.append([b - a for a, b in zip(before, after, strict=True) if a is not None and b is not None])
    if any(len(row) < len(_ACCURACIES) for row in rows):
        return Answer(Verdict.LOST, ("a cell of Table 6 is lost",))
    means = [sum(row) / len(row) for row in rows]
    overall, clean = sum(means) / len(means), sum(row[0] for row in rows) / len(rows)
    verdict = Verdict.HOLDS if min(means) > 1 else Verdict.CONTRADICTED
    shown = ", ".join(f"{mean:.2f}" for mean in means)
    return Answer(
        verdict,
        (
            f"Table 6, mean gain of Clean, FGSM and PGD on CIFAR-100, Tiny-ImageNet, ImageNet: {shown}; "
            f"{overall:.2f} over all nine",
            f"of the clean accuracy alone the mean gain is {clean:.2f}, which is {_side(clean)} 1",
        ),
    )


def _side(value: float) -> str:
    return "above" if value > 1 else "not above"


def _over_others(network: tuple[str, str], other: str, fgsm: float, pgd: float) -> Claim:
    """A gain over a row of Table 7, which cannot be read."""
    name = f"{other.lower()}-{network[0].lower().replace('-', '')}"
    row = Cell("table6", network, "RSC-0.1", "PGD")

    def check(cells: Cells) -> Answer:
        plain = row.value(cells)
        facts = [f"the row {other} of Table 7 cannot be read; Table 7 here is computed from this very claim"]
        if plain is not None and plain < pgd:
            facts.append(f"RSC-0.1 without E-RSCT has PGD {plain:.2f}, so the gain cannot be its own")
        return Answer(Verdict.LOST, tuple(facts))

    says = f"On {network[0]} our network is {fgsm:.2f} (FGSM) and {pgd:.2f} (PGD) points above {other}."
    return Claim(f"above-{name}", "Section 4.5", says.replace("our network", "RSC"), check)


_WHITE_BOX = (
    Claim(
        "white-box-cifar",
        "Section 4.2",
        "Under white-box attacks on CIFAR-10 and CIFAR-100, RSC is more robust than Direct and Poisson.",
        above(pairs("table3", (_CIFAR10, _CIFAR100), "RSC-0.1", _CODINGS, ATTACKED)),
    ),
    Claim(
        "white-box-tiny-imagenet",
        "Section 4.2",
        "Under white-box attacks on Tiny-ImageNet, RSC is more robust than Direct and Poisson.",
        above(pairs("table3", (_TINY,), "RSC-0.1", _CODINGS, ATTACKED)),
    ),
    Claim(
        "white-box-imagenet",
        "Section 4.2",
        "Under white-box attacks on ImageNet, RSC is more robust than Direct and Poisson.",
        above(pairs("table3", (_RESNET, _SEW), "RSC-0.1", _CODINGS, ATTACKED)),
    ),
    Claim(
        "white-box-above-poisson",
        "Section 4.2",
        "RSC is more robust than Poisson coding, which is said to verify Theorems 3.2 and 3.3.",
        beside(
            above(pairs("table3", NETWORKS, "RSC-0.1", ["Poisson"], ATTACKED)),
            "the text does not say whether little noise is meant too",
            pairs("table3", (_TINY,), "RSC-0.01", ["Poisson"], ATTACKED),
        ),
    ),
    Claim(
        "gain-of-58.91",
        "Section 4.2",
        "On CIFAR-10 under PGD, RSC on VGG-5 is 58.91 % above direct coding.",
        _impossible_gain,
    ),
    Claim(
        "white-box-qte",
        "Section 4.2",
        "Under white-box attacks F-QTE and P-QTE improve with RSC.",
        beside(
            above(pairs("table3", NETWORKS, "RSC-0.1", _CODINGS, QTES)),
            "the text compares codings, not RSC with an ANN",
            pairs("table3", NETWORKS[:4], "RSC-0.1", ["ANN"], QTES),
        ),
    ),
    Claim(
        "rsc-costs-clean",
        "Sections 4.3 and 4.5",
        "RSC lowers clean accuracy.",
        above(pairs("table3", NETWORKS, "Direct", ["RSC-0.1"], ["Clean"])),
    ),
)

_BLACK_BOX_AND_TRAINING = (
    Claim(
        "black-box",
        "Section 4.2",
        "Under black-box attacks RSC is more robust than Direct and Poisson.",
        above(pairs("table4", _BLACK_BOX, "RSC-0.1", _CODINGS, ATTACKED)),
    ),
    Claim(
        "black-box-qte",
        "Section 4.2",
        "Under black-box attacks F-QTE and P-QTE improve with RSC.",
        above(pairs("table4", _BLACK_BOX, "RSC-0.1", _CODINGS, QTES)),
    ),
    *(
        Claim(
            f"adversarial-training-{network[0].lower().replace('-', '')}",
            "Section 4.2",
            f"On {network[0]} adversarial training lifts RSC from {f0} to {f1} (FGSM), {p0} to {p1} (PGD).",
            all_of(
                *(
                    change(
                        a,
                        b,
                        Cell("table5", network, "RSC-0.1", column),
                        Cell("table5", network, "RSC-0.1 + Adv", column),
                    )
                    for column, a, b in (("FGSM", f0, f1), ("PGD", p0, p1))
                )
            ),
        )
        for network, f0, f1, p0, p1 in (
            (_CIFAR10, 51.29, 55.58, 37.28, 43.59),
            (_CIFAR100, 32.48, 35.53, 24.35, 27.57),
        )
    ),
    Claim(
        "adversarial-training-of-others",
        "Section 4.2",
        "Direct and Poisson were trained adversarially as well, to be compared with RSC.",
        lost("Table 5 has no row of Direct or Poisson"),
    ),
    Claim(
        "ersct-improves",
        "Section 4.3",
        "E-RSCT raises clean and robust accuracy on all data sets.",
        above(pairs("table6", _BLACK_BOX, _ERSCT, ["RSC-0.1"], _ACCURACIES)),
    ),
    Claim(
        "ersct-cifar10",
        "Section 4.3",
        "On CIFAR-10 E-RSCT adds 1.74 (Clean), 3.23 (FGSM) and 2.70 (PGD) points.",
        all_of(
            *(
                gain(
                    claimed,
                    Cell("table6", _CIFAR10, _ERSCT, column),
                    Cell("table6", _CIFAR10, "RSC-0.1", column),
                )
                for column, claimed in (("Clean", 1.74), ("FGSM", 3.23), ("PGD", 2.70))
            )
        ),
    ),
    Claim(
        "ersct-other-data",
        "Section 4.3",
        "On the other data sets E-RSCT adds more than one point of accuracy on average.",
        _average_gain,
    ),
    Claim(
        "ersct-qte",
        "Section 4.3",
        "E-RSCT raises F-QTE and P-QTE.",
        above(pairs("table6", _BLACK_BOX, _ERSCT, ["RSC-0.1"], QTES)),
    ),
)

_NOISE_AND_OTHERS = (
    Claim(
        "more-noise-less-accurate",
        "Section 4.4, Figure 3",
        "The larger the variance of RSC, the lower the clean accuracy.",
        measured_by("figure3", tables=above(pairs("table3", (_TINY,), "RSC-0.01", ["RSC-0.1"], ["Clean"]))),
    ),
    Claim(
        "more-noise-more-robust",
        "Section 4.4, Figure 3",
        "The larger the variance of RSC, the higher the robust accuracy at every strength.",
        measured_by("figure3", tables=above(pairs("table3", (_TINY,), "RSC-0.1", ["RSC-0.01"], ATTACKED))),
    ),
    Claim(
        "more-noise-wider-spread",
        "Section 4.4, Figure 3",
        "The larger the variance of RSC, the more robust accuracy varies with the strength of the attack.",
        measured_by("figure3"),
    ),
    _over_others(_CIFAR10, "Vanilla", 48.33, 39.95),
    _over_others(_CIFAR10, "SNN-RAT", 9.29, 18.82),
    _over_others(_CIFAR100, "Vanilla", 29.59, 26.65),
    _over_others(_CIFAR100, "SNN-RAT", 9.03, 16.29),
    Claim(
        "qte-as-others",
        "Section 4.5",
        "F-QTE and P-QTE of RSC are comparable to the best of other works.",
        lost("the clean accuracies, and so the QTEs, of the other works' rows in Table 7 are lost"),
    ),
    Claim(
        "less-accurate-than-vanilla",
        "Section 4.5",
        "The clean accuracy of RSC is below that of the vanilla network of Table 7.",
        lost("the clean accuracy of that row is lost, and whether it is Direct is not said"),
    ),
)

CLAIMS = (*_WHITE_BOX, *_BLACK_BOX_AND_TRAINING, *_NOISE_AND_OTHERS)
