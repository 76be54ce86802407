# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small videos and folders of 20 images, whole and damaged, and what cuts and overwrites files."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
from test_drive_bag import noise

COUNT = 20
Maker = Callable[[Path], Path]


def cut(path: Path, part: float) -> Path:
    """Leave the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[:int(len(content) * part)])
    return path


def video(name: str, folder: Path, target: Any = None, **options: str) -> Path:
    """Return a video of 30 frames a second, one of whose sides is noise so that frames are big."""
    kind, codec = {'avi': ('avi', 'mjpeg'), 'mkv': ('matroska', 'mpeg4'), 'mp4': ('mp4', 'mpeg4'),
                   'ts': ('mpegts', 'mpeg2video')}[name.partition('.')[2]]
    with av.open(target or str(folder / name), 'w', format=kind, options=options) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = 'yuvj420p' if codec == 'mjpeg' else 'yuv420p'
        for index in range(COUNT):
            frame = av.VideoFrame.from_ndarray(noise(index, (48, 64, 3)), format='rgb24')
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return folder / name


def cut_video(name: str, folder: Path, **options: str) -> Path:
    """Return the first 79 % of a video."""
    return cut(video(name, folder, **options), 0.79)


def damaged_transport_stream(folder: Path) -> Path:
    """Return a transport stream with some packets of zeros in the middle."""
    path = video('drive.ts', folder)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle:middle + 600] = bytes(600)
    path.write_bytes(content)
    return path


def video_not_closed(folder: Path) -> Path:
    """Return a Matroska without length and index, as a killed recorder leaves it."""
    class Pipe(io.BytesIO):
        seek = None
    pipe = Pipe()
    video('drive.mkv', folder, pipe)
    (folder / 'drive.mkv').write_bytes(pipe.getvalue())
    return folder / 'drive.mkv'


def video_with_thumbnail(folder: Path) -> Path:
    """Return an MP4 whose first stream is a picture."""
    source = video('plain.mp4', folder)
    path = folder / 'drive.mp4'
    with av.open(str(source)) as read, av.open(str(path), 'w') as out:
        picture = out.add_stream('png', rate=1)
        picture.width, picture.height, picture.pix_fmt = 32, 32, 'rgb24'
        picture.disposition = av.stream.Disposition.attached_pic
        stream = out.add_stream_from_template(read.streams.video[0])
        out.mux(picture.encode(av.VideoFrame.from_ndarray(noise(1, (32, 32, 3)), 'rgb24')))
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return path


def video_without_index(folder: Path) -> Path:
    """Return an MP4 whose recorder was killed."""
    path = video('drive.mp4', folder)
    path.write_bytes(path.read_bytes()[:-2000])
    return path


def images(folder: Path, below: str = 'a#1 %20 ü?', name: str = '{}.png') -> Path:
    """Return a folder of images."""
    for index in range(COUNT):
        path = folder / below / name.format(index)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode('.png', noise(index))[1].tobytes())
    return folder / below


def broken_link(folder: Path) -> Path:
    """Return a folder of images and a link to one that is gone."""
    found = images(folder)
    (found / '7b.png').symlink_to(folder / 'gone.png')
    return found


def other_kinds(folder: Path) -> Path:
    """Return a folder with images of other kinds."""
    found = images(folder)
    for name in ('a.ppm', 'b.PPM', 'c.gif', 'd.txt'):
        (found / name).write_bytes(b'x')
    return found


def kitti_raw(folder: Path, lines: int = COUNT) -> Path:
    """Return KITTI's layout of a raw drive."""
    images(folder, 'image_02/data', '{:010d}.png')
    (folder / 'image_02/timestamps.txt').write_text('\ufeff' + ''.join(
        f'2011-09-26 13:02:{25 + i}.964389445\r\n' for i in range(lines)))
    return folder


def kitti_road(folder: Path) -> Path:
    """Return KITTI Road's layout with labels, one of which is damaged."""
    images(folder, 'training/image_2', 'um_{:06d}.png')
    images(folder, 'training/gt_image_2', 'um_road_{:06d}.png')
    cut(folder / 'training/gt_image_2/um_road_000003.png', 0.5)
    return folder


PICTURES: dict[str, Maker] = {
    'video': partial(video, 'drive.mp4'),
    'video cut off: mp4': partial(cut_video, 'drive.mp4', movflags='faststart'),
    'video cut off: mkv': partial(cut_video, 'drive.mkv'),
    'video cut off: avi': partial(cut_video, 'drive.avi'),
    'video cut off: fragments': partial(cut_video, 'drive.mp4',
                                        movflags='frag_keyframe+empty_moov'),
    'video cut off: ts': partial(cut_video, 'drive.ts'),
    'video with damaged data: ts': damaged_transport_stream,
    'video not closed: mkv': video_not_closed,
    'video with a thumbnail': video_with_thumbnail,
    'video without its index': video_without_index,
    'images': images,
    'images with a broken link': broken_link,
    'images of other kinds beside': other_kinds,
    'KITTI raw': kitti_raw,
    'KITTI raw with too few times': partial(kitti_raw, lines=COUNT - 1),
    'KITTI Road with damaged labels': kitti_road,
}
