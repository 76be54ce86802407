# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint: one safetensors file that holds the network and all that is known of it."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.models.fcn import make_network

FORMAT_VERSION = 1
METADATA_KEY = 'fcn_seg_ros'
# Tensors of this name are not weights.
_SELF_TEST = 'self_test.'


@dataclass(frozen=True)
class CheckpointInfo:
    """
    What a user of the network must know, stored beside the weights.

    ``mean`` and ``std`` are in units of pixel value / 255, in ``channel_order``. ``threshold`` is
    on the calibrated probability, softmax(logits / temperature) summed over ``road_ids``.
    ``palette`` holds one RGB colour per class.
    """

    encoder: str
    decoder: str
    classes: tuple[str, ...]
    road_ids: tuple[int, ...]
    palette: tuple[tuple[int, int, int], ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channel_order: str
    network_height: int
    skip_scales: tuple[float, float] = (1.0, 1.0)
    resize_policy: str = 'keep_aspect'
    threshold: float = 0.5
    temperature: float = 1.0
    scores: dict[str, Any] = field(default_factory=dict)
    training_data: str = ''
    licence: str = ''
    git_commit: str = ''
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True)
class SelfTest:
    """
    What the network must answer to one image, so that whoever loads it can see that it works.

    ``image`` is uint8 RGB (H, W, 3), rendered; ``probability`` uint8 (H, W), round(255 P(road)) of
    that image in fp32 at the checkpoint's network height.
    """

    image: Tensor
    probability: Tensor


@dataclass(frozen=True)
class Checkpoint:
    """A network in eval mode with float32 weights, what is known of it, and where it came from."""

    network: nn.Module
    info: CheckpointInfo
    path: Path | None = None
    self_test: SelfTest | None = None


def save_checkpoint(path: str | Path, network: nn.Module, info: CheckpointInfo) -> None:
    """
    Write the network's weights, rounded to fp16, with its metadata; the file is never partial.

    Raises ValueError where a weight is not finite in fp16: such a network must not be shipped.
    """
    tensors = {name: _compact(value) for name, value in network.state_dict().items()}
    broken = [name for name, value in tensors.items() if not value.isfinite().all()]
    if broken:
        raise ValueError(f'{path}: {broken[0]} is not finite in half precision')
    _write(Path(path), tensors, info)


def with_info(path: str | Path, info: CheckpointInfo) -> None:
    """Replace the metadata of a checkpoint file and keep its weights as they are."""
    with _open(Path(path)) as file:
        tensors = _tensors(file)
    _write(Path(path), tensors, info)


def with_self_test(path: str | Path, expected: SelfTest) -> None:
    """Put a self-test into a checkpoint file, or replace the one in it."""
    with _open(Path(path)) as file:
        tensors, info = _tensors(file), parse_info(Path(path), file.metadata())
    own = {f'{_SELF_TEST}{name}': value.to(torch.uint8).contiguous()
           for name, value in vars(expected).items()}
    _write(Path(path), tensors | own, info)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """
    Read a checkpoint file; no code from the file runs.

    Raises InputError, one line with the file and the reason, for a missing, truncated or foreign
    file, for one of a newer format, and for weights that do not fit the network it names.
    """
    path = Path(path)
    with _open(path) as file:
        info = parse_info(path, file.metadata())
        tensors = _tensors(file)
    self_test = _take_self_test(path, tensors)
    try:
        # On the meta device nothing is initialised, which for VGG16 would take seconds.
        with torch.device('meta'):
            network = make_network(info.encoder, info.decoder, len(info.classes),
                                   skip_scales=info.skip_scales)
    except InputError as error:
        raise InputError(f'{path}: {error}') from None
    tensors = {name: value.float() if value.is_floating_point() else value
               for name, value in tensors.items()}
    try:
        network.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise InputError(f'{path}: expected the weights of {info.decoder} on {info.encoder}, '
                         f'found others ({one_line(error)})') from None
    return Checkpoint(network.eval(), info, path, self_test)


def _tensors(file: Any) -> dict[str, Tensor]:
    return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _take_self_test(path: Path, tensors: dict[str, Tensor]) -> SelfTest | None:
    """Remove the self-test from the tensors of a file and return it, None where there is none."""
    own = {name.removeprefix(_SELF_TEST): tensors.pop(name) for name in list(tensors)
           if name.startswith(_SELF_TEST)}
    if not own:
        return None
    image, probability = own.get('image'), own.get('probability')
    if (image is None or probability is None or image.dtype != torch.uint8 or image.ndim != 3
            or image.shape[2] != 3 or probability.dtype != torch.uint8
            or probability.shape != image.shape[:2]):
        shapes = ', '.join(f'{name} {value.dtype} {tuple(value.shape)}'
                           for name, value in own.items())
        raise InputError(f'{path}: expected a self-test of an image, uint8 (H, W, 3), and its '
                         f'probability, uint8 (H, W), found {shapes}')
    return SelfTest(image, probability)


def _compact(value: Tensor) -> Tensor:
    value = value.detach().cpu()
    if value.is_floating_point():
        value = value.to(torch.float16)
    return value.contiguous()


def _write(path: Path, tensors: dict[str, Tensor], info: CheckpointInfo) -> None:
    make_folder(path.parent)
    metadata = {METADATA_KEY: json.dumps(dataclasses.asdict(info), sort_keys=True)}
    write_file(path, save(tensors, metadata))


def _open(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f'{path}: expected a checkpoint file (.safetensors), found '
                         f'{"a folder" if path.is_dir() else "nothing"}')
    try:
        return safe_open(str(path), framework='pt')
    except (SafetensorError, OSError) as error:
        raise InputError(f'{path}: expected a whole safetensors file, found a broken or foreign '
                         f'one ({error})') from None


def parse_info(path: Path, metadata: dict[str, str] | None) -> CheckpointInfo:
    """Return the metadata of a file from its table of texts; raises InputError naming the file."""
    text = (metadata or {}).get(METADATA_KEY)
    if text is None:
        raise InputError(f'{path}: expected the metadata {METADATA_KEY!r} of a checkpoint that '
                         '`train` wrote, found a safetensors file without it')
    try:
        values = json.loads(text)
        version = values.get('format_version')
        if version != FORMAT_VERSION:
            raise InputError(f'{path}: expected checkpoint format {FORMAT_VERSION}, '
                             f'found {version}')
        known = typing.get_type_hints(CheckpointInfo)
        info = CheckpointInfo(**{key: _tuples(value) if _is_tuple(known[key]) else value
                                 for key, value in values.items() if key in known})
        _check(info)
    except InputError:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f'{path}: expected complete checkpoint metadata, found a fault in it '
                         f'({error})') from None
    return info


def _check(info: CheckpointInfo) -> None:
    ids = range(len(info.classes))
    if not info.road_ids or any(road not in ids for road in info.road_ids):
        raise ValueError(f'road_ids {info.road_ids} do not name classes of {info.classes}')
    if len(info.palette) != len(info.classes):
        raise ValueError(f'{len(info.palette)} colours for {len(info.classes)} classes')
    if info.channel_order not in ('rgb', 'bgr'):
        raise ValueError(f'channel_order {info.channel_order!r} is neither rgb nor bgr')
    if info.network_height < 32 or not 0 <= info.threshold <= 1 or info.temperature <= 0:
        raise ValueError('network_height, threshold or temperature is out of range')


def _is_tuple(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple and not isinstance(hint, types.UnionType)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
