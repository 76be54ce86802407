# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The kinds of rendered scenes; to add one, write a file here and add a row to SCENES."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.place import Place
from fcn_seg_ros.synthetic.world.scenes.bridge import bridge
from fcn_seg_ros.synthetic.world.scenes.car_park import car_park
from fcn_seg_ros.synthetic.world.scenes.city import city
from fcn_seg_ros.synthetic.world.scenes.country import country
from fcn_seg_ros.synthetic.world.scenes.highway import highway
from fcn_seg_ros.synthetic.world.scenes.tunnel import tunnel

#: The function that generates a kind of scene, and the kind's share when all are drawn.
SCENES: dict[str, tuple[Callable[[np.random.Generator, Conditions], Place], float]] = {
    'highway': (highway, 0.27), 'country': (country, 0.24), 'city': (city, 0.27),
    'bridge': (bridge, 0.08), 'tunnel': (tunnel, 0.07), 'car_park': (car_park, 0.07)}
