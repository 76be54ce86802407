# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The metrics of a run as a CSV file that survives kills and resumption."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

from fcn_seg_ros.errors import InputError, TrainingError, one_line
from fcn_seg_ros.files import write_file


class MetricsFile(ExperimentWriter):
    """
    Lightning's writer, which replaces the whole file at once and keeps rows from before.

    Those of steps that are trained again are left out.
    """

    def __init__(self, log_dir: str, steps: int) -> None:
        rows = _read(Path(log_dir) / self.NAME_METRICS_FILE, steps)
        super().__init__(log_dir)
        self.metrics = rows

    def _check_log_dir_exists(self) -> None:
        """Warn of nothing: the file is kept."""

    def save(self) -> None:
        """Replace the file; raises TrainingError if that fails."""
        if not self.metrics:
            return
        columns = sorted(set().union(*self.metrics))
        text = io.StringIO(newline='')
        writer = csv.DictWriter(text, fieldnames=columns)
        writer.writeheader()
        writer.writerows(self.metrics)
        try:
            write_file(Path(self.metrics_file_path), text.getvalue().encode())
        except InputError as error:
            raise TrainingError(f'{error}; the state of the last whole epoch is kept: make room, '
                                'then go on with --resume') from None


class MetricsLogger(CSVLogger):
    """Writes ``metrics.csv`` in a folder; a run resumed after ``steps`` steps keeps its rows."""

    def __init__(self, folder: Path, steps: int) -> None:
        super().__init__(folder.parent, name='', version=folder.name)
        self._steps = steps

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """Return the writer, of several processes' first one."""
        if self._experiment is None:
            self._experiment = MetricsFile(self.log_dir, self._steps)
        return self._experiment


def _read(path: Path, steps: int) -> list[dict[str, Any]]:
    """Return the rows before ``steps``, [] for no file; raises InputError for a damaged one."""
    if not path.is_file() or not steps:
        return []
    try:
        with path.open(newline='', encoding='utf-8') as file:
            rows = [{name: value for name, value in row.items() if value}
                    for row in csv.DictReader(file)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f'{path}: expected the metrics of the run so far, found a damaged file '
                         f'({one_line(error)}): move it away to go on without') from None
    return [row for row in rows if row.get('step', '').isdigit() and int(row['step']) < steps]
