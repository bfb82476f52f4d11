"""Attack a network of this library with the Adversarial Robustness Toolbox (ART).

    pip install adversarial-robustness-toolbox
    python examples/art_on_our_network.py

Beware with a random network: of several random starts ART's PGD keeps whatever fooled a single draw of
the noise last, and its gradients take one draw each. Keep ``num_random_init`` at 0 or
1 and score the images on fresh noise, as here. ART works on numpy arrays and leaves gradients on the
parameters: call ``zero_grad`` before training goes on.
"""

import warnings

import numpy as np
import torch
from digits_network import accuracy, trained

import rsc_snn as rs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of ART's own imports
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

EPS = 16 / 255


def main() -> None:
    classifier, test = trained(), rs.data.load("digits").at(slice(100))
    images, labels = test.pixels(), test.labels
    model = PyTorchClassifier(
        classifier,
        loss=torch.nn.CrossEntropyLoss(),
        input_shape=tuple(images.shape[1:]),
        nb_classes=10,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    attack = ProjectedGradientDescentPyTorch(
        model, norm=np.inf, eps=EPS, eps_step=EPS / 4, max_iter=10, verbose=False
    )
    found = torch.from_numpy(attack.generate(images.numpy(), labels.numpy()))
    print(f"clean {100 * accuracy(classifier, images, labels):.0f} %")
    print(f"robust {100 * accuracy(classifier, found, labels):.0f} %")


if __name__ == "__main__":
    main()
