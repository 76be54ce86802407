# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The keys on /diagnostics, shared by the node and everything that reads them."""

STATE = 'state'

# In the node's status, and repeated in each camera's.
BACKEND = 'backend'
DEVICE = 'device'
PRECISION = 'precision'
NETWORK_SIZE = 'network_size'
CHECKPOINT = 'checkpoint'
CHECKPOINT_SHA256 = 'checkpoint_sha256'
GPU_MEMORY = 'gpu_memory_mib'
GPU_MEMORY_IN_USE = 'gpu_memory_in_use_mib'
GPU_MEMORY_TOTAL = 'gpu_memory_total_mib'
LAST_ERROR = 'last_error'

# In the node's status only.
WORKER_BUSY = 'worker_busy_s'
CAMERAS = 'cameras'
# The cameras of which ~/grid consists.
GRID_CAMERAS = 'grid_cameras'

# In a camera's status: received = published + all dropped_REASON + in_flight.
RECEIVED = 'received'
PUBLISHED = 'published'
IN_FLIGHT = 'in_flight'
DROPPED_PREFIX = 'dropped_'
LOST = 'lost_before_node'
MISSED = 'missed_in_sequence'
SUBSCRIBED = 'subscribed'
TRANSPORT = 'transport'
RELIABILITY = 'reliability'
INCOMPATIBLE = 'incompatible_publisher'
INPUT_RATE = 'input_rate_hz'
OUTPUT_RATE = 'output_rate_hz'
# As Autoware names them.
PROCESSING_TIME = 'processing_time_ms'
PROCESSING_IN_RANGE = 'is_processing_time_ms_in_expected_range'
PROCESSING_DELAY = 'consecutive_processing_delay_ms'
PICTURE_FAULTS = 'picture_faults'
PICTURE_PREFIX = 'picture_'
# In degrees, by the edges of straight road; the second less the assumed one.
HORIZON_PITCH = 'horizon_pitch_deg'
HORIZON_ERROR = 'horizon_error_deg'


def stage_time(stage: str, statistic: str) -> str:
    """Return the key of a stage's time in milliseconds; ``statistic`` is p50, p95 or max."""
    return f'{stage}_ms_{statistic}'


def dropped(reason: str) -> str:
    """Return the key that counts the frames dropped for a reason."""
    return f'{DROPPED_PREFIX}{reason}'
