"""Attack a network of this library with torchattacks.

    pip install torchattacks
    python examples/torchattacks_on_our_network.py

A SpikingClassifier is a plain module from images in [0, 1] to logits, fresh at every call. Beware with a
random network: torchattacks takes one draw of the noise for each gradient (PGD) or a mean over draws
(EOTPGD, whose draws are its own), and its APGD seeds torch's global generator, from which a plain call
draws the noise: the attack then meets the same noise at every run. So score the images on noise of your
own, as here, and over several draws: a single wrong answer is no success.
"""

import torchattacks
from digits_network import accuracy, trained

import rsc_snn as rs

EPS = 16 / 255


def main() -> None:
    classifier, test = trained(), rs.data.load("digits").at(slice(100))
    images, labels = test.pixels(), test.labels
    print(f"clean {100 * accuracy(classifier, images, labels):.0f} %")
    attacks = {
        "PGD": torchattacks.PGD(classifier, eps=EPS, alpha=EPS / 4, steps=10),
        "EOTPGD": torchattacks.EOTPGD(classifier, eps=EPS, alpha=EPS / 4, steps=10, eot_iter=5),
    }
    for name, attack in attacks.items():
        print(f"robust {100 * accuracy(classifier, attack(images, labels), labels):.0f} % under {name}")


if __name__ == "__main__":
    main()
