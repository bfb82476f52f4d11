"""Attack a network of this library with the APGD of pyautoattack.

    pip install pyautoattack
    python examples/pyautoattack_on_our_network.py

Beware with a random network: AutoAttack's "robust accuracy" counts an image as lost as soon as one draw of
the noise is answered wrongly, the clean image included, which even an attack that changes nothing brings
about; and it seeds torch's global generator, so that every run meets the same noise. Below its number is
printed beside the accuracy over fresh draws of the points of highest loss, which ``best_loss=True`` returns.
"""

import torch
from digits_network import accuracy, trained
from pyautoattack import AutoAttack

import rsc_snn as rs

EPS = 16 / 255


def main() -> None:
    classifier, test = trained(), rs.data.load("digits").at(slice(100))
    images, labels = test.pixels(), test.labels
    attack = AutoAttack(classifier, eps=EPS, version="custom", attacks=["apgd-ce"], seed=0)
    attack.apgd.n_iter, attack.apgd.n_restarts, attack.apgd.eot_iter, attack.apgd.loss = 10, 1, 2, "ce"
    with torch.random.fork_rng():
        found = attack.apgd.perturb(images, labels, best_loss=True)
        _, answers = attack.run_standard_evaluation(images, labels)
    print(f"clean {100 * accuracy(classifier, images, labels):.0f} %")
    print(f"robust {100 * accuracy(classifier, found, labels):.0f} % over fresh noise")
    own = float((answers == labels).float().mean())
    print(f"pyautoattack's own count, no draw answered wrongly: {100 * own:.0f} %")


if __name__ == "__main__":
    main()
