"""Attack a network of this library with foolbox.

    pip install foolbox
    python examples/foolbox_on_our_network.py

Beware with a random network: the third result of a foolbox attack says whether a single draw of the noise
was answered wrongly, on noise that is drawn once more. Below it is printed beside the accuracy over fresh
draws, which is the number to report. Give ``device``: foolbox moves the module to a GPU if it finds one.
"""

import warnings

from digits_network import accuracy, trained

import rsc_snn as rs

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of foolbox's own imports
    import foolbox

EPS = 16 / 255


def main() -> None:
    classifier, test = trained(), rs.data.load("digits").at(slice(100))
    images, labels = test.pixels(), test.labels
    model = foolbox.PyTorchModel(classifier, bounds=(0, 1), device=images.device)
    attack = foolbox.attacks.LinfPGD(abs_stepsize=EPS / 4, steps=10)
    _, found, is_fooled = attack(model, images, labels, epsilons=EPS)
    print(f"clean {100 * accuracy(classifier, images, labels):.0f} %")
    print(f"robust {100 * accuracy(classifier, found, labels):.0f} % over fresh noise")
    print(f"foolbox's own count, one draw: {100 * (1 - float(is_fooled.float().mean())):.0f} %")


if __name__ == "__main__":
    main()
