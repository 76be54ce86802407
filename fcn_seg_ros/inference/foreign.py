# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Other projects' networks: an OpenVINO IR and a short description of its input and output."""

from __future__ import annotations

import time
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.files import read_file
from fcn_seg_ros.inference.backends import resolve_device
from fcn_seg_ros.inference.backends.hardware import cpu_has_bf16
from fcn_seg_ros.inference.exported import is_exported, read_ir
from fcn_seg_ros.inference.preprocess import resize_image
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY
from fcn_seg_ros.resources import share_file
from fcn_seg_ros.yaml_text import parse_yaml

_CHOICES = {'channel_order': ('rgb', 'bgr'), 'output': ('probabilities', 'logits'),
            'decision': ('sum', 'likeliest')}


@dataclass(frozen=True)
class Description:
    """
    The facts that an IR does not contain.

    Images of any shape are squeezed to ``input_size`` (width, height). The network's input is
    (value - ``mean``) / ``std`` for values of 0 to 255, in ``channel_order``. Its output, (1, K, h,
    w), holds ``probabilities`` or ``logits`` of the ``classes``. P(road) is the ``sum`` over the
    classes ``road``, or, with ``likeliest``, r / (r + o) for the probabilities r of the likeliest
    road class and o of the likeliest other class, so that a threshold of 0.5 gives the arg-max.
    """

    name: str
    licence: str
    input_size: tuple[int, int]
    classes: tuple[str, ...]
    road: tuple[str, ...]
    channel_order: str = 'rgb'
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    output: str = 'probabilities'
    decision: str = 'sum'
    threshold: float = 0.5

    def __post_init__(self) -> None:
        """Refuse invalid values."""
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f'{name}: {getattr(self, name)!r} is not one of '
                                 f'{", ".join(allowed)}')
        if not 0 < len(set(self.road) & set(self.classes)) == len(self.road) < len(self.classes):
            raise ValueError(f'road: {list(self.road)} is not a proper subset of the classes '
                             f'{list(self.classes)}')
        if len(self.input_size) != 2 or min(self.input_size) < 1:
            raise ValueError(f'input_size: {list(self.input_size)} is not a width and height')
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError('mean, std: each is three numbers, and std above 0')
        if not 0 <= self.threshold <= 1:
            raise ValueError(f'threshold: {self.threshold} is not in 0 to 1')

    @property
    def road_ids(self) -> list[int]:
        """Return the numbers of the classes that are road."""
        return [self.classes.index(name) for name in self.road]


def read_description(path: str | Path) -> Description:
    """Read a Description from a YAML or JSON file; raises InputError."""
    path = Path(path)
    try:
        values = parse_yaml(read_file(path, 'the description of a network', 2**20), path)
        if not isinstance(values, dict):
            raise ValueError('not a mapping')
        hints = typing.get_type_hints(Description)
        unknown = [name for name in values if name not in hints]
        if unknown:
            raise ValueError(f'unknown: {", ".join(map(str, unknown))}')
        arguments: dict[str, Any] = {name: tuple(value) if _is_tuple(hints[name]) else value
                                     for name, value in values.items()}
        return Description(**arguments)
    except InputError:
        raise
    except (ValueError, TypeError) as error:
        raise InputError(f'{path}: the description of the network is not valid '
                         f'({one_line(error)})') from None


def is_foreign(path: str | Path) -> bool:
    """Return whether a file is an IR not written by this package; raises InputError."""
    return is_exported(path) and not read_ir(path).has_rt_info([METADATA_KEY])


def find_description(path: str | Path) -> Description:
    """
    Return an IR's description: ``STEM.yaml`` next to it, or the packaged one for its name.

    The name is the one stored in the IR. Raises InputError if there is no description.
    """
    beside = Path(path).with_suffix('.yaml')
    if beside.is_file():
        return read_description(beside)
    name = read_ir(path).get_friendly_name()
    try:
        return read_description(share_file(f'config/{name}.yaml'))
    except InputError:
        raise InputError(f'{path}: not a network written by this package, and {beside.name}, which '
                         'would describe it, is missing') from None


class ForeignNetwork:
    """
    Another project's IR in the OpenVINO backend.

    ``threshold`` comes from the description. Raises InputError for an IR that does not match its
    description, and for a device or precision that the backend lacks.
    """

    def __init__(self, path: str | Path, description: Description | None = None,
                 device: str = 'auto', precision: str = 'auto', threads: int = 0) -> None:
        self.description = description or find_description(path)
        self.name = self.description.name
        self.threshold = self.description.threshold
        if device != 'auto' and resolve_device(device) != 'cpu':
            raise InputError(f'{path}: expected the device auto or cpu for another project\'s '
                             f'network, found {device!r}')
        if precision == 'auto':
            precision = 'bf16' if cpu_has_bf16() else 'fp32'
        if precision not in ('fp32', 'bf16') or (precision == 'bf16' and not cpu_has_bf16()):
            raise InputError(f'{path}: expected the precision auto, fp32 or (if the CPU has it) '
                             f'bf16 for another project\'s network, found {precision!r}')
        from fcn_seg_ros.inference.backends.openvino import OpenVinoBackend
        self.backend = OpenVinoBackend(_whole_graph(Path(path), self.description), precision,
                                       threads)

    def probability(self, image: np.ndarray) -> np.ndarray:
        """Return round(255 P(road)), uint8 (H, W), of an RGB image, uint8 (H, W, 3)."""
        width, height = self.description.input_size
        levels = self.backend(resize_image(image, (height, width))[None])
        return resize_image(levels[0, :, :, 0], (image.shape[0], image.shape[1]))

    def timed(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the probability, and how many milliseconds the whole call took."""
        start = time.perf_counter()
        probability = self.probability(image)
        return probability, 1e3 * (time.perf_counter() - start)

    def close(self) -> None:
        """Free the memory; the network cannot be used afterwards."""
        self.backend.close()


def _whole_graph(path: Path, description: Description) -> Any:
    """Return the network with the backends' interface: RGB uint8 (1, H, W, 3) to (1, H, W, 1)."""
    model = read_ir(path)
    width, height = description.input_size
    try:
        shapes = [tuple(port.shape) for port in (*model.inputs, *model.outputs)]
    except RuntimeError:  # raised for dynamic dimensions
        shapes = []
    if shapes != [(1, 3, height, width), (1, len(description.classes), height, width)]:
        raise InputError(f'{path}: expected one input (1, 3, {height}, {width}) and one output (1, '
                         f'{len(description.classes)}, {height}, {width}) as its description '
                         f'says, found {", ".join(map(str, shapes)) or "dynamic shapes"}')
    from fcn_seg_ros.inference.foreign_graph import with_images_and_levels
    return with_images_and_levels(model, description)


def _is_tuple(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple
