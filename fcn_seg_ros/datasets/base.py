# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The base class of datasets of road images, and wrappers around datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fcn_seg_ros.datasets.options import DatasetOptions
from fcn_seg_ros.errors import InputError

if TYPE_CHECKING:
    import numpy as np

IGNORE = 255
# What a part of a dataset has in common with the whole.
_OF_WHOLE = ('check_first', 'labelled', 'faults', 'remarks', 'explain_labels', 'geometry')


@dataclass(frozen=True)
class Sample:
    """
    An image and its ground truth.

    ``image`` is uint8 RGB (H, W, 3); ``labels`` uint8 (H, W): 0 not road, 1 road, 255 not labelled.
    ``taught`` is a teacher's road probability, round(254 P) as uint8 (H, W), 255 where it has none.
    ``codes``, uint8 (H, W), are the labels of a network with other classes (see ``LabelCodes``).
    """

    name: str
    image: np.ndarray
    labels: np.ndarray
    taught: np.ndarray | None = None
    codes: np.ndarray | None = None


@dataclass(frozen=True)
class Classes:
    """
    The class of every pixel in a sample: ids, uint8 (H, W), and their names.

    All datasets share the names car, lorry, bus, motorcycle, pedestrian, cyclist, pavement and
    road; a dataset may add its own.
    """

    ids: np.ndarray
    names: Mapping[int, str]


class RoadDataset:
    """
    A sized, indexable set of samples; the same index always gives the same sample.

    A subclass implements ``__len__`` and ``__getitem__``. To be opened by name it is registered
    (``register_dataset``), with these facts: ``kind`` is its name in a spec, ``title`` and
    ``licence`` are for model cards. ``Options`` are its own options, ``scoring_options`` their
    defaults where it is scored instead of trained on. ``has_root``: it lies in a folder or file,
    ``has_splits``: it can be opened in part. ``third_party``: its licence is somebody else's.
    ``check_first``: every file is decoded before a training run starts.
    ``labelled``: samples have a ground truth, so one without road is a fault. ``named_by_root``: a
    model card names the folder or file, as the title says little.

    >>> import numpy as np
    >>> from fcn_seg_ros.datasets.base import RoadDataset, Sample
    >>> class Grey(RoadDataset):
    ...     kind, title, licence, has_root = 'grey', 'grey images', 'CC0', False
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         image = np.full((64, 96, 3), 100 * index, np.uint8)
    ...         return Sample(f'grey_{index}', image, np.zeros((64, 96), np.uint8))
    >>> Grey()[1].image.mean()
    np.float64(100.0)
    """

    kind: ClassVar[str] = ''
    title: ClassVar[str] = ''
    licence: ClassVar[str] = ''
    Options: ClassVar[type[DatasetOptions]] = DatasetOptions
    scoring_options: ClassVar[DatasetOptions | None] = None
    has_root: ClassVar[bool] = True
    has_splits: ClassVar[bool] = True
    third_party: ClassVar[bool] = True
    check_first: ClassVar[bool] = True
    labelled: ClassVar[bool] = True
    named_by_root: ClassVar[bool] = False

    @classmethod
    def open(cls, root: str, split: str | None, options: Any, strict: bool) -> RoadDataset:
        """
        Open the dataset; raises InputError.

        ``strict``: raise for the first sample at fault, instead of listing it in ``faults``.
        """
        arguments: dict[str, Any] = {'root': root} if cls.has_root else {}
        if cls.has_splits and cls.has_root:
            arguments |= {'split': split, 'strict': strict}
        return cls(**arguments, **vars(options))

    @classmethod
    def describe(cls, root: str, options: Any, images: int, which: str) -> str:
        """Return a model card's description of ``images`` images; ``which`` names the part used."""
        name = f' {Path(root).stem}' if cls.named_by_root else ''
        return f'{cls.title}{name}, {images} images ({which})'

    def __len__(self) -> int:
        """Return the number of samples."""
        raise NotImplementedError

    def __getitem__(self, index: int) -> Sample:
        """Return one sample."""
        raise NotImplementedError

    def labels(self, index: int) -> np.ndarray:
        """Return the labels of one sample, which may be faster than the whole sample."""
        return self[index].labels

    @property
    def faults(self) -> Sequence[InputError]:
        """Return the faults of the samples that were left out."""
        return ()

    @property
    def remarks(self) -> Sequence[str]:
        """Return what a user should know of how the files were understood, a line each."""
        return ()

    def explain_labels(self) -> str:
        """Return what the ground truth files hold, and the option that is likely missing."""
        return ''

    @property
    def parts(self) -> Sequence[RoadDataset]:
        """Return the datasets that this one consists of: only itself, unless it is a mixture."""
        return (self,)

    def geometry(self, name: str) -> np.ndarray | None:
        """
        Return the homography of the road plane in the sample ``name``, None if unknown.

        It is float64 (3, 3), as ``ground_homography`` gives it. Raises InputError for a broken
        calibration file.
        """
        return None

    def classes(self, index: int) -> Classes | None:
        """Return the classes of a sample's pixels, None if only road is labelled."""
        return None

    def submission_images(self) -> list[Path]:
        """Return the images to submit to KITTI Road's benchmark; InputError for other datasets."""
        raise InputError('--submission needs a KITTI Road folder as SET')

    @classmethod
    def only_test_images(cls, root: str) -> list[Path]:
        """Return the images of a benchmark's test set, where ``root`` holds nothing else."""
        return []


class Joined(RoadDataset):
    """
    Several datasets as one, in the order given.

    With ``numbered``, sample names are prefixed with the number of their dataset, so that they are
    unique.
    """

    def __init__(self, parts: Sequence[RoadDataset], numbered: bool = False) -> None:
        self._samples = [(part, index) for part in parts for index in range(len(part))]
        self._numbers = {id(part): number for number, part in enumerate(parts)}
        self._numbered = numbered

    def __len__(self) -> int:
        """Return the number of samples of all parts."""
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample from the part that contains it."""
        part, position = self._samples[index]
        sample = part[position]
        if not self._numbered:
            return sample
        return replace(sample, name=f'{self._numbers[id(part)]}/{sample.name}')


class Part(RoadDataset):
    """Some samples of a dataset, by their indices."""

    def __init__(self, dataset: RoadDataset, numbers: Sequence[int]) -> None:
        self._dataset = dataset
        self._numbers = numbers

    def __getattribute__(self, name: str) -> Any:
        """Return what is the same for a part from the dataset."""
        if name in _OF_WHOLE:
            return getattr(self._dataset, name)
        return super().__getattribute__(name)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._numbers)

    def __getitem__(self, index: int) -> Sample:
        """Return one sample."""
        return self._dataset[self._numbers[index]]

    def labels(self, index: int) -> np.ndarray:
        """Return the labels of one sample."""
        return self._dataset.labels(self._numbers[index])

    def classes(self, index: int) -> Classes | None:
        """Return the classes of a sample's pixels, None if only road is labelled."""
        return self._dataset.classes(self._numbers[index])
