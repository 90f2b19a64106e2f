"""Quantities as Kubernetes writes them: `1Gi` of memory, `500m` of a processor.

Source: Kubernetes "Resource Management for Pods and Containers", "Quantity".
"""

import math

_UNITS = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 1 << 10,
    "Mi": 1 << 20,
    "Gi": 1 << 30,
    "Ti": 1 << 40,
}


def bytes_of(quantity: str) -> int:
    """Return how many bytes a quantity of memory is, rounded up; thousandths of one exist too."""
    number = quantity.rstrip("mkKMGTi")
    unit = quantity.removeprefix(number)
    factor = 0.001 if unit == "m" else _UNITS[unit]
    return math.ceil(float(number) * factor)
