# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ROS messages of a drive's frames and calibrations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import CameraInfo, Image, RegionOfInterest
from std_msgs.msg import Header

from fcn_seg_ros.drives.drive import Calibration, DriveFrame
from fcn_seg_ros.messages import set_data, to_header, to_mono8


def frame_to_image(frame: DriveFrame, header: Header) -> Image:
    """Return the Image message of a frame."""
    message = Image(header=header, height=frame.height, width=frame.width,
                    encoding=frame.encoding, is_bigendian=int(frame.is_bigendian),
                    step=frame.step)
    set_data(message, frame.data)
    return message


def calibration_to_camera_info(calibration: Calibration, header: Header) -> CameraInfo:
    """Return the CameraInfo message of a calibration."""
    x, y, width, height = calibration.roi
    return CameraInfo(
        header=header, width=calibration.width, height=calibration.height,
        distortion_model=calibration.distortion_model, d=list(calibration.d),
        k=np.asarray(calibration.k, np.float64), r=np.asarray(calibration.r, np.float64),
        p=np.asarray(calibration.p, np.float64),
        binning_x=calibration.binning_x, binning_y=calibration.binning_y,
        roi=RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height,
                             do_rectify=calibration.do_rectify))


@dataclass
class PreparedFrame:
    """A frame as messages without their header, which is set only on publishing."""

    image: Image
    info: CameraInfo
    truth: Image | None
    stamp_ns: int
    frame_id: str
    time_ns: int
    begins: bool

    @classmethod
    def of(cls, frame: DriveFrame, begins: bool) -> PreparedFrame:
        """Convert a frame; without a calibration, CameraInfo is all zeros."""
        header = to_header(frame.stamp_ns, frame.frame_id)
        calibration = frame.calibration or Calibration(frame.width, frame.height)
        return cls(frame_to_image(frame, header),
                   calibration_to_camera_info(calibration, header),
                   None if frame.truth is None else to_mono8(frame.truth, header),
                   frame.stamp_ns, frame.frame_id, frame.time_ns, begins)
