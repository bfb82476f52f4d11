"""QTE against the paper's printed tables."""

import pytest

import rsc_snn as rs
from rsc_snn.errors import InputError
from rsc_snn.evaluation.qte import qte_estimate

# Complete rows of the paper: clean, FGSM, PGD in percent at eps 0 and 8/255, then F-QTE and P-QTE.
TABLE_4 = {
    "CIFAR-10 VGG-5 Direct": (90.69, 20.75, 3.52, 4.46, 3.77),
    "CIFAR-10 VGG-5 Poisson": (83.18, 43.06, 36.15, 5.05, 4.77),
    "CIFAR-10 VGG-5 RSC-0.1": (80.29, 59.25, 49.55, 5.58, 5.19),
    "CIFAR-100 VGG-11 Direct": (72.45, 11.79, 4.08, 3.37, 3.06),
    "CIFAR-100 VGG-11 Poisson": (58.49, 31.03, 27.36, 3.58, 3.43),
    "CIFAR-100 VGG-11 RSC-0.1": (57.05, 41.74, 35.56, 3.95, 3.70),
    "Tiny-ImageNet VGG-16 Direct": (57.90, 14.82, 8.15, 2.91, 2.64),
    "Tiny-ImageNet VGG-16 Poisson": (48.14, 21.22, 16.73, 2.77, 2.59),
    "Tiny-ImageNet VGG-16 RSC-0.1": (47.47, 35.06, 29.40, 3.30, 3.07),
    "ImageNet SEW-ResNet-18 Direct": (64.40, 15.75, 11.89, 3.21, 3.05),
    "ImageNet SEW-ResNet-18 Poisson": (52.29, 16.87, 16.65, 2.77, 2.76),
    "ImageNet SEW-ResNet-18 RSC-0.1": (53.79, 29.52, 27.91, 3.33, 3.27),
}
TABLE_6 = {
    "CIFAR-10 VGG-5 Baseline": (80.29, 51.29, 37.28, 5.26, 4.70),
    "CIFAR-10 VGG-5 +E-RSCT": (82.03, 54.52, 39.98, 5.46, 4.88),
    "CIFAR-100 VGG-11 Baseline": (57.05, 32.48, 24.35, 3.58, 3.26),
    "CIFAR-100 VGG-11 +E-RSCT": (58.04, 34.89, 26.67, 3.72, 3.39),
    "Tiny-ImageNet VGG-16 Baseline": (47.47, 22.63, 13.75, 2.80, 2.45),
    "Tiny-ImageNet VGG-16 +E-RSCT": (48.29, 24.01, 15.46, 2.89, 2.55),
    "ImageNet SEW-ResNet-18 Baseline": (53.79, 25.86, 7.38, 3.19, 2.45),
    "ImageNet SEW-ResNet-18 +E-RSCT": (54.77, 27.21, 8.84, 3.28, 2.54),
}


@pytest.mark.parametrize("row", [*TABLE_4.values(), *TABLE_6.values()], ids=[*TABLE_4, *TABLE_6])
def test_qte_reproduces_the_printed_decimals(row: tuple[float, ...]) -> None:
    clean, fgsm, pgd, f_qte, p_qte = row
    for attacked, printed in ((fgsm, f_qte), (pgd, p_qte)):
        measured = rs.qte((0, 8), (clean / 100, attacked / 100))
        assert abs(measured - printed) <= 0.005 + 1e-9


def test_qte_is_the_area_whatever_the_direction() -> None:
    assert rs.qte((8, 0), (0.5, 1.0)) == pytest.approx(6.0)
    assert rs.qte((0, 2, 4, 8), (1.0, 0.8, 0.5, 0.1)) == pytest.approx(1.8 + 1.3 + 1.2)


def test_the_interval_is_that_of_the_mean_share() -> None:
    """Two images, QTE 8 and 4 of a range of 8: shares 1 and 1/2, mean 3/4 over n = 2."""
    estimate = qte_estimate((0, 8), [[1.0, 1.0], [1.0, 0.0]])
    z2 = 1.959963984540054**2
    centre = (0.75 + z2 / 4) / (1 + z2 / 2)
    half = (z2 * (0.75 * 0.25 + z2 / 8) / 2) ** 0.5 / (1 + z2 / 2)
    assert estimate == pytest.approx((6.0, 8 * (centre - half), 8 * (centre + half)))


@pytest.mark.parametrize(
    ("strengths", "accuracies", "message"),
    [
        ((0,), (0.5,), "at least two strengths"),
        ((0, 8), (0.5,), "2 strengths and 1 accuracies"),
        ((0, 8), (80.0, 50.0), "fractions in"),
        ((0, 8, 4), (0.9, 0.5, 0.6), "rise"),
        ((0, 0), (0.9, 0.5), "rise"),
        ((0, float("nan")), (0.9, 0.5), "fractions|rise"),
    ],
)
def test_bad_input_is_refused(
    strengths: tuple[float, ...], accuracies: tuple[float, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        rs.qte(strengths, accuracies)
