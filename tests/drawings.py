"""Dix animaux tracés comme au doigt : ce que l'ardoise reçoit vraiment.

Chaque animal est une suite de traits ; un trait est une suite de points, dans un carré
de 100 de côté (y vers le bas). Un trait qui se referme entoure un morceau du corps.
"""

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_fill_holes

SIDE = 140  # pixels de côté de ce que la page envoie


def oval(x, y, rx, ry, turn=0):
    """Un ovale fermé, penché de `turn` degrés."""
    t = np.linspace(0, 2 * np.pi, 24)
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    u, v = rx * np.cos(t), ry * np.sin(t)
    return np.stack([x + c * u - s * v, y + s * u + c * v], axis=1)


def legs(tops, top, bottom):
    return [[(x, top), (x, bottom)] for x in tops]


ANIMALS = {
    "ours": [
        oval(46, 52, 32, 20),
        oval(80, 46, 12, 11),
        [(88, 46), (96, 50), (88, 53)],
        [(74, 38), (73, 32), (79, 36)],
        *legs((22, 25, 34, 56, 60, 66), 62, 84),
    ],
    "oiseau": [
        oval(46, 50, 22, 13, 20),
        oval(27, 34, 9, 9),
        [(19, 33), (10, 37), (20, 39)],
        [(62, 56), (90, 72), (84, 78), (58, 62)],
        *legs((44, 52), 62, 84),
        [(38, 84), (56, 84)],
    ],
    "chat": [
        oval(50, 66, 17, 24),
        oval(50, 30, 14, 12),
        [(39, 26), (38, 10), (48, 19)],
        [(61, 26), (62, 10), (52, 19)],
        [(62, 86), (78, 84), (82, 70), (76, 60)],
        [(40, 90), (60, 90)],
    ],
    "vache": [
        [(14, 34), (72, 32), (74, 60), (16, 62), (14, 34)],
        [(72, 30), (90, 34), (92, 50), (82, 54), (70, 46), (72, 30)],
        [(78, 31), (76, 22)],
        [(86, 32), (90, 23)],
        [(46, 62), (52, 68), (56, 62)],
        *legs((19, 27, 62, 70), 60, 88),
        [(14, 36), (8, 60)],
    ],
    "chien": [
        oval(42, 50, 26, 11),
        oval(74, 34, 11, 9),
        [(60, 50), (68, 38)],
        [(62, 46), (72, 40)],
        [(82, 33), (94, 37), (82, 41)],
        [(70, 27), (66, 18), (76, 25)],
        [(18, 46), (8, 28)],
        *legs((22, 27, 56, 62), 54, 84),
    ],
    "éléphant": [
        oval(42, 46, 32, 22),
        oval(76, 40, 14, 15),
        [(84, 44), (92, 58), (92, 80), (86, 80), (86, 60), (80, 52)],
        *legs((18, 22, 28, 56, 60, 64), 58, 88),
        [(10, 44), (5, 62)],
    ],
    "girafe": [
        oval(42, 56, 17, 9, -8),
        [(52, 50), (68, 14), (74, 16), (60, 56)],
        [(68, 14), (80, 19), (78, 23), (70, 20)],
        [(69, 14), (68, 8)],
        *legs((30, 34, 51, 55), 60, 96),
        [(26, 54), (22, 68)],
    ],
    "cheval": [
        oval(42, 48, 25, 11),
        [(56, 44), (70, 20), (80, 24), (66, 52), (56, 44)],
        [(72, 18), (92, 34), (88, 40), (74, 32), (72, 18)],
        [(73, 20), (73, 12)],
        *legs((22, 26, 57, 62), 52, 90),
        [(18, 44), (10, 52), (8, 72)],
    ],
    "mouton": [
        *(oval(x, y, 14, 12) for x in (26, 40, 54, 66) for y in (40, 54)),
        oval(82, 40, 10, 9),
        [(78, 36), (72, 42)],
        *legs((28, 36, 58, 66), 62, 86),
    ],
}
# Un zèbre est un cheval que l'on raye à la gomme.
ANIMALS["zèbre"] = ANIMALS["cheval"]
STRIPES = {
    "zèbre": [
        *([(x, 36), (x + 3, 60)] for x in range(22, 64, 8)),
        *([(x, y), (x + 10, y + 6)] for x, y in ((66, 26), (62, 33), (58, 40))),
    ]
}


def draw(name, rng=None, filled=True, thickness=5.0):
    """Trace un animal à la craie ; rng fait trembler et varier la main."""
    rng = np.random.default_rng(0) if rng is None else rng
    stretch = np.diag(rng.uniform(0.85, 1.15, 2))
    turn = np.radians(rng.normal(0, 4))
    turn = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    mirror = np.diag([rng.choice([-1, 1]), 1])
    size = rng.uniform(0.6, 1)

    def place(stroke):
        points = np.array(stroke, dtype=float) - 50
        points = points @ mirror @ stretch @ turn * size
        return (points + rng.normal(0, 0.8, points.shape) + 50) * SIDE / 100

    image = Image.new("L", (SIDE, SIDE))
    _trace(image, map(place, ANIMALS[name]), thickness, 255)
    if filled:
        image = Image.fromarray(
            binary_fill_holes(np.array(image) > 127).astype("uint8") * 255
        )
    _trace(image, map(place, STRIPES.get(name, [])), 0.6 * thickness, 0)
    return np.array(image)


def _trace(image, strokes, thickness, level):
    canvas, radius = ImageDraw.Draw(image), thickness / 2
    for stroke in strokes:
        canvas.line([*map(tuple, stroke)], fill=level, width=round(thickness))
        for x, y in stroke:
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=level)
