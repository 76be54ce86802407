# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots of an evaluation: precision/recall, reliability, and the worst images."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, RoadDataset
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.calibration import BAND, BINS, Calibration, reliability
from fcn_seg_ros.evaluation.class_scores import ClassScores
from fcn_seg_ros.evaluation.evaluate import ALL, Evaluation, ViewScores
from fcn_seg_ros.evaluation.predictors import Predictor
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.images.encode import encode_png
from fcn_seg_ros.images.text import write_text
from fcn_seg_ros.inference.postprocess import probability_to_mask

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORST = 10
# RGB of true positives, false positives and false negatives.
COLOURS = {'tp': (0, 200, 0), 'fp': (255, 0, 0), 'fn': (0, 0, 255)}


def write_plots(folder: Path, result: Evaluation, predictor: Predictor,
                dataset: RoadDataset) -> list[Path]:
    """
    Write the plots of an evaluation and return their paths.

    They are ``precision_recall.png``, ``reliability.png``, ``worst.png`` (the ten worst images in
    perspective, predicted again) and, for several classes, ``confusion.png``. Raises InputError
    without matplotlib, and if the folder cannot be written to.
    """
    views = [result.perspective] + ([result.birds_eye] if result.birds_eye else [])
    pictures = {'precision_recall.png': _bytes(precision_recall(views)),
                'reliability.png': _bytes(reliability_diagram(result.calibration)),
                'worst.png': encode_png(worst_sheet(result, predictor, dataset))}
    if result.classes is not None:
        pictures['confusion.png'] = _bytes(confusion_matrix(result.classes))
    make_folder(folder)
    for name, content in pictures.items():
        write_file(folder / name, content)
    return [folder / name for name in pictures]


def precision_recall(views: list[ViewScores]) -> Figure:
    """Plot precision over recall for every view and category, with the best F1 marked."""
    figure = _figure(5.5 * len(views), 5)
    for position, view in enumerate(views):
        axes = figure.add_subplot(1, len(views), position + 1)
        for name, counts in view.counts.items():
            precision, recall = counts.precision_recall()
            some = recall + precision > 0
            s = view.scores[name]
            line, = axes.plot(recall[some], precision[some], linewidth=2 if name == ALL else 1,
                              label=f'{name}: MaxF {100 * s.max_f:.2f}')
            axes.plot(s.recall, s.precision, 'o', color=line.get_color())
        axes.set(title=f'{view.view} view', xlabel='recall', ylabel='precision', xlim=(0.8, 1),
                 ylim=(0.8, 1))
        if min(s.max_f for s in view.scores.values()) < 0.85:
            axes.set(xlim=(0, 1.01), ylim=(0, 1.01))
        axes.grid(alpha=0.3)
        axes.legend(loc='lower left')
    return figure


def reliability_diagram(calibration: Calibration) -> Figure:
    """Plot the share of road over the predicted probability, without and with the temperature."""
    figure = _figure(5.5, 6.5)
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    upper.plot([0, 1], [0, 1], color='grey', linewidth=1)
    for label, error, temperature in (
            ('as scored', calibration.error_before, None),
            (f'temperature {calibration.temperature:.2f} (error cross-fitted)',
             calibration.error_after, calibration.temperature)):
        r = reliability(calibration.histogram, temperature)
        some = r.pixels > 0
        upper.plot(r.mean[some], r.road[some], 'o-', label=f'{label}: ECE {100 * error:.2f} %')
    pixels = reliability(calibration.histogram).pixels
    lower.bar((np.arange(BINS) + 0.5) / BINS, pixels / max(1.0, pixels.sum()), 0.9 / BINS)
    upper.set(title=f'within {BAND:g} px of the road boundary', ylabel='share that is road')
    lower.set(xlabel='P(road)', ylabel='share of pixels')
    upper.legend()
    upper.grid(alpha=0.3)
    return figure


def confusion_matrix(scores: ClassScores) -> Figure:
    """Plot what the pixels of each class are taken for, in percent of them."""
    columns = [*scores.names, *(['unknown'] if scores.confusion[:, -1].any() else [])]
    share = 100 * scores.confusion[:, :len(columns)] / np.maximum(scores.pixels, 1)[:, None]
    figure = _figure(2.5 + 0.55 * len(columns), 2 + 0.5 * len(scores.names))
    axes = figure.add_subplot()
    axes.imshow(share, cmap='Blues', vmin=0, vmax=100, aspect='auto')
    for row, column in np.argwhere(share >= 0.5):
        axes.text(column, row, f'{share[row, column]:.0f}', ha='center', va='center',
                  color='white' if share[row, column] > 60 else 'black', fontsize=8)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha='right')
    axes.set_yticks(range(len(scores.names)), [
        f'{name} (absent)' if name in scores.absent else name for name in scores.names])
    axes.set(xlabel='mask', ylabel='truth', title=f'percent of each class\'s pixels; mean IoU '
             f'{100 * scores.mean_iou:.1f}')
    return figure


def worst_sheet(result: Evaluation, predictor: Predictor, dataset: RoadDataset,
                width: int = 800) -> np.ndarray:
    """
    Return a sheet of the ten worst images in perspective, uint8 RGB, two per row.

    True positives are green, false positives red and false negatives blue, at the threshold with
    the best F1 over all images; unlabelled pixels are not tinted.
    """
    wanted = dict(result.worst[:WORST])
    threshold = result.scores[ALL].threshold
    tiles: dict[str, np.ndarray] = {}
    for index in range(len(dataset)):
        sample = dataset[index]
        if sample.name in wanted and sample.name not in tiles:
            mask = probability_to_mask(predictor(sample).probability, threshold)
            tile = mark_errors(sample.image, mask, sample.labels)
            height = round(width * tile.shape[0] / tile.shape[1])
            tile = cv2.resize(tile, (width, height), interpolation=cv2.INTER_AREA)
            write_text(tile, f'{sample.name}  F1 {100 * wanted[sample.name]:.1f}', (8, 24), 0.7,
                       outline=4)
            tiles[sample.name] = tile
    ordered = [tiles[name] for name in wanted if name in tiles]
    tallest = max(tile.shape[0] for tile in ordered)
    padded = [np.pad(tile, ((0, tallest - tile.shape[0]), (0, 0), (0, 0))) for tile in ordered]
    if len(padded) % 2:
        padded.append(np.zeros_like(padded[0]))
    return np.vstack([np.hstack(padded[at:at + 2]) for at in range(0, len(padded), 2)])


def mark_errors(image: np.ndarray, mask: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """
    Return the image, uint8 RGB (H, W, 3), tinted where the mask is right or wrong.

    ``mask`` is uint8 (H, W), 1 where road is predicted; ``labels`` 0, 1 and 255 (left out).
    """
    road, truth, valid = mask == 1, labels == 1, labels != IGNORE
    marked = image.copy()
    for where, colour in ((road & truth, COLOURS['tp']), (road & ~truth & valid, COLOURS['fp']),
                          (~road & truth, COLOURS['fn'])):
        marked[where] = (0.5 * image[where] + 0.5 * np.array(colour)).astype(np.uint8)
    return marked


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError('--plots needs matplotlib, which is not installed '
                         '(pip install matplotlib)') from None
    return Figure(figsize=(width, height), layout='constrained')


def _bytes(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=100)
    return buffer.getvalue()
